"""People pointed at: whoever is seen there and then, wherever else they appear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from tasks.errors import BadPick
from tasks.faces import FaceBox
from tasks.method import Settings
from tasks.moments import ROUNDING_SECONDS
from tasks.selectors.likeness import ByLikeness
from tasks.selectors.verdicts import Evidence, Verdict
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part
from tasks.video.upright import boxes_to_upright

_NO_MATCH = Verdict("no match", None, None, "is seen together with everybody who was pointed at")


class Pick(Settings):
    """A point of a frame, in pixels of the upright picture; the frame by its number or its time."""

    frame: int | None = Field(None, ge=0, description="number, from 0")
    seconds: float | None = Field(None, ge=0, description="since the video's first frame")
    x: float = Field(ge=0)
    y: float = Field(ge=0)

    @model_validator(mode="after")
    def _one_time(self) -> Pick:
        if (self.frame is None) == (self.seconds is None):
            raise ValueError("give either frame or seconds")
        return self

    def __str__(self) -> str:
        when = f"frame {self.frame}" if self.seconds is None else f"{self.seconds:g} s"
        return f"({self.x:g}, {self.y:g}) at {when}"


class TimeAndPlace(ByLikeness):
    """The people seen at given frames and points, and all other tracks that show the same faces."""

    method: Literal["time_and_place"] = "time_and_place"
    picks: tuple[Pick, ...] = Field(min_length=1)

    def frames(self, info: VideoInfo, index: FrameIndex, part: Part | None = None) -> list[int]:
        """The number of the frame of each pick. Raises BadPick for one that is beyond the video's end, or outside of the part of it."""
        if part is None:
            return [_frame_of(pick, info, index) for pick in self.picks]
        whole = info.model_copy(update={"duration_seconds": part.duration_seconds})
        return [_within(pick, _frame_of(pick, whole, part.index) - part.first, info, index, part) for pick in self.picks]

    def meets(self, evidence: Evidence) -> list[int]:
        """The number of the track that each pick meets. Raises BadPick as `pick` does."""
        frames = self.frames(evidence.info, evidence.index, evidence.part)
        return [_track_at(evidence, pick, frame) for pick, frame in zip(self.picks, frames, strict=True)]

    def pick(self, evidence: Evidence) -> list[Verdict]:
        """A verdict a track. Raises BadPick for a point that meets no face, saying which are near."""
        tracks = evidence.tracks
        frames = self.frames(evidence.info, evidence.index, evidence.part)
        numbers = self.meets(evidence)
        picked = {number: str(pick) for number, pick in zip(numbers, self.picks, strict=True)}
        references = {
            name: tracks[number].embedding[None] for number, name in picked.items() if not np.isnan(tracks[number].embedding).any()
        }
        unknown = [frame for frame, number in zip(frames, numbers, strict=True) if np.isnan(tracks[number].embedding).any()]
        verdicts = (
            self.compare(evidence, references, {name: tracks[number].quality for number, name in picked.items()})
            if references
            else [_NO_MATCH] * len(tracks)
        )
        verdicts = [_or_unknown(verdict, track, unknown) for verdict, track in zip(verdicts, tracks, strict=True)]
        for number, name in picked.items():
            verdicts[number] = Verdict("match", name, 0.0, "was pointed at")
        return verdicts


def is_in(pick: Pick, info: VideoInfo, index: FrameIndex, part: Part | None) -> bool:
    """Whether the video, which may be a part of what was pointed at, has such a frame."""
    try:
        return bool(TimeAndPlace(picks=(pick,)).frames(info, index, part))
    except BadPick:
        return False


def _frame_of(pick: Pick, info: VideoInfo, index: FrameIndex) -> int:
    num_frames, duration = len(index), info.duration_seconds
    if pick.seconds is None and pick.frame is not None and pick.frame < num_frames:
        return pick.frame
    if pick.seconds is not None and pick.seconds < duration:
        pts = index.pts[0] + (pick.seconds + ROUNDING_SECONDS) / float(info.time_base)
        return int(np.searchsorted(index.pts, pts, side="right")) - 1
    raise BadPick(pick, "is beyond the video's end", fix=f"choose a time before {duration:.2f} s (frame {num_frames})")


def _within(pick: Pick, frame: int, info: VideoInfo, index: FrameIndex, part: Part) -> int:
    """The frame's number in the part, if it is there."""
    if 0 <= frame < len(index):
        return frame
    begins = float((index.pts[0] - part.index.pts[0]) * info.time_base)
    ends = begins + info.duration_seconds
    fix = f"choose a time from {begins:.2f} to {ends:.2f} s of the whole (frames {part.first} to {part.first + len(index) - 1})"
    raise BadPick(pick, "is outside of the part that is worked on", fix=fix)


def _or_unknown(verdict: Verdict, track: Track, unknown: Sequence[int]) -> Verdict:
    """A track that is like nobody may still be somebody who was pointed at in these frames, and is seen too badly to be told."""
    may_be = verdict.answer == "no match" and not all(track.first_seen <= frame <= track.last_seen for frame in unknown)
    return (
        Verdict("unsure", None, verdict.distance, "somebody who was pointed at is never seen well enough to be told") if may_be else verdict
    )


def _track_at(evidence: Evidence, pick: Pick, frame: int) -> int:
    """The track whose box holds the point; of several, the one whose centre is nearest."""
    info = evidence.info
    there = {
        number: FaceBox(*boxes_to_upright(track.boxes[frame - track.first][None], *info.turn)[0])
        for number, track in enumerate(evidence.tracks)
        if track.first <= frame <= track.last
    }
    hits = [number for number, box in there.items() if box.left <= pick.x < box.right and box.top <= pick.y < box.bottom]
    if not hits:
        near = ", ".join(
            f"({(box.left + box.right) / 2:.0f}, {(box.top + box.bottom) / 2:.0f})" for box in sorted(there.values(), key=_left)
        )
        fix = f"point at one of the faces in that frame: {near}" if near else "no face is in that frame at all: choose another time"
        raise BadPick(pick, "no face is there", fix=fix)
    return min(hits, key=lambda number: _distance(there[number], pick))


def _left(box: FaceBox) -> float:
    return box.left


def _distance(box: FaceBox, pick: Pick) -> float:
    return float(np.hypot((box.left + box.right) / 2 - pick.x, (box.top + box.bottom) / 2 - pick.y))
