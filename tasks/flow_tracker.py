"""One step of a face on two pictures: a grid of points moved by optical flow, there and back, and what most of them say.

Median flow (Kalal, Mikolajczyk and Matas, ICPR 2010) on OpenCV's pyramidal Lucas-Kanade.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.faces import Floats

Grey = npt.NDArray[np.uint8]

_AROUND = 1.0  # of a face's size: what of the pictures is looked at
_GRID = np.stack(np.meshgrid(np.linspace(0.14, 0.86, 9), np.linspace(0.14, 0.86, 9)), 2).reshape(-1, 2)
_GRID = _GRID[np.hypot(*(_GRID - 0.5).T) < 0.42].astype(np.float32)  # inside the face, where no background is
_FEWEST_POINTS = 10
_THERE_AND_BACK = 0.03  # of a face's size: how near a point has to come to where it began
_COHERENT = 0.08  # of a face's size: how far half of the points may move from what all do
_FARTHEST = 0.6  # of a face's size, in a frame
_GROWS = 1.06  # or shrinks, in a frame
_ALIKE = 0.55  # correlation of the face in two neighbouring frames
_PATCH = 24


def moved(before: Grey, after: Grey, box: Floats) -> Floats | None:
    """(4,) where the face in `box`, (4,), in pixels of both pictures, is in the later one; None where it is lost."""
    size = float(np.sqrt(max(1.0, (box[2] - box[0]) * (box[3] - box[1]))))
    height, width = before.shape
    corner = np.clip(np.floor(box[:2] - _AROUND * size), 0, [width, height]).astype(int)
    end = np.clip(np.ceil(box[2:] + _AROUND * size), 0, [width, height]).astype(int)
    if (end - corner).min() < 8:
        return None
    here, there = (np.ascontiguousarray(each[corner[1] : end[1], corner[0] : end[0]]) for each in (before, after))
    points = box[:2] + _GRID * (box[2:] - box[:2])
    points = (points[np.all((points >= 1) & (points < [width - 1, height - 1]), axis=1)] - corner).astype(np.float32)
    if len(points) < _FEWEST_POINTS:
        return None
    window = int(np.clip(size / 3, 7, 21)) | 1
    arrived, found = _carried(here, there, points, window)
    back, found_back = _carried(there, here, arrived, window)
    good = found & found_back & (np.linalg.norm(back - points, axis=1) < max(0.5, _THERE_AND_BACK * size))
    if np.count_nonzero(good) < _FEWEST_POINTS:
        return None
    points, arrived = points[good], arrived[good]
    shift = np.median(arrived - points, axis=0)
    off = np.median(np.abs(arrived - points - shift).max(1))
    if off > _COHERENT * size or np.abs(shift).max() > _FARTHEST * size:
        return None
    middle, middle_after = np.median(points, axis=0), np.median(arrived, axis=0)
    spread = np.linalg.norm(points - middle, axis=1)
    scale = float(np.clip(np.median(np.linalg.norm(arrived - middle_after, axis=1)[spread > 0] / spread[spread > 0]), 1 / _GROWS, _GROWS))
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    centre = centre + shift + (scale - 1) * (centre - corner - middle)
    result = np.concatenate([centre - scale * half, centre + scale * half]).astype(np.float32)
    return result if alike(patch(before, box), patch(after, result)) >= _ALIKE else None


def _carried(before: Grey, after: Grey, points: Floats, window: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Where points, (N, 2), went, and whether that is known."""
    no_guess: Any = None
    arrived, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, no_guess, winSize=(window, window), maxLevel=3)
    return np.asarray(arrived, np.float32), np.asarray(found[:, 0] > 0)


def patch(picture: Grey, box: Floats) -> Floats:
    """(24, 24): what is in the box; beyond the picture its edge goes on."""
    scale = (_PATCH / np.maximum(box[2:] - box[:2], 1)).tolist()
    matrix = np.array([[scale[0], 0, -scale[0] * box[0]], [0, scale[1], -scale[1] * box[1]]], np.float32)
    flags = cv2.INTER_LINEAR
    return cv2.warpAffine(picture, matrix, (_PATCH, _PATCH), flags=flags, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def alike(one: Floats, other: Floats) -> float:
    """Correlation of two patches; 1 where either has no texture to tell by."""
    one, other = one - one.mean(), other - other.mean()
    energy = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / energy if energy > _PATCH**2 else 1.0
