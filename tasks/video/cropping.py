"""A part of a decoded picture, cut out of its planes: what is not looked at is never converted."""

from __future__ import annotations

from typing import NamedTuple

import av
import numpy as np

from tasks.faces import Floats
from tasks.video.planes import as_planar, planes

_STEP = 8  # pixels, a multiple of what one sample of any plane stands for


class Part(NamedTuple):
    """Pixels of a decoded picture; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        return self.right - self.left, self.bottom - self.top


def part_around(box: Floats, reach: float, width: int, height: int) -> Part:
    """What holds a box, (4,), and so many of its sizes around it, inside a picture of that width and height; never nothing."""
    margin = reach * np.maximum(box[2:] - box[:2], 1)
    limits = np.array([width, height])
    low = np.clip(np.floor((box[:2] - margin) / _STEP) * _STEP, 0, np.maximum(0, (limits - 1) // _STEP * _STEP)).astype(int)
    high = np.minimum(np.maximum(np.ceil((box[2:] + margin) / _STEP) * _STEP, low + _STEP), limits).astype(int)
    return Part(*low.tolist(), *high.tolist())


def cut_out(frame: av.VideoFrame, part: Part) -> av.VideoFrame:
    """The part as a frame of its own, with the same colour tags; its left and top are multiples of 8."""
    source = as_planar(frame)
    if part == (0, 0, frame.width, frame.height):
        return source
    piece = av.VideoFrame(*part.size, source.format.name)
    for whole, small in zip(planes(source), planes(piece), strict=True):
        top, left = part.top // whole.vertical_step, part.left // whole.horizontal_step
        rows, columns = small.samples.shape
        small.samples[:] = whole.samples[top : top + rows, left : left + columns]
    piece.colorspace, piece.color_range = source.colorspace, source.color_range
    piece.color_primaries, piece.color_trc = source.color_primaries, source.color_trc
    return piece
