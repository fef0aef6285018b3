"""Detections as one list over frames."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from tasks.faces import Detections
from tests.fakes import Seen, found, square

SCRIPT = {0: [square(20, 20, 10)], 4: [], 8: [square(30, 20, 10), Seen(square(60, 20, 10), 0.4, (1.0, 2.0))], 12: [square(40, 20, 10)]}


def same(one: Detections, other: Detections) -> bool:
    pairs = [(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)]
    return all(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


@pytest.mark.parametrize("detections", [found(SCRIPT), found({0: []}), found({})])  # faces; a look without any; no look at all
def test_detections_survive_bytes(detections) -> None:
    assert same(Detections.from_bytes(detections.to_bytes()), detections)


def test_only_embeddings_that_there_are_take_room() -> None:
    """Of hours of looks near faces there are none; a row of a thousand numbers each would be gigabytes."""
    numbers = tuple(np.random.default_rng(1).normal(size=1024).tolist())
    one = found({frame: [Seen(square(20, 20, 10), embedding=numbers if frame == 40 else (float("nan"),) * 1024)] for frame in range(200)})
    assert len(one.to_bytes()) < 2 * 1024 + 8000
    again = Detections.from_bytes(one.to_bytes())
    assert np.array_equal(np.isnan(again.embeddings), np.isnan(one.embeddings))
    assert np.abs(again.embeddings[40] - one.embeddings[40]).max() < 0.002


@pytest.mark.parametrize("parts", [[(0, 4), (8, 12)], [(8, 12), (0, 4)], [(4, 8), (0, 0), (12, 12)]])  # in any order of looking
def test_parts_make_one_list_in_order_of_frame(parts) -> None:
    whole = found(SCRIPT)
    assert same(Detections.concatenate(whole.within(*part) for part in parts), whole)


def test_what_two_looks_at_a_frame_found_is_all_there() -> None:
    """A check of the finished video may look where the sampler did, and see a face that it did not."""
    both = Detections.concatenate([found({8: [square(50, 50, 20)]}), found({8: [square(90, 50, 20)]})])
    assert both.looked.tolist() == [8]
    assert both.frames.tolist() == [8, 8]


def test_nothing_is_no_list() -> None:
    with pytest.raises(ValueError, match="concatenate"):
        Detections.concatenate([])


@pytest.mark.parametrize(("frame", "num_faces"), [(0, 1), (4, 0), (8, 2), (12, 1), (5, 0), (99, 0)])  # 5 and 99 were not looked at
def test_rows_of_a_frame(frame, num_faces) -> None:
    detections = found(SCRIPT)
    assert np.all(detections.frames[detections.rows_at(frame)] == frame)
    assert len(detections[detections.rows_at(frame)]) == num_faces


@pytest.mark.parametrize(
    ("first", "last", "looked", "num_faces"),
    [
        (0, 12, [0, 4, 8, 12], 4),
        (1, 8, [4, 8], 2),  # both ends included
        (4, 4, [4], 0),  # a look that found nothing stays a look
        (5, 7, [], 0),
    ],
)
def test_a_stretch_has_its_looks_and_faces(first, last, looked, num_faces) -> None:
    part = found(SCRIPT).within(first, last)
    assert part.looked.tolist() == looked
    assert len(part) == num_faces


def test_choosing_faces_keeps_the_looks() -> None:
    few = found(SCRIPT)[np.array([False, False, True, False])]
    assert few.looked.tolist() == [0, 4, 8, 12]
    assert few.scores.tolist() == [pytest.approx(0.4)]
