"""Which samples of a plane a face's cover takes, and how much of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from tasks.faces import FaceBox
from tasks.video.planes import Plane, Samples
from tasks.video.upright import Rotation

Place = tuple[slice, slice]
"""rows and columns of a plane"""

Part = tuple[Sequence[Plane], Place]
"""planes of the same size, and a place in each of them"""

Shares = npt.NDArray[np.int16]
"""how much of each sample is covered, from 0 to WHOLE"""

Shown = Callable[[slice], npt.NDArray[Any]]
"""gives some rows of a place, counted from its first, as they are shown; or one value for all; whole numbers"""

WHOLE = 128  # times any difference of 8-bit samples is still a 16-bit number
_FAR = 1 << 14  # where the cover has ended, in scaled squares
_STRIP_BYTES = 60_000  # of samples, worked on at once: they stay in a core's cache, and in memory that is not given back each time
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
    """Makes a face unrecognisable."""

    def cover(self, planes: Sequence[Plane], face: CoveredFace) -> None:
        """Blurs a face in all planes of a picture, in place."""


def alike(planes: Sequence[Plane]) -> Iterator[list[Plane]]:
    """The planes together that are of the same size: luma, both of chroma."""
    return (list(group) for _, group in groupby(planes, key=lambda plane: plane.samples.shape))


def expanded(box: FaceBox, by: float) -> FaceBox:
    """The box, larger by a share of its width and height on every side."""
    return FaceBox(box.left - by * box.width, box.top - by * box.height, box.right + by * box.width, box.bottom + by * box.height)


def window(plane: Plane, box: FaceBox) -> Place:
    """Rows and columns of a plane that hold the part of the box that is inside the picture."""
    height, width = plane.samples.shape
    rows = _between(box.top / plane.vertical_step, box.bottom / plane.vertical_step, height)
    return rows, _between(box.left / plane.horizontal_step, box.right / plane.horizontal_step, width)


def _between(first: float, after: float, length: int) -> slice:
    start, stop = (min(max(end, 0), length) for end in (math.floor(first), math.ceil(after)))
    return slice(start, stop)


class Ellipse:
    """The ellipse that a box holds, on a place of a plane; outside it falls off over a share `feather` of its radius."""

    def __init__(self, plane: Plane, place: Place, box: FaceBox, feather: float) -> None:
        # Falls with the square of the radius, which saves its root.
        outer = (1 + feather) ** 2
        scale = WHOLE / (outer - 1)
        y = _squares(place[0], plane.vertical_step, box.top, box.bottom, scale)
        self._down, self._across = round(outer * scale) - y, _squares(place[1], plane.horizontal_step, box.left, box.right, scale)

    def share(self, rows: slice) -> Shares:
        """(H, W), of some rows of the place, counted from its first: WHOLE inside the ellipse, 0 far outside."""
        share = np.subtract.outer(self._down[rows], self._across)
        cv2.threshold(share, WHOLE, 0, cv2.THRESH_TRUNC, share)
        cv2.threshold(share, 0, 0, cv2.THRESH_TOZERO, share)
        return share


def _squares(samples: slice, step: int, first: float, after: float, scale: float) -> Shares:
    """The scaled squares of how far samples are from the middle between two sides, in units of half their distance."""
    way = np.arange(samples.stop - samples.start, dtype=np.float32)
    way *= step * 2 / (after - first)
    way += ((samples.start + 0.5) * step - (first + after) / 2) * 2 / (after - first)
    way *= way
    way *= scale
    return np.minimum(way, _FAR).astype(np.int16)


def strips(region: Samples) -> Iterator[slice]:
    """The rows of a part of a plane, some at a time."""
    height, width = region.shape
    step = max(1, _STRIP_BYTES // (width * region.itemsize))
    return (slice(first, min(first + step, height)) for first in range(0, height, step))


def difference_type(samples: Samples) -> type[np.int16 | np.int32]:
    """In which differences of samples have room, WHOLE times."""
    return np.int16 if samples.dtype == np.uint8 else np.int32


def blend(region: Samples, shown: npt.NDArray[Any], share: Shares) -> None:
    """Puts `shown` over a region, in place, by its share of each sample."""
    was = region.astype(difference_type(region))
    mixed = shown - was
    mixed *= share
    mixed += WHOLE // 2
    mixed >>= WHOLE.bit_length() - 1
    mixed += was
    region[:] = mixed
