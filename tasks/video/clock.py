"""The source's clock: where it starts again or leaps, what follows goes on from what was before, sound and picture alike.

The limits are those of FFmpeg's own tools: a clock that goes back by more than a tenth of a second, or leaps by more than ten where a kind
of file may do so, was set anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tasks.method import Settings

_BACK_SECONDS = Fraction(1, 10)
_LEAP_SECONDS = Fraction(10)
_SAME_JUMP_SECONDS = Fraction(1)  # within which sound and picture jump alike
_MAY_LEAP = {"mpegts", "mpeg", "flv"}


class ClockJump(Settings):
    """Where a source's clock was set anew."""

    frame: int
    """the first one after it"""
    seconds: Fraction
    """when that is shown, by the clock as it was before"""
    moved_seconds: Fraction
    """what is added to the source's times from there on"""


def is_jump(step_seconds: Fraction, container: str) -> bool:
    """Whether a clock that went on by so much from one packet or frame to the next was set anew."""
    return step_seconds < -_BACK_SECONDS or (container in _MAY_LEAP and step_seconds > _LEAP_SECONDS)


def going_on(times: Sequence[int], step: int, unit: Fraction, container: str) -> tuple[list[int], tuple[ClockJump, ...]]:
    """Times of frames in order of presentation, in `unit`s, strictly increasing: those after a jump go on a `step` after those before it.

    Smaller disorder moves the frames that it concerns, and no others.
    """
    mended: list[int] = []
    jumps: list[ClockJump] = []
    moved, before = 0, None
    for frame, time in enumerate(times):
        here = time + moved
        if before is not None and is_jump((time - before) * unit, container):
            here = mended[-1] + step
            moved = here - time
            jumps.append(ClockJump(frame=frame, seconds=here * unit, moved_seconds=moved * unit))
        before = time
        mended.append(here if not mended else max(here, mended[-1] + 1))
    return mended, tuple(jumps)


class Clock:
    """Brings the times of one stream that is copied packet by packet onto the picture's clock."""

    def __init__(self, jumps: Sequence[ClockJump], container: str) -> None:
        self._jumps, self._container = jumps, container
        self._moved = Fraction(0)
        self._before: Fraction | None = None
        self._end = Fraction(0)

    def moved(self, seconds: Fraction, duration_seconds: Fraction) -> Fraction:
        """What is added to a packet's time: as much as to the pictures', where they jump alike, or as much as it takes to go on."""
        if self._before is not None and is_jump(seconds - self._before, self._container):
            own = self._end - seconds
            alike = [jump.moved_seconds for jump in self._jumps if abs(jump.moved_seconds - own) <= _SAME_JUMP_SECONDS]
            self._moved = min(alike, key=lambda moved: abs(moved - own), default=own)
        self._before = seconds
        self._end = seconds + self._moved + duration_seconds
        return self._moved
