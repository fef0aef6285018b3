"""Putting the cover on frames, in the decoder's own planes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av

from tasks.blurs.regions import Blur
from tasks.faces import FaceBox
from tasks.tracks import Cover
from tasks.video.planes import as_planar, editable, planes


def covered_frames(frames: Iterable[tuple[int, av.VideoFrame]], cover: Cover, blur: Blur) -> Iterator[av.VideoFrame]:
    """The frames with their cover's faces blurred; outside of them nothing is touched, and frames without cover not at all."""
    for number, frame in frames:
        boxes = cover.at(number).boxes
        if not len(boxes):
            yield frame
            continue
        picture = editable(as_planar(frame))
        for plane in planes(picture):
            for box in boxes:
                blur.cover(plane, FaceBox(*map(float, box)))
        yield picture
