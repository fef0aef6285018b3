"""A film's own clock: hours, minutes, seconds and frames (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from fractions import Fraction

_TIMECODE = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;])(\d{2,3})")


def is_timecode(text: str) -> bool:
    """Whether it is written as one."""
    return _TIMECODE.fullmatch(text) is not None


def timecode_after(timecode: str, num_frames: int, frame_rate: Fraction) -> str:
    """The timecode so many frames later; with ; before the frames, numbers are dropped so that the clock keeps up with the day.

    >>> timecode_after("01:00:00:00", 30, Fraction(25))
    '01:00:01:05'
    >>> timecode_after("00:00:59;29", 1, Fraction(30000, 1001))
    '00:01:00;02'
    """
    found = _TIMECODE.fullmatch(timecode)
    if found is None:
        raise ValueError(f"{timecode!r} is no timecode")
    hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
    rate = round(frame_rate)
    # Two numbers in thirty are left out at the start of each minute but every tenth.
    dropped = rate // 15 if found[4] == ";" else 0
    whole_minutes = hours * 60 + minutes
    number = (whole_minutes * 60 + seconds) * rate + frames - dropped * (whole_minutes - whole_minutes // 10)
    number += num_frames
    per_minute, per_ten = 60 * rate - dropped, 600 * rate - 9 * dropped
    number %= 144 * per_ten
    if dropped:
        tens, rest = divmod(number, per_ten)
        number += dropped * (9 * tens + max(0, rest - dropped) // per_minute)
    frames, total_seconds = number % rate, number // rate
    return f"{total_seconds // 3600:02}:{total_seconds // 60 % 60:02}:{total_seconds % 60:02}{found[4]}{frames:02}"
