"""AVI, which knows no times: pictures and sound start together, and a picture lasts as long as any other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tasks.errors import BadOutput
from tasks.video.info import FrameIndex, VideoInfo

KEEPS_TIMES = "choose a name that ends in .mkv, which keeps times"
LATEST_SOUND_SECONDS = 0.1
"""how long after the first picture sound may start, without being heard too early"""

_STRAY = 0.25  # of a frame's duration, that a frame may be early or late


def check_even(info: VideoInfo, index: FrameIndex, target: object) -> None:
    """Raises BadOutput where pictures do not come at a constant rate."""
    seconds = (index.pts - index.pts[0]) * float(info.time_base)
    stray = np.abs(seconds - np.arange(len(index)) / float(info.frame_rate))
    # A clock of milliseconds, say, is not to be blamed on the pictures.
    allowed = _STRAY + min(_STRAY, float(info.time_base * info.frame_rate))
    if float(stray.max()) * float(info.frame_rate) > allowed:
        problem = f"AVI has one frame rate throughout, and frame {int(stray.argmax())} of this video does not come at it"
        raise BadOutput(target, problem, fix=KEEPS_TIMES)


def counted(info: VideoInfo, index: FrameIndex) -> tuple[VideoInfo, FrameIndex]:
    """The same frames with their numbers for times."""
    lasts = {"time_base": 1 / info.frame_rate, "duration_seconds": float(len(index) / info.frame_rate)}
    return info.model_copy(update=lasts), replace(index, pts=np.arange(len(index), dtype=np.int64))
