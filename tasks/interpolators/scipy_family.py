"""The boxes between two looks, through SciPy: the thesis's family."""

from __future__ import annotations

from typing import Literal, Protocol

import numpy as np
from pydantic import Field

from tasks.faces import Floats, Ints
from tasks.method import Method


class Interpolator(Protocol):
    """Fills in the boxes of frames that were not looked at."""

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        """Boxes, (M, 4), at the wanted frames, all within the known ones: frames (N,), increasing, boxes (N, 4)."""


class Pchip(Method):
    """Monotone cubic: smooth, and never beyond the looks that it joins (Fritsch and Carlson 1980)."""

    method: Literal["pchip"] = "pchip"

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        from scipy import interpolate  # SciPy takes a second to load

        return _filled(interpolate.PchipInterpolator, frames, boxes, wanted)


class Linear(Method):
    """Straight lines."""

    method: Literal["linear"] = "linear"

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        return np.stack([np.interp(wanted, frames, side) for side in boxes.T], 1).astype(np.float32)


class Nearest(Method):
    """The nearest look's box."""

    method: Literal["nearest"] = "nearest"

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        after = np.clip(np.searchsorted(frames, wanted), 1, max(1, len(frames) - 1))
        before = after - 1
        after = np.minimum(after, len(frames) - 1)
        return boxes[np.where(wanted - frames[before] <= frames[after] - wanted, before, after)]


class CubicSpline(Method):
    """Twice differentiable cubics; may swing beyond the looks."""

    method: Literal["cubic_spline"] = "cubic_spline"

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        from scipy import interpolate

        return _filled(interpolate.CubicSpline, frames, boxes, wanted)


class Polynomial(Method):
    """A spline of a chosen degree through the looks."""

    method: Literal["polynomial"] = "polynomial"
    degree: int = Field(2, ge=1, le=5, description="of each piece; fewer looks than this lower it")

    def fill(self, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
        from scipy import interpolate

        degree = min(self.degree, len(frames) - 1)
        return _filled(lambda x, y: interpolate.make_interp_spline(x, y, k=degree), frames, boxes, wanted)


def _filled(family: object, frames: Ints, boxes: Floats, wanted: Ints) -> Floats:
    if len(frames) == 1:
        return np.repeat(boxes, len(wanted), axis=0)
    return np.asarray(family(frames, boxes)(wanted), np.float32)  # type: ignore[operator]
