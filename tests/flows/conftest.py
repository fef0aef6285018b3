"""A clip in which each shot is a segment of its own and shows other people, and a results store that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.clips import Actor, Clip, Pose, Script, Shot, draw_folder
from tests.conftest import use_store


@pytest.fixture(scope="session")
def visits_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """92 frames, four shots: Collins, both, Hopper, nobody."""
    collins = Actor("collins", (Pose(0, 0.28, 0.43, 0.11), Pose(1, 0.33, 0.43, 0.11)))
    hopper = Actor("hopper", (Pose(0, 0.70, 0.56, 0.135), Pose(1, 0.66, 0.56, 0.135)))
    people = ((collins,), (collins, hopper), (hopper,), ())
    script = Script(tuple(Shot(0.96, background=seed, layers=layers) for seed, layers in zip((6, 3, 9, 12), people, strict=True)))
    return draw_folder(script, tmp_path_factory.mktemp("visits"), size=(640, 360), frame_rate=Fraction(24000, 1001))


@pytest.fixture(scope="module")
def shared_store(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One results store for all tests of a file that want to find each other's results."""
    folder = tmp_path_factory.mktemp("shared") / "results"
    with pytest.MonkeyPatch.context() as patch:
        use_store(folder, patch)
        yield folder
