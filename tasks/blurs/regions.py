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
    x = ((np.arange(columns.start, columns.stop, dtype=np.float32) + 0.5) * plane.horizontal_step - (box.left + box.right) / 2) / (
        box.width / 2
    )
    y = ((np.arange(rows.start, rows.stop, dtype=np.float32) + 0.5) * plane.vertical_step - (box.top + box.bottom) / 2) / (box.height / 2)
    radius = np.sqrt(x[None, :] ** 2 + y[:, None] ** 2)
    return np.asarray(np.clip((1 + feather - radius) / max(feather, 1e-3), 0, 1), np.float32)


def blend(region: Samples, blurred: npt.NDArray[np.generic], share: Floats) -> None:
    """Puts `blurred` over a region, in place, by its share of each sample."""
    mixed = region + (blurred.astype(np.float32) - region) * share
    region[:] = np.rint(mixed).astype(region.dtype)
