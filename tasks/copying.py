"""Which frames have to be encoded anew, and which packets of the source can stay as they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tasks.faces import Ints
from tasks.method import Settings
from tasks.segments import Segment
from tasks.video.info import FrameIndex


class Stretch(Settings):
    """Consecutive frames that are encoded together, `first` to `last`, both included."""

    first: int
    last: int

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1


def stretches_of(segments: Sequence[Segment], index: FrameIndex, covered: Ints, *, copying: bool) -> list[tuple[Stretch, ...]]:
    """What of each segment has to be encoded: all of it, or, when copying, what is not in a group of pictures without a covered frame.

    covered: the frames that have any cover, anywhere in the video; a group that two segments share is copied if neither covers any of it.
    """
    untouched = index.groups >= 0
    untouched &= ~np.isin(index.groups, index.groups[covered]) & copying
    return [_runs(~untouched, segment.first, segment.last) for segment in segments]


def _runs(wanted: np.ndarray[tuple[int], np.dtype[np.bool_]], first: int, last: int) -> tuple[Stretch, ...]:
    """The runs of wanted frames from first to last."""
    steps = np.diff(wanted[first : last + 1].astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(steps == 1) + first, np.flatnonzero(steps == -1) + first - 1
    return tuple(Stretch(first=int(start), last=int(end)) for start, end in zip(starts, ends, strict=True))
