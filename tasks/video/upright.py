"""Between the decoded picture and the upright one that people (and detectors) look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

Rotation = Literal[0, 90, 180, 270]


def rotation_of(matrix: Sequence[int] | None) -> Rotation:
    """Degrees clockwise that a display matrix turns the decoded picture, to the nearest quarter.

    Taken from where the picture's own downward direction goes, so that a mirrored picture is turned head up too.
    """
    if matrix is None or (matrix[3] == 0 and matrix[4] == 0):
        return 0
    degrees = math.degrees(math.atan2(-matrix[3], matrix[4]))
    return cast(Rotation, round(degrees / 90) % 4 * 90)


def upright_size(width: int, height: int, rotation_degrees: int) -> tuple[int, int]:
    """Width and height of the upright picture of a decoded one."""
    return (height, width) if rotation_degrees in (90, 270) else (width, height)


def upright_bgr(frame: av.VideoFrame, rotation_degrees: int, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """The picture as (H, W, 3) uint8, blue first, head up; `size` is the width and height wanted of the upright picture."""
    width, height = upright_size(*size, rotation_degrees) if size else (frame.width, frame.height)
    # Scaling down, the mean over the area keeps small faces whole; a picture of the same size is only converted.
    smaller = width < frame.width or height < frame.height
    # A frame's own reformatter may not be used by two threads at once; and threads of its own cost more than they save.
    scaled = VideoReformatter().reformat(frame, width, height, "bgr24", interpolation="AREA" if smaller else "BILINEAR", threads=1)
    pixels = cast(npt.NDArray[np.uint8], scaled.to_ndarray())
    return np.ascontiguousarray(np.rot90(pixels, -rotation_degrees // 90))


def to_upright(points_xy: npt.NDArray[Any], width: int, height: int, rotation_degrees: int) -> npt.NDArray[Any]:
    """Points (..., 2) of the decoded picture of that width and height, on the upright one. Pixel corners, not centres: 0 to width.

    >>> to_upright(np.array([[0.0, 0.0]]), 4, 2, 90)
    array([[2., 0.]])
    """
    x, y = points_xy[..., 0], points_xy[..., 1]
    turned = {0: (x, y), 90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[rotation_degrees]
    return np.stack(turned, axis=-1)


def to_decoded(points_xy: npt.NDArray[Any], width: int, height: int, rotation_degrees: int) -> npt.NDArray[Any]:
    """The inverse of `to_upright`; `width` and `height` are still those of the decoded picture."""
    return to_upright(points_xy, *upright_size(width, height, rotation_degrees), -rotation_degrees % 360)


def boxes_to_upright(boxes: npt.NDArray[Any], width: int, height: int, rotation_degrees: int) -> npt.NDArray[Any]:
    """Boxes (N, 4), left, top, right, bottom, of the decoded picture, on the upright one."""
    corners = to_upright(boxes.reshape(-1, 2, 2), width, height, rotation_degrees)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=-1)


def boxes_to_decoded(boxes: npt.NDArray[Any], width: int, height: int, rotation_degrees: int) -> npt.NDArray[Any]:
    """The inverse of `boxes_to_upright`; `width` and `height` are still those of the decoded picture."""
    return boxes_to_upright(boxes, *upright_size(width, height, rotation_degrees), -rotation_degrees % 360)
