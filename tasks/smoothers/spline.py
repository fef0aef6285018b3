"""A smoothing spline that jumps do not pull."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Floats
from tasks.method import Method

_LEAST_FRAMES = 5  # that SciPy fits a spline to
_TREMBLE = 0.02  # of a face's size: as far as a found box is off in the middle; what is off by more counts less


class Spline(Method):
    """The smoothest curves near the boxes (Reinsch 1967), fitted twice: a box far off the first fit counts little in the second.

    Shorter tracks than five frames stay as they are.
    """

    method: Literal["spline"] = "spline"
    stiffness: float = Field(6, gt=0, le=1e6, description="how much smoothness counts beside nearness, in frames to the third power")

    def smooth(self, boxes: Floats) -> Floats:
        from scipy.interpolate import make_smoothing_spline

        if len(boxes) < _LEAST_FRAMES:
            return boxes
        frames = np.arange(len(boxes), dtype=np.float64)
        first = make_smoothing_spline(frames, boxes.astype(np.float64), lam=self.stiffness)(frames)
        sizes = np.maximum(np.sqrt(np.prod(np.maximum(first[:, 2:] - first[:, :2], 1), axis=1)), 1)
        off = np.abs(boxes - first).max(axis=1) / (_TREMBLE * sizes)
        weights = 1 / (1 + (off / 2) ** 2)  # of Cauchy, whose scale for normal errors is about twice theirs
        return np.asarray(make_smoothing_spline(frames, boxes.astype(np.float64), w=weights, lam=self.stiffness)(frames), np.float32)
