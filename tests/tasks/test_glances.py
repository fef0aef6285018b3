"""Thumbnails kept for the search for faces."""

from __future__ import annotations

import numpy as np
import pytest

from tasks import glances
from tasks.glances import GlanceKeeper, read_glances
from tasks.manifests import Shots
from tasks.results import ObjectStore
from tasks.stores.folder import FolderBackend

NUM_FRAMES = 25


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """25 pictures, each as grey as its number, ten an object."""
    monkeypatch.setattr(glances, "CHUNK_FRAMES", 10)
    monkeypatch.setattr("tasks.manifests.CHUNK_FRAMES", 10)
    store = ObjectStore(FolderBackend(tmp_path))
    keeper = GlanceKeeper(store)
    pictures = [np.full((144, 256, 3), number, np.uint8) for number in range(NUM_FRAMES)]
    assert [picture[0, 0, 0] for picture in keeper.passing(pictures)] == list(range(NUM_FRAMES)), "all pass, unchanged"
    return store, Shots(shots=(), glance_refs=keeper.refs())


@pytest.mark.parametrize(
    ("first", "last", "num_objects"),
    [(0, 24, 3), (0, 9, 1), (9, 10, 2), (10, 19, 1), (24, 24, 1), (12, 21, 2)],
)
def test_a_segment_reads_its_own(first, last, num_objects, kept) -> None:
    store, shots = kept
    refs = shots.glances_of(first, last)
    assert len(refs) == num_objects
    read = read_glances(refs, first, last, store)
    assert read.shape == (last - first + 1, 27, 48)
    assert read[:, 0, 0].tolist() == read[:, -1, -1].tolist() == list(range(first, last + 1))


def test_a_finder_that_does_not_look_keeps_none(tmp_path) -> None:
    assert GlanceKeeper(ObjectStore(FolderBackend(tmp_path))).refs() == ()
    assert read_glances((), 3, 9, ObjectStore(FolderBackend(tmp_path))) is None
