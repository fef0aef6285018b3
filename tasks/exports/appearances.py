"""What is told of a video to other programs: who is seen from when to when, and whether they are covered then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.choosing import Decision
from tasks.selectors.verdicts import Evidence
from tasks.tracks import Cover, Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """All that an export goes by.

    decisions: by person
    covered: a (N,) bool a track, row i is at the track's frames[i]
    """

    name: str
    """of the source"""
    info: VideoInfo
    index: FrameIndex
    tracks: Sequence[Track]
    decisions: dict[int, Decision]
    covered: list[npt.NDArray[np.bool_]]
    cover: Cover
    part: Part | None = None
    """what the video is a part of: frames are counted, and times taken, in the whole"""

    @property
    def first(self) -> int:
        """Number in the whole of the first frame."""
        return 0 if self.part is None else self.part.first

    @property
    def first_pts(self) -> int:
        """Of the whole."""
        return int((self.index if self.part is None else self.part.index).pts[0])

    def called(self, person: int) -> str:
        """By the name given by hand, or by the number in the report."""
        return self.decisions[person].called or f"person {person}"

    def seconds(self, frame: int) -> float:
        """When a frame appears, since the whole's first one; of the number after the last frame, when that one ends."""
        if frame == len(self.index):
            return self.seconds(0) + self.info.duration_seconds
        return float((int(self.index.pts[frame]) - self.first_pts) * self.info.time_base)


@dataclass(frozen=True, slots=True)
class Appearance:
    """A stretch, frames first to last, in which a face was seen and that is covered or kept throughout."""

    track: int
    person: int
    first: int
    last: int
    covered: bool


def told(name: str, evidence: Evidence, decisions: Sequence[Decision], cover: Cover) -> Told:
    """`cover` is that of all segments, with the numbers of the evidence's tracks; what is nobody's covers all in its pictures."""
    tracks, info, index = evidence.tracks, evidence.info, evidence.index
    order = np.argsort(cover.tracks, kind="stable")
    whole, *frames = np.split(cover.frames[order], np.searchsorted(cover.tracks[order], np.arange(len(tracks))))
    covered = [np.isin(track.frames, own) | np.isin(track.frames, whole) for track, own in zip(tracks, frames, strict=True)]
    return Told(name, info, index, tracks, {each.person: each for each in decisions}, covered, cover, evidence.part)


def appearances(of: Told) -> list[Appearance]:
    """In order of time. A face's lead-in and lead-out, guesses in which it was not seen, are left out."""
    return sorted(_appearances(of), key=lambda each: (each.first, each.track))


def _appearances(of: Told) -> Iterator[Appearance]:
    for number, (track, covered) in enumerate(zip(of.tracks, of.covered, strict=True)):
        rows = np.flatnonzero((track.frames >= track.first_seen) & (track.frames <= track.last_seen))
        for run in np.split(rows, np.flatnonzero(np.diff(covered[rows])) + 1):
            yield Appearance(number, track.person, int(track.frames[run[0]]), int(track.frames[run[-1]]), bool(covered[run[0]]))
