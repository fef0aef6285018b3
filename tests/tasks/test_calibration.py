"""What distances are worth: nearer is never less like, poorer never says more."""

from __future__ import annotations

import tomllib

import numpy as np
import pytest

from tasks.calibration import FILE, calibration_of, scaled_mean
from tasks.plan import FindFaces
from tasks.selectors.likeness import BOUNDS

NAMES = list(tomllib.loads(FILE.read_text()))
DISTANCES = np.linspace(0.2, 0.9, 71)
KINDS = ["photo", "track"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("octaves", [0.0, 1.0, 2.0, 4.0])
def test_nearer_is_never_less_like(name, kind, octaves) -> None:
    ratios = getattr(calibration_of(name), kind).log_ratio(DISTANCES, octaves)
    assert np.isfinite(ratios).all()
    assert np.diff(ratios).max() < 0.35, "beside the rounding where two normal distributions meet"
    assert ratios[0] > 1
    assert ratios[-1] < (-2 if octaves < 1 else 0)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_poor_looks_say_less(name, kind) -> None:
    """Neither that it is somebody nor that it is not, each at the distance that is usual for it."""
    told = getattr(calibration_of(name), kind)
    usual = [np.array([told.same + n * told.same_per_octave, told.different + n * told.different_per_octave]) for n in (0, 3)]
    clear, poor = (told.log_ratio(distances, octaves) for distances, octaves in zip(usual, (0, 3), strict=True))
    assert clear[0] > poor[0]
    assert clear[1] < poor[1]


def test_octaves() -> None:
    octaves = calibration_of("faceres").octaves
    assert octaves([0.9, 0.3, 0.15, 0.075]) == pytest.approx([0, 0, 1, 2])
    assert octaves(0.0) == octaves(1e-9) == 4


def test_the_default_recogniser_is_calibrated() -> None:
    assert FindFaces().recogniser.method in NAMES
    assert calibration_of("openface") == calibration_of("any")


def test_a_mean_is_as_long_as_what_it_is_of() -> None:
    """Or it would be nearer to everybody."""
    mean = scaled_mean(np.array([[0.6, 0], [0, 0.6]], np.float32), np.array([1, 3], np.float32))
    assert np.linalg.norm(mean) == pytest.approx(0.6)
    assert mean[1] == pytest.approx(3 * mean[0])


def test_who_is_stricter_keeps_fewer_and_blurs_more() -> None:
    assert BOUNDS["safe"].sure > BOUNDS["balanced"].sure > BOUNDS["sharp"].sure
    assert BOUNDS["safe"].never < BOUNDS["balanced"].never < BOUNDS["sharp"].never
