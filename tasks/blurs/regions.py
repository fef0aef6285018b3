"""Which samples of a plane a face's cover takes, and how much of each."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from tasks.faces import FaceBox, Floats
from tasks.video.planes import Plane, Samples


class Blur(Protocol):
    """Makes a face unrecognisable, plane by plane."""

    def cover(self, plane: Plane, face: FaceBox) -> None:
        """Blurs a face in place; its box is in pixels of the picture, and may reach beyond it."""


def expanded(box: FaceBox, by: float) -> FaceBox:
    """The box, larger by a share of its width and height on every side."""
    return FaceBox(box.left - by * box.width, box.top - by * box.height, box.right + by * box.width, box.bottom + by * box.height)


def window(plane: Plane, box: FaceBox) -> tuple[slice, slice]:
    """Rows and columns of a plane that hold the part of the box that is inside the picture."""
    height, width = plane.samples.shape
    top, bottom = np.clip([np.floor(box.top / plane.vertical_step), np.ceil(box.bottom / plane.vertical_step)], 0, height).astype(int)
    left, right = np.clip([np.floor(box.left / plane.horizontal_step), np.ceil(box.right / plane.horizontal_step)], 0, width).astype(int)
    return slice(top, bottom), slice(left, right)


def ellipse(plane: Plane, rows: slice, columns: slice, box: FaceBox, feather: float) -> Floats:
    """(H, W) float32: 1 inside the ellipse that the box holds, falling to 0 outside it over a share `feather` of its radius."""
    x = _offsets(columns, plane.horizontal_step, box.left, box.right)
    y = _offsets(rows, plane.vertical_step, box.top, box.bottom)
    share = np.add.outer(y * y, x * x)
    np.sqrt(share, out=share)
    np.subtract(1 + feather, share, out=share)
    np.multiply(share, 1 / feather, out=share)
    return np.asarray(np.clip(share, 0, 1, out=share), np.float32)


def _offsets(samples: slice, step: int, first: float, after: float) -> Floats:
    """How far each sample is from the middle between two sides, in units of half their distance."""
    scale = 2 / (after - first)
    middles = (np.arange(samples.start, samples.stop) + 0.5) * step
    return np.asarray((middles - (first + after) / 2) * scale, np.float32)


def blend(region: Samples, blurred: npt.NDArray[np.generic], share: Floats) -> None:
    """Puts `blurred` over a region, in place, by its share of each sample."""
    mixed = np.subtract(blurred, region, dtype=np.float32)
    mixed *= share
    mixed += region
    mixed += 0.5  # samples are cut off, not rounded
    region[:] = mixed
