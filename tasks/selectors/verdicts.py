"""What a selector says of each track: whether it shows one of the people it was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from pydantic import Field

from tasks.calibration import Calibration, calibration_of
from tasks.faces import Floats
from tasks.method import Method
from tasks.tracks import Span, Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part

Answer = Literal["match", "unsure", "no match"]
Then = Literal["cover", "keep"]
Strictness = Literal["safe", "balanced", "sharp"]


class Entry(Method):
    """One entry of the list of selectors; they are gone through in order, and a later one stands above an earlier one."""

    then: Then | None = Field(
        None,
        description="what happens to those whom it means: cover or keep; without it what the policy says (keep_only: keep, else cover)",
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a track shows somebody who was asked for, and why."""

    answer: Answer
    name: str | None
    """of whoever it is or is most like"""
    distance: float | None
    """of the embeddings; None where the track has none or it was not needed"""
    reason: str
    probability: float | None = None
    """that it is that one; None where nothing had to be inferred"""
    rival: int | None = None
    """the person, by number, who is as like as this one, so that neither can be told"""
    then: Then | None = None
    """what is to happen, where that does not hold for the whole entry"""


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
    names: Mapping[int, str] = field(default_factory=dict)
    """by person, those that were given by hand"""
    same_by_hand: Sequence[Sequence[int]] = ()
    """groups of tracks, by their places in `tracks`, of which somebody said that they show one person"""
    fades: Sequence[Span] = ()
    """in which two shots are seen at once"""
    calibration: Calibration = field(default_factory=lambda: calibration_of("faceres"))
    """what distances of embeddings are worth"""
    strictness: Strictness = "balanced"


class Selector(Protocol):
    """Tells which tracks show the people that it was asked for."""

    @property
    def then(self) -> Then | None:
        """What happens to them; None leaves it to the policy."""

    def pick(self, evidence: Evidence) -> list[Verdict]:
        """A verdict a track."""
