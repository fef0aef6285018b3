"""Points in time as people write them: a time, or a frame's number."""

from __future__ import annotations

import datetime
import re
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, BeforeValidator

from tasks.video.info import FrameIndex, VideoInfo

ROUNDING_SECONDS = 1e-4
"""a time that was written down with few digits still means the frame that it was read off"""

_FRAME = re.compile(r"(\d{1,12})f")


def seconds_of(text: str) -> float:
    """`90`, `90s`, `1:30` and `00:01:30.0` are the same. Raises ValueError."""
    if not re.fullmatch(r"(\d{1,12}:){0,2}\d{1,12}(\.\d+)?s?", text.strip()):
        raise ValueError(f"{text!r} is not a time")
    seconds = 0.0
    for part in text.strip().removesuffix("s").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def frame_from(text: str, info: VideoInfo, index: FrameIndex) -> int:
    """The first frame that is shown at a moment or after it: a number of 0 to the number of frames. Raises ValueError.

    The moment is a frame's number, such as `1500f`, or a time since the first frame.
    """
    if found := _FRAME.fullmatch(text.strip()):
        return min(int(found[1]), len(index))
    pts = index.pts[0] + (seconds_of(text) - ROUNDING_SECONDS) / float(info.time_base)
    return int(np.searchsorted(index.pts, pts, side="left"))


def _checked(text: str) -> str:
    if not _FRAME.fullmatch(text.strip()):
        try:
            seconds_of(text)
        except ValueError:
            raise ValueError("write a time, such as 62.5 or 1:02.5, or a frame's number, such as 1500f") from None
    return text.strip()


def _as_text(value: object) -> object:
    if isinstance(value, datetime.time):
        return value.isoformat()  # which is what TOML takes 00:01:02.5 for
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Moment = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked)]
"""A moment in a setting; a bare number is seconds."""
