"""Exceptions: a person, a track, or a stretch of time that is covered or kept whatever else was decided."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from tasks.errors import BadPick, BadSetting
from tasks.method import Settings
from tasks.moments import Moment, frame_from
from tasks.selectors.time_and_place import Pick, TimeAndPlace
from tasks.selectors.verdicts import Evidence, Then

Rows = npt.NDArray[np.bool_]


class Override(Settings):
    """What happens to a face in a stretch of time. Without a start or an end it reaches to the video's; without a face all are meant."""

    then: Then
    person: int | str | None = Field(None, description="a name given by hand; to cover somebody, a number in the report will do")
    point: Pick | None = Field(None, description="where the face is seen")
    of: Literal["person", "track"] = Field("person", description="with a point: the whole person, or only the track that is there")
    start: Moment | None = Field(None, description="from the first frame from this time (62.5, 1:02.5) on, or from this one (1500f)")
    end: Moment | None = Field(None, description="up to the first frame from this time on, or this one; without it")

    @model_validator(mode="after")
    def _who_or_when(self) -> Override:
        if self.person is not None and self.point is not None:
            raise ValueError("give either person or point")
        if isinstance(self.person, int) and self.then == "keep":
            raise ValueError(
                "a person's number may mean somebody else in another run: to keep somebody give a point, or a name from people.toml"
            )
        if self.of == "track" and self.point is None:
            raise ValueError("a track is told by a point on it")
        if self.person is None and self.point is None and self.start is None and self.end is None:
            raise ValueError("give a person, a point, a start or an end")
        return self

    def __str__(self) -> str:
        since, until = f" from {self.start}" if self.start else "", f" to {self.end}" if self.end else ""
        return f"{'covered' if self.then == 'cover' else 'kept'}{since}{until} by an override"

    def rows(self, evidence: Evidence) -> list[Rows]:
        """For each track which of its frames are meant, (N,). Raises BadPick for a point that meets no face, BadSetting for nobody."""
        meant = self._meant(evidence)
        first, stop = stretch_of(self.start, self.end, evidence)
        return [
            (track.frames >= first) & (track.frames < stop) if number in meant else np.zeros(len(track.frames), np.bool_)
            for number, track in enumerate(evidence.tracks)
        ]

    def _meant(self, evidence: Evidence) -> set[int]:
        tracks = evidence.tracks
        if self.point is not None:
            (met,) = TimeAndPlace(picks=(self.point,)).meets(evidence)
            return {met} if self.of == "track" else {number for number, each in enumerate(tracks) if each.person == tracks[met].person}
        if self.person is None:
            return set(range(len(tracks)))
        return {
            number for number, each in enumerate(tracks) if self.person in (each.person, evidence.names.get(each.person))
        } or self._nobody(evidence)

    def _nobody(self, evidence: Evidence) -> set[int]:
        known = ", ".join(sorted(evidence.names.values())) or "nobody has a name"
        raise BadSetting(
            f"override of {self.person}", "there is no such person", fix=f"give a point, or one of those in people.toml: {known}"
        )


def stretch_of(start: str | None, end: str | None, evidence: Evidence) -> tuple[int, int]:
    """The first frame of a stretch of time, and the first one after it, of the part that is worked on. Raises BadPick for none."""
    whole = evidence.index if evidence.part is None else evidence.part.index
    before = 0 if evidence.part is None else evidence.part.first
    first = frame_from(start, evidence.info, whole) if start else 0
    stop = frame_from(end, evidence.info, whole) if end else len(whole)
    if first >= stop:
        fix = f"choose moments of the video ({len(whole)} frames), the end after the start"
        raise BadPick(f"{start or 'the start'} to {end or 'the end'}", "no frame is between them", fix=fix)
    return max(0, first - before), max(0, stop - before)
