"""Which samples of a plane a face's cover takes, and how much of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tasks.faces import FaceBox, Floats
from tasks.video.planes import Plane, Samples
from tasks.video.upright import Rotation

_WIDTH_OF_HEIGHT = 0.75  # of a narrow face, seen from the front


@dataclass(frozen=True, slots=True)
class CoveredFace:
    """A face to be hidden.

    box: what has to be hidden, in pixels of the decoded picture; may reach beyond it
    steady: the same face's box without its trembling from frame to frame: an anchor for what must not shimmer
    rotation_degrees: clockwise, by which the decoded picture is turned to be upright
    """

    box: FaceBox
    steady: FaceBox
    rotation_degrees: Rotation = 0

    def size(self, box: FaceBox) -> float:
        """The width, in pixels, of the face in one of its boxes; of a narrow one, in profile, the width that it has from the front."""
        across, down = (box.height, box.width) if self.rotation_degrees in (90, 270) else (box.width, box.height)
        return max(across, _WIDTH_OF_HEIGHT * down)

    def reach(self, expand: float, hair: float = 0.0) -> FaceBox:
        """Its box, larger by `expand` of its width and height on every side, and by `hair` of its height beyond the forehead."""
        reach = expanded(self.box, expand)
        match self.rotation_degrees:
            case 0:
                return FaceBox(reach.left, reach.top - hair * self.box.height, reach.right, reach.bottom)
            case 90:
                return FaceBox(reach.left - hair * self.box.width, reach.top, reach.right, reach.bottom)
            case 180:
                return FaceBox(reach.left, reach.top, reach.right, reach.bottom + hair * self.box.height)
            case 270:
                return FaceBox(reach.left, reach.top, reach.right + hair * self.box.width, reach.bottom)


class Blur(Protocol):
    """Makes a face unrecognisable, plane by plane."""

    def cover(self, plane: Plane, face: CoveredFace) -> None:
        """Blurs a face in place."""


def expanded(box: FaceBox, by: float) -> FaceBox:
    """The box, larger by a share of its width and height on every side."""
    return FaceBox(box.left - by * box.width, box.top - by * box.height, box.right + by * box.width, box.bottom + by * box.height)


def window(plane: Plane, box: FaceBox) -> tuple[slice, slice]:
    """Rows and columns of a plane that hold the part of the box that is inside the picture."""
    height, width = plane.samples.shape
    top, bottom = np.clip([np.floor(box.top / plane.vertical_step), np.ceil(box.bottom / plane.vertical_step)], 0, height).astype(int)
    left, right = np.clip([np.floor(box.left / plane.horizontal_step), np.ceil(box.right / plane.horizontal_step)], 0, width).astype(int)
    return slice(top, bottom), slice(left, right)


def middles(samples: slice, step: int) -> npt.NDArray[np.float64]:
    """Where the middles of rows or columns of a plane are, in pixels of the picture."""
    return (np.arange(samples.start, samples.stop) + 0.5) * step


def ellipse(plane: Plane, rows: slice, columns: slice, box: FaceBox, feather: float) -> Floats:
    """(H, W) float32: 1 inside the ellipse that the box holds, falling to 0 outside it over a share `feather` of its radius."""
    x, y = (
        (2 * middles(samples, step) - first - after) / (after - first)  # from the middle, in radii
        for samples, step, first, after in (
            (columns, plane.horizontal_step, box.left, box.right),
            (rows, plane.vertical_step, box.top, box.bottom),
        )
    )
    # Falls with the square of the radius, which saves its root.
    outer = (1 + feather) ** 2
    share = np.subtract.outer((outer - y * y).astype(np.float32), (x * x).astype(np.float32))
    share *= np.float32(1 / (outer - 1))
    return np.asarray(np.clip(share, 0, 1, out=share), np.float32)


def blend(region: Samples, blurred: npt.NDArray[np.generic], share: Floats) -> None:
    """Puts `blurred` over a region, in place, by its share of each sample."""
    mixed = np.subtract(blurred, region, dtype=np.float32)
    mixed *= share
    mixed += region
    mixed += 0.5  # samples are cut off, not rounded
    region[:] = mixed
