"""A Kalman filter forwards and backwards."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Floats
from tasks.method import Method

_REACH_FRAMES = 129  # odd; by its middle, what the ends do to the weights has faded below a thousandth
_UNKNOWN = 1e6  # variance of where a face is, and how it moves, before the first box


class Kalman(Method):
    """Each side moves at a speed that changes at random (Kalman 1960; backwards as by Rauch, Tung and Striebel 1965).

    How boxes weigh in one another depends on `noise_ratio` and the track's length alone, so the library is asked for the weights, not
    for every track: it takes a tenth of a second for each.
    """

    method: Literal["kalman"] = "kalman"
    noise_ratio: float = Field(
        3, gt=0, le=30, description="how much a found box trembles, beside how much a face's speed changes in a frame; more is steadier"
    )

    def smooth(self, boxes: Floats) -> Floats:
        from scipy.ndimage import correlate1d

        middle = boxes.mean(axis=0, dtype=np.float64)
        around = boxes - middle
        if len(boxes) <= _REACH_FRAMES:
            return np.asarray(_weights(len(boxes), self.noise_ratio) @ around + middle, np.float32)
        weights, half = _weights(_REACH_FRAMES, self.noise_ratio), _REACH_FRAMES // 2
        smooth = correlate1d(around, weights[half], axis=0)
        smooth[:half] = weights[:half] @ around[:_REACH_FRAMES]
        smooth[-half:] = weights[-half:] @ around[-_REACH_FRAMES:]
        return np.asarray(smooth + middle, np.float32)


@cache
def _weights(num_frames: int, noise_ratio: float) -> npt.NDArray[np.float64]:
    """(N, N), row i is how much the box of each frame counts in the smoothed box of frame i: the filter's answers to single impulses."""
    import simdkalman

    kalman = simdkalman.KalmanFilter(
        state_transition=np.array([[1, 1], [0, 1]]),
        process_noise=np.array([[1 / 3, 1 / 2], [1 / 2, 1]]),
        observation_model=np.array([[1, 0]]),
        observation_noise=noise_ratio**2,
    )
    smoothed = kalman.smooth(np.eye(num_frames), initial_value=np.zeros(2), initial_covariance=_UNKNOWN * np.eye(2), observations=False)
    return np.asarray(smoothed.states.mean[:, :, 0].T, np.float64)
