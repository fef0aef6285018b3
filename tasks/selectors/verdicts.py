"""What a selector says of each track: whether it shows one of the people it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tasks.faces import Floats
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part

Answer = Literal["match", "unsure", "no match"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a track shows somebody who was asked for, and why."""

    answer: Answer
    name: str | None
    """of whoever it is or is most like"""
    distance: float | None
    """of the embeddings; None where the track has none or it was not needed"""
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """All that a selector may go by."""

    tracks: Sequence[Track]
    photos: Mapping[str, Floats]
    """embeddings, (K, D), of the people on the photos, by name"""
    info: VideoInfo
    index: FrameIndex
    part: Part | None = None
    """what the video is a part of, if it is"""


class Selector(Protocol):
    """Tells which tracks show the people that it was asked for."""

    def pick(self, evidence: Evidence) -> list[Verdict]:
        """A verdict a track."""
