"""Steadier boxes: filters over a track. What a filter uncovers is put back by the stage, so none has to be careful."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

import numpy as np
from pydantic import AfterValidator, Field

from tasks.faces import Floats
from tasks.method import Method


class Smoother(Protocol):
    """Makes a track steadier."""

    def smooth(self, boxes: Floats) -> Floats:
        """Steadier boxes, (N, 4), of consecutive frames."""


def _odd(window_frames: int) -> int:
    if window_frames % 2 == 0:
        raise ValueError("must be odd, so that it has a middle")
    return window_frames


Odd = Annotated[int, AfterValidator(_odd)]


class MovingAverage(Method):
    """Mean over a centred window; the ends repeat. The thesis's way, without its lag."""

    method: Literal["moving_average"] = "moving_average"
    window_frames: Odd = Field(5, ge=1, le=99, description="odd; 1 changes nothing")

    def smooth(self, boxes: Floats) -> Floats:
        from scipy.ndimage import uniform_filter1d  # SciPy takes a second to load

        return np.asarray(uniform_filter1d(boxes, self.window_frames, axis=0, mode="nearest"), np.float32)


class SavitzkyGolay(Method):
    """A polynomial fitted over a centred window (Savitzky and Golay 1964): follows quick moves more closely than a mean."""

    method: Literal["savitzky_golay"] = "savitzky_golay"
    window_frames: Odd = Field(9, ge=3, le=99, description="odd")
    degree: int = Field(2, ge=1, le=5, description="of the polynomial; less than the window")

    def smooth(self, boxes: Floats) -> Floats:
        from scipy.signal import savgol_filter

        window = min(self.window_frames, len(boxes)) - (min(self.window_frames, len(boxes)) + 1) % 2
        if window <= self.degree:
            return boxes
        return np.asarray(savgol_filter(boxes, window, self.degree, axis=0, mode="nearest"), np.float32)


class NoSmoothing(Method):
    """Boxes as they were found and filled in."""

    method: Literal["none"] = "none"

    def smooth(self, boxes: Floats) -> Floats:
        return boxes
