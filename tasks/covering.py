"""Putting the cover on frames, in the decoder's own planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import av
import numpy as np

from tasks.blurs.regions import Blur, CoveredFace
from tasks.faces import FaceBox
from tasks.marks import Marks, draw
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
        for plane in planes(picture):
            for box, anchor in zip(boxes, anchors, strict=True):
                blur.cover(plane, CoveredFace(FaceBox(*box), FaceBox(*anchor), rotation_degrees))
        draw(marked, planes(picture), rotation_degrees)
        yield picture


def steadied(cover: Cover) -> Cover:
    """The same faces with the trembling of each track's boxes smoothed away; a face that moves or grows evenly is followed without lag."""
    from scipy.signal import savgol_filter  # SciPy takes a second to load

    boxes = cover.boxes.copy()
    for track in np.unique(cover.tracks):
        own = np.flatnonzero(cover.tracks == track)
        window = min(_STEADY_FRAMES, len(own) - (len(own) + 1) % 2)
        if window > 1:
            boxes[own] = savgol_filter(boxes[own], window, polyorder=1, axis=0, mode="interp")
    return replace(cover, boxes=boxes)
