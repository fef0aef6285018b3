"""Steadier boxes."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.smoothers.filters import MovingAverage, NoSmoothing, SavitzkyGolay

FILTERS = [
    MovingAverage(),
    MovingAverage(window_frames=1),
    MovingAverage(window_frames=99),
    SavitzkyGolay(),
    SavitzkyGolay(window_frames=99, degree=5),
]
ALL = [*FILTERS, SavitzkyGolay(window_frames=3, degree=5), SavitzkyGolay(window_frames=7), NoSmoothing()]
LENGTHS = [1, 2, 3, 8, 9, 10, 150]  # shorter than, as long as, and longer than the windows


def still(length: int) -> np.ndarray:
    return np.tile(np.array([1000.5, 500.25, 1100.75, 620], np.float32), (length, 1))


def noisy(length: int) -> np.ndarray:
    return still(length) + np.random.default_rng(7).normal(0, 3, (length, 4)).astype(np.float32)


def jitter(boxes: np.ndarray) -> float:
    return float(np.abs(np.diff(boxes, 2, axis=0)).mean())


@pytest.mark.parametrize("smoother", ALL, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_what_does_not_move_stays(smoother, length) -> None:
    smooth = smoother.smooth(still(length))
    assert smooth.shape == (length, 4)
    assert smooth.dtype == np.float32
    assert np.allclose(smooth, still(length), atol=1e-2)


@pytest.mark.parametrize("smoother", ALL, ids=str)
@pytest.mark.parametrize("length", LENGTHS)
def test_backwards_is_the_same(smoother, length) -> None:
    """No lag: a filter that follows comes after the face in one direction of time and before it in the other."""
    boxes = noisy(length)
    assert np.allclose(smoother.smooth(boxes[::-1])[::-1], smoother.smooth(boxes), atol=1e-2)


@pytest.mark.parametrize("smoother", [MovingAverage(), SavitzkyGolay()], ids=str)
def test_jitter_falls(smoother) -> None:
    assert jitter(smoother.smooth(noisy(150))) < 0.5 * jitter(noisy(150))


@pytest.mark.parametrize("smoother", ALL, ids=str)
def test_steady_motion_is_followed(smoother) -> None:
    boxes = still(150) + np.arange(150, dtype=np.float32)[:, None]
    inner = slice(50, 100)  # the ends repeat
    assert np.allclose(smoother.smooth(boxes)[inner], boxes[inner], atol=1e-2)


@pytest.mark.parametrize("smoother", ALL, ids=str)
def test_what_was_given_is_not_changed(smoother) -> None:
    boxes = noisy(20)
    smoother.smooth(boxes)
    assert np.array_equal(boxes, noisy(20))


def test_smoothing_changes_the_boxes() -> None:
    """The thesis's wrote beside the boxes and changed nothing."""
    boxes = noisy(20)
    assert np.allclose(MovingAverage(window_frames=5).smooth(boxes)[10], boxes[8:13].mean(0), atol=1e-2)


@pytest.mark.parametrize("smoother", [MovingAverage, SavitzkyGolay])
def test_an_even_window_is_refused(smoother) -> None:
    """It would move every box half a frame back."""
    with pytest.raises(ValueError, match="must be odd"):
        smoother(window_frames=4)
