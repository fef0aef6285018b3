"""Steadier boxes: what holds for every way, and what for some."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from tasks.plan import Smoother
from tasks.smoothers.filters import MovingAverage, NoSmoothing, SavitzkyGolay
from tasks.smoothers.kalman import Kalman
from tasks.smoothers.sequence_model import SequenceModel
from tasks.smoothers.spline import Spline
from tasks.smoothers.trajectories import MOTIONS, Trajectory, draw_trajectory

DEFAULTS = [MovingAverage(), SavitzkyGolay(), Kalman(), Spline(), SequenceModel()]
ALL = [
    *DEFAULTS,
    NoSmoothing(),
    MovingAverage(window_frames=1),  # changes nothing
    MovingAverage(window_frames=99),  # longer than most tracks
    SavitzkyGolay(window_frames=99, degree=5),
    SavitzkyGolay(window_frames=3, degree=5),  # fewer frames than the polynomial goes through
    SavitzkyGolay(window_frames=7),
    Kalman(noise_ratio=30),  # its weights reach furthest
    Kalman(noise_ratio=0.01),
    Spline(stiffness=1e6),
    Spline(stiffness=0.01),
]
OFF_AT_MOST = 1.05  # of what they were: a face that rushes or shakes is blurred a little in time
LENGTHS = [1, 2, 3, 4, 5, 8, 9, 10, 129, 130, 300]  # shorter than, as long as, and longer than what each way looks at at once


def still(length: int) -> np.ndarray:
    return np.tile(np.array([1000.5, 500.25, 1100.75, 620], np.float32), (length, 1))


def noisy(length: int) -> np.ndarray:
    return still(length) + np.random.default_rng(7).normal(0, 3, (length, 4)).astype(np.float32)


def jitter(boxes: np.ndarray) -> float:
    return float(np.abs(np.diff(boxes, 2, axis=0)).mean())


def judged(track: Trajectory, boxes: np.ndarray) -> tuple[float, float]:
    """How much boxes tremble, and how far they are off, in sizes of the face."""
    sizes = np.sqrt(np.prod(track.truth[:, 2:] - track.truth[:, :2], axis=1, keepdims=True))
    off = boxes - track.truth
    return jitter(off / sizes), float(np.abs(off / sizes).mean())


def test_no_way_is_left_out() -> None:
    assert {type(each) for each in ALL} == set(get_args(get_args(Smoother)[0]))


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


@pytest.mark.parametrize("smoother", ALL, ids=str)
@pytest.mark.parametrize("length", [4, 130])
def test_size_and_place_change_nothing(smoother, length) -> None:
    """A face is 16 pixels wide in one film and 900 in another."""
    boxes = noisy(length)
    larger = smoother.smooth(boxes * 8 + np.float32(3000))
    assert np.allclose((larger - 3000) / 8, smoother.smooth(boxes), atol=1e-2)


@pytest.mark.parametrize("smoother", DEFAULTS, ids=str)
@pytest.mark.parametrize("length", [10, 150])
def test_jitter_falls(smoother, length) -> None:
    assert jitter(smoother.smooth(noisy(length))) < 0.5 * jitter(noisy(length))


@pytest.mark.parametrize("smoother", DEFAULTS, ids=str)
@pytest.mark.parametrize("motion", MOTIONS)
def test_made_up_faces_tremble_less_and_are_no_further_off(smoother, motion) -> None:
    random = np.random.default_rng(11)
    tracks = [draw_trajectory(random, 120, motion) for _ in range(20)]
    tremble, off = np.mean([judged(track, track.boxes) for track in tracks], axis=0)
    tremble_after, off_after = np.mean([judged(track, smoother.smooth(track.boxes)) for track in tracks], axis=0)
    assert tremble_after < 0.5 * tremble
    assert off_after < OFF_AT_MOST * off


@pytest.mark.parametrize("smoother", ALL, ids=str)
def test_steady_motion_is_followed(smoother) -> None:
    boxes = still(150) + np.arange(150, dtype=np.float32)[:, None]
    inner = slice(50, 100)  # the ends repeat
    assert np.allclose(smoother.smooth(boxes)[inner], boxes[inner], atol=1e-2)


@pytest.mark.parametrize("smoother", [Kalman(), Spline(), SequenceModel()], ids=str)
def test_steady_motion_is_followed_to_the_ends(smoother) -> None:
    boxes = still(150) + np.arange(150, dtype=np.float32)[:, None]
    assert np.allclose(smoother.smooth(boxes), boxes, atol=1e-2)


@pytest.mark.parametrize("smoother", [Spline(), SequenceModel()], ids=str)
def test_a_single_jump_pulls_little(smoother) -> None:
    boxes = still(41)
    boxes[20] += 30
    pull = np.abs(smoother.smooth(boxes) - still(1)).max(axis=1)
    assert pull[20] < 10, "a third"
    assert pull[[17, 23]].max() < 3, "a mean of nine frames gives 3.3 there"


def test_the_network_cannot_go_astray() -> None:
    """A cut that nobody found is like nothing that it was trained on."""
    boxes = np.concatenate([noisy(30), noisy(30) + np.float32(1500)])
    smooth = SequenceModel().smooth(boxes)
    assert np.allclose(smooth[:27], boxes[:27], atol=15)
    assert np.allclose(smooth[33:], boxes[33:], atol=15)
    assert (smooth >= boxes.min(axis=0)).all()
    assert (smooth <= boxes.max(axis=0)).all()


@pytest.mark.parametrize("smoother", ALL, ids=str)
def test_what_was_given_is_not_changed_and_the_same_comes_again(smoother) -> None:
    boxes = noisy(20)
    first = smoother.smooth(boxes)
    assert np.array_equal(boxes, noisy(20))
    assert np.array_equal(smoother.smooth(boxes), first)


def test_smoothing_changes_the_boxes() -> None:
    """The thesis's wrote beside the boxes and changed nothing."""
    boxes = noisy(20)
    assert np.allclose(MovingAverage(window_frames=5).smooth(boxes)[10], boxes[8:13].mean(0), atol=1e-2)


def test_the_filter_is_the_librarys() -> None:
    """Weights are asked for once a length; beyond their reach those of the middle are used again."""
    import simdkalman

    boxes = noisy(200)
    kalman = simdkalman.KalmanFilter(np.array([[1, 1], [0, 1]]), np.array([[1 / 3, 1 / 2], [1 / 2, 1]]), np.array([[1, 0]]), 9.0)
    expected = kalman.smooth((boxes - boxes[0]).T, initial_value=np.zeros(2), initial_covariance=1e6 * np.eye(2)).states.mean[:, :, 0].T
    assert np.allclose(Kalman(noise_ratio=3).smooth(boxes), expected + boxes[0], atol=1e-2)


@pytest.mark.parametrize("smoother", [MovingAverage, SavitzkyGolay])
def test_an_even_window_is_refused(smoother) -> None:
    """It would move every box half a frame back."""
    with pytest.raises(ValueError, match="must be odd"):
        smoother(window_frames=4)


@pytest.mark.parametrize("motion", MOTIONS)
def test_made_up_tracks_are_like_found_ones(motion) -> None:
    random = np.random.default_rng(5)
    for length in (1, 2, 30, 400):
        track = draw_trajectory(random, length, motion)
        assert track.truth.shape == track.boxes.shape == (length, 4)
        assert np.isfinite(track.boxes).all()
        assert (track.truth[:, 2:] > track.truth[:, :2]).all()
        sizes = np.sqrt(np.prod(track.truth[:, 2:] - track.truth[:, :2], axis=1, keepdims=True))
        assert np.median(np.abs(track.boxes - track.truth) / sizes) < 0.15
