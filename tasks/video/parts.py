"""A video that is a part of another one."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.video.info import FrameIndex


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What a video is a part of: frames are counted from the part's first one, times from the whole's."""

    first: int
    """number in the whole of the part's first frame"""
    index: FrameIndex
    """of the whole"""
    duration_seconds: float
    """of the whole"""
