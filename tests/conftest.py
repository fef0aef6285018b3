"""Drawn clips, once a session; what they show is in `clip.truth`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from tests.clips import Clip, Script, cuts_script, draw_folder, no_faces_script, two_people_script

SMALL = (640, 360)
FILM_RATE = Fraction(24000, 1001)  # not a whole number, as in much real footage


@pytest.fixture(scope="session")
def two_people_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """96 frames, two shots: both people, Hopper leaves and returns."""
    return _draw(tmp_path_factory, two_people_script())


@pytest.fixture(scope="session")
def no_faces_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """48 frames, two shots, nobody."""
    return _draw(tmp_path_factory, no_faces_script())


@pytest.fixture(scope="session")
def cut_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Nine shots: six cuts, a crossfade and a fade."""
    return _draw(tmp_path_factory, cuts_script())


def _draw(tmp_path_factory: pytest.TempPathFactory, script: Script) -> Clip:
    folder: Path = tmp_path_factory.mktemp("clip")
    return draw_folder(script, folder, size=SMALL, frame_rate=FILM_RATE)
