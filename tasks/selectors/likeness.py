"""Telling people by their embeddings, track by track and person by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from tasks.faces import Floats
from tasks.matching import euclidean
from tasks.method import Method
from tasks.selectors.verdicts import Verdict
from tasks.tracks import Track


class ByLikeness(Method):
    """How alike faces have to be: distances of embeddings, by which a track is somebody, may be, or is not."""

    match: float = Field(0.5, gt=0, description="up to this distance it is the same person")
    likely: float = Field(
        0.56, gt=0, description="up to this one too, if there are others in the video and all are further away by the margin"
    )
    margin: float = Field(0.06, ge=0, description="see likely")
    no_match: float = Field(0.62, gt=0, description="from this distance it is another person; below, where it is no match, it is unsure")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.match <= self.likely <= self.no_match:
            raise ValueError(f"match ({self.match}), likely ({self.likely}) and no_match ({self.no_match}) must be in this order")
        return self

    def compare(self, tracks: Sequence[Track], references: Mapping[str, Floats]) -> list[Verdict]:
        """A verdict a track; `references` are embeddings, (K, D), by name.

        A track in doubt is who its person (all tracks of the same face together) is. Of two tracks of one name that are seen at the same
        time, the less like one is unsure: nobody is in two places.
        """
        persons = {person: {name: _distance(mean, each) for name, each in references.items()} for person, mean in _means(tracks).items()}
        verdicts = [self._verdict(track, persons, references) for track in tracks]
        matches = [(track, verdict) for track, verdict in zip(tracks, verdicts, strict=True) if verdict.answer == "match"]
        return [
            replace(verdict, answer="unsure", reason=f"somebody more like {verdict.name} is seen at the same time")
            if verdict.answer == "match" and any(_is_nearer_rival(track, verdict, other, its) for other, its in matches)
            else verdict
            for track, verdict in zip(tracks, verdicts, strict=True)
        ]

    def _verdict(self, track: Track, persons: Mapping[int, Mapping[str, float]], references: Mapping[str, Floats]) -> Verdict:
        of_track = {name: _distance(track.embedding, each) for name, each in references.items()}
        of_person = persons[track.person]
        name = min(references, key=lambda name: min(of_track[name], of_person[name]))
        distance, shown = of_track[name], of_track[name] if np.isfinite(of_track[name]) else None
        impostor = min((each[name] for person, each in persons.items() if person != track.person), default=np.inf)
        if distance <= self.match:
            return Verdict("match", name, shown, f"looks like {name}")
        if distance <= self.likely and distance + self.margin <= impostor < np.inf:
            return Verdict("match", name, shown, f"looks more like {name} than anybody else in the video does")
        if of_person[name] <= self.match and distance < self.no_match:
            return Verdict("match", name, shown, f"is the same person as somebody who looks like {name}")
        if shown is None:
            return Verdict("unsure", name if of_person[name] < self.no_match else None, None, "the face is never seen well enough")
        if distance >= self.no_match and of_person[name] >= self.no_match:
            return Verdict("no match", name, shown, "looks like nobody who was asked for")
        return Verdict("unsure", name, shown, f"may be {name}")


def _distance(embedding: Floats, references: Floats) -> float:
    """To the nearest reference; infinite for an unknown embedding."""
    distances = euclidean(embedding[None], references)[0]
    return float("inf") if np.isnan(distances).all() else float(np.nanmin(distances))


def _means(tracks: Sequence[Track]) -> dict[int, Floats]:
    """The mean embedding of each person's tracks by quality and length; NaN where none has one."""
    by_person: dict[int, list[Track]] = {}
    for track in tracks:
        by_person.setdefault(track.person, []).append(track)
    return {person: _mean(own) for person, own in by_person.items()}


def _mean(tracks: Sequence[Track]) -> Floats:
    known = [track for track in tracks if not np.isnan(track.embedding).any()]
    if not known:
        return np.full_like(tracks[0].embedding, np.nan)
    weights = [track.quality * np.count_nonzero(track.seen) for track in known]
    return np.asarray(np.average([track.embedding for track in known], axis=0, weights=weights), np.float32)


def _is_nearer_rival(track: Track, verdict: Verdict, other: Track, its: Verdict) -> bool:
    """Whether `other` matches the same name better, and is seen while the track is; a track without embedding is like nobody."""
    far = float("inf")
    nearer = (far if its.distance is None else its.distance) < (far if verdict.distance is None else verdict.distance)
    seen_together = min(track.last_seen, other.last_seen) >= max(track.first_seen, other.first_seen)
    return other is not track and its.name == verdict.name and nearer and seen_together
