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
    """Degrees clockwise that a display matrix turns the decoded picture, to the nearest quarter, before it mirrors it left to right.

    Taken from where the picture's own downward direction goes.
    """
    if matrix is None or (matrix[3] == 0 and matrix[4] == 0):
        return 0
    across = matrix[3] if is_mirrored(matrix) else -matrix[3]
    degrees = math.degrees(math.atan2(across, matrix[4]))
    return cast(Rotation, round(degrees / 90) % 4 * 90)


def is_mirrored(matrix: Sequence[int] | None) -> bool:
    """Whether the turned picture still has to be mirrored left to right: the matrix turns the picture over."""
    return matrix is not None and matrix[0] * matrix[4] - matrix[1] * matrix[3] < 0


def upright_size(width: int, height: int, rotation_degrees: int, mirrored: bool = False) -> tuple[int, int]:
    """Width and height of the upright picture of a decoded one; the same whether it is mirrored or not."""
    return (height, width) if rotation_degrees in (90, 270) else (width, height)


def upright_bgr(
    frame: av.VideoFrame, rotation_degrees: int, size: tuple[int, int] | None = None, mirrored: bool = False
) -> npt.NDArray[np.uint8]:
    """The picture as (H, W, 3) uint8, blue first, head up, right way round; `size`: the width and height wanted of the upright picture."""
    width, height = upright_size(*size, rotation_degrees) if size else (frame.width, frame.height)
    # Scaling down, the mean over the area keeps small faces whole; a picture of the same size is only converted.
    smaller = width < frame.width or height < frame.height
    # A frame's own reformatter may not be used by two threads at once; and threads of its own cost more than they save.
    scaled = VideoReformatter().reformat(frame, width, height, "bgr24", interpolation="AREA" if smaller else "BILINEAR", threads=1)
    turned = np.rot90(cast(npt.NDArray[np.uint8], scaled.to_ndarray()), -rotation_degrees // 90)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def to_upright(points_xy: npt.NDArray[Any], width: int, height: int, rotation_degrees: int, mirrored: bool = False) -> npt.NDArray[Any]:
    """Points (..., 2) of the decoded picture of that width and height, on the upright one. Pixel corners, not centres: 0 to width.

    >>> to_upright(np.array([[0.0, 0.0]]), 4, 2, 90)
    array([[2., 0.]])
    >>> to_upright(np.array([[0.0, 0.0]]), 4, 2, 90, True)
    array([[0., 0.]])
    """
    x, y = points_xy[..., 0], points_xy[..., 1]
    across, down = {0: (x, y), 90: (height - y, x), 180: (width - x, height - y), 270: (y, width - x)}[rotation_degrees]
    if mirrored:
        across = upright_size(width, height, rotation_degrees)[0] - across
    return np.stack((across, down), axis=-1)


def to_decoded(points_xy: npt.NDArray[Any], width: int, height: int, rotation_degrees: int, mirrored: bool = False) -> npt.NDArray[Any]:
    """The inverse of `to_upright`; `width` and `height` are still those of the decoded picture."""
    size = upright_size(width, height, rotation_degrees)
    if mirrored:
        points_xy = np.stack((size[0] - points_xy[..., 0], points_xy[..., 1]), axis=-1)
    return to_upright(points_xy, *size, -rotation_degrees % 360)


def boxes_to_upright(boxes: npt.NDArray[Any], width: int, height: int, rotation_degrees: int, mirrored: bool = False) -> npt.NDArray[Any]:
    """Boxes (N, 4), left, top, right, bottom, of the decoded picture, on the upright one."""
    return _around(to_upright(boxes.reshape(-1, 2, 2), width, height, rotation_degrees, mirrored))


def boxes_to_decoded(boxes: npt.NDArray[Any], width: int, height: int, rotation_degrees: int, mirrored: bool = False) -> npt.NDArray[Any]:
    """The inverse of `boxes_to_upright`; `width` and `height` are still those of the decoded picture."""
    return _around(to_decoded(boxes.reshape(-1, 2, 2), width, height, rotation_degrees, mirrored))


def _around(corners: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """(N, 4) of two opposite corners each, (N, 2, 2)."""
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=-1)
