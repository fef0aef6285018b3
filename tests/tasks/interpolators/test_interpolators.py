"""The boxes between two looks."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.interpolators.scipy_family import CubicSpline, Linear, Nearest, Pchip, Polynomial

MONOTONE = [Pchip(), Linear(), Nearest(), Polynomial(degree=1)]
ALL = [*MONOTONE, CubicSpline(), Polynomial(), Polynomial(degree=5)]


def boxes_at(x) -> np.ndarray:
    """A face of 40 pixels whose left side is at x."""
    return np.array([(each, 10, each + 40, 60) for each in x], np.float32)


LOOKS = [
    ([7], [100]),  # a single look
    ([0, 9], [100, 110]),
    ([0, 1], [100, 110]),  # neighbours: nothing in between
    ([0, 5, 9], [100, 150, 90]),  # out and back
    ([0, 1, 2, 40, 41, 80], [100, 101, 102, 300, 299, 10]),  # on an uneven grid, with a jerk
]


def filled(method, frames, x) -> tuple[np.ndarray, np.ndarray]:
    wanted = np.arange(frames[0], frames[-1] + 1)
    return wanted, method.fill(np.array(frames), boxes_at(x), wanted)


@pytest.mark.parametrize("method", ALL, ids=str)
@pytest.mark.parametrize(("frames", "x"), LOOKS)
def test_boxes_are_exact_at_the_looks(method, frames, x) -> None:
    wanted, boxes = filled(method, frames, x)
    assert boxes.shape == (len(wanted), 4)
    assert boxes.dtype == np.float32
    assert np.isfinite(boxes).all()
    assert np.allclose(boxes[np.array(frames) - frames[0]], boxes_at(x), atol=1e-2)
    assert np.allclose(boxes[:, [1, 3]], [10, 60], atol=1e-2), "what does not move stays"


@pytest.mark.parametrize("method", MONOTONE, ids=str)
@pytest.mark.parametrize(("frames", "x"), LOOKS)
def test_boxes_stay_between_their_looks(method, frames, x) -> None:
    wanted, boxes = filled(method, frames, x)
    for (a, left), (b, right) in zip(zip(frames, x, strict=True), list(zip(frames, x, strict=True))[1:], strict=False):
        between = boxes[(wanted >= a) & (wanted <= b), 0]
        assert between.min() >= min(left, right) - 1e-3
        assert between.max() <= max(left, right) + 1e-3


@pytest.mark.parametrize("method", [each for each in ALL if not isinstance(each, Nearest)], ids=str)
def test_steady_motion_stays_steady(method) -> None:
    frames = [0, 3, 4, 10, 16, 17]
    wanted, boxes = filled(method, frames, [100 + 2 * frame for frame in frames])
    assert np.allclose(boxes, boxes_at(100 + 2 * wanted), atol=1e-2)


def test_the_nearest_look_is_taken() -> None:
    _, boxes = filled(Nearest(), [0, 5, 8], [10, 20, 30])
    assert boxes[:, 0].tolist() == [10, 10, 10, 20, 20, 20, 20, 30, 30]
