"""Putting the cover on frames, in the decoder's own planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import av
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tasks.blurs.boxes import draw
from tasks.blurs.regions import Blur, CoveredFace
from tasks.faces import FaceBox, Floats
from tasks.marks import Marks
from tasks.tracks import Cover
from tasks.video.planes import as_planar, editable, planes
from tasks.video.upright import Rotation

_STEADY_FRAMES = 15  # over which the trembling of a box is smoothed away; odd


def covered_frames(
    frames: Iterable[tuple[int, av.VideoFrame]],
    cover: Cover,
    blur: Blur,
    rotation_degrees: Rotation = 0,
    marks: Marks | None = None,
    mirrored: bool = False,
) -> Iterator[av.VideoFrame]:
    """The frames with their cover's faces blurred, and marks drawn over them.

    Outside of the two nothing is touched, and frames without either not at all.
    """
    steady = steadied(cover)
    for number, frame in frames:
        boxes, anchors = cover.at(number).boxes.tolist(), steady.at(number).boxes.tolist()
        marked = marks.at(number) if marks else []
        if not boxes and not marked:
            yield frame
            continue
        picture = editable(as_planar(frame))
        editable_planes = planes(picture)
        for box, anchor in zip(boxes, anchors, strict=True):
            blur.cover(editable_planes, CoveredFace(FaceBox(*box), FaceBox(*anchor), rotation_degrees))
        if marked:
            draw(marked, editable_planes, rotation_degrees, mirrored)
        yield picture


def steadied(cover: Cover) -> Cover:
    """The same faces with the trembling of each track's boxes smoothed away; one that moves or grows evenly is followed without lag."""
    boxes = cover.boxes.copy()
    for track in np.unique(cover.tracks):
        own = np.flatnonzero(cover.tracks == track)
        boxes[own] = _on_lines(boxes[own])
    return replace(cover, boxes=boxes)


def _on_lines(boxes: Floats) -> Floats:
    """Each box put on the line through those around it, least squares: their mean, except at both ends."""
    size = min(len(boxes), _STEADY_FRAMES)
    windows = sliding_window_view(boxes, size, axis=0)  # (N - size + 1, 4, size)
    at = np.arange(size) - (size - 1) / 2
    slopes = windows @ at / max(at @ at, 1)
    nearest = np.clip(np.arange(len(boxes)) - size // 2, 0, len(windows) - 1)
    off_middle = np.arange(len(boxes)) - nearest - (size - 1) / 2
    return np.asarray(windows.mean(axis=-1)[nearest] + slopes[nearest] * off_middle[:, None], np.float32)
