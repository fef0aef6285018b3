"""Telling people by their embeddings, track by track and person by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from tasks.faces import Floats
from tasks.matching import euclidean
from tasks.selectors.verdicts import Answer, Entry, Span, Verdict
from tasks.tracks import Track


class ByLikeness(Entry):
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

    def compare(self, tracks: Sequence[Track], references: Mapping[str, Floats], fades: Sequence[Span] = ()) -> list[Verdict]:
        """A verdict a track; `references` are embeddings, (K, D), by name; two shots are seen at once in `fades`, first to last frame.

        A track in doubt is who its person (all tracks of the same face together) is. Of two tracks of one name that are seen at the same
        time, the less like one is unsure: nobody is in two places, but for a fade. Where nobody at all is a match, those who come nearest
        are unsure: that somebody was asked for makes it likely that they are there, seen badly.
        """
        persons = {person: {name: _distance(mean, each) for name, each in references.items()} for person, mean in _means(tracks).items()}
        verdicts = [self._verdict(track, persons, references) for track in tracks]
        if not any(verdict.answer == "match" for verdict in verdicts):
            return self._nearest_unsure(verdicts)
        return [
            replace(verdict, answer="unsure", reason=f"somebody more like {verdict.name} is seen at the same time") if rivalled else verdict
            for verdict, rivalled in zip(verdicts, _rivalled(tracks, verdicts, fades), strict=True)
        ]

    def _nearest_unsure(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """The verdicts, with those nearest to whom nobody matches being unsure: up to the margin beyond the nearest one and `no_match`."""
        told = [np.inf if verdict.distance is None else verdict.distance for verdict in verdicts]
        limit = min(min(told, default=np.inf), self.no_match) + self.margin
        return [
            replace(verdict, answer="unsure", reason=f"is most like {verdict.name}, whom nobody matches")
            if verdict.answer == "no match" and distance <= limit
            else verdict
            for verdict, distance in zip(verdicts, told, strict=True)
        ]

    def _verdict(self, track: Track, persons: Mapping[int, Mapping[str, float]], references: Mapping[str, Floats]) -> Verdict:
        of_track = {name: _distance(track.embedding, each) for name, each in references.items()}
        of_person = persons[track.person]
        name = min(references, key=lambda name: min(of_track[name], of_person[name]))
        distance, shown = of_track[name], of_track[name] if np.isfinite(of_track[name]) else None
        impostor = min((each[name] for person, each in persons.items() if person != track.person), default=np.inf)
        runner_up = min([impostor, *(each for other, each in of_track.items() if other != name)])
        margin = round(runner_up - distance, 3) if np.isfinite([runner_up, distance]).all() else None
        answer, reason = self._answer(name, (distance, of_person[name], impostor))
        unknown = shown is None and answer == "unsure"
        return Verdict(answer, None if unknown and of_person[name] >= self.no_match else name, shown, reason, margin)

    def _answer(self, name: str, distances: tuple[float, float, float]) -> tuple[Answer, str]:
        """By the distances from `name` of the track, of its person, and of whoever else in the video is nearest to it."""
        distance, of_person, impostor = distances
        if distance <= self.match:
            return "match", f"looks like {name}"
        if distance <= self.likely and distance + self.margin <= impostor < np.inf:
            return "match", f"looks more like {name} than anybody else in the video does"
        if of_person <= self.match and distance < self.no_match:
            return "match", f"is the same person as somebody who looks like {name}"
        if np.isinf(distance):
            return "unsure", "the face is never seen well enough"
        if distance >= self.no_match and of_person >= self.no_match:
            return "no match", "looks like nobody who was asked for"
        return "unsure", f"may be {name}"


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


def _rivalled(tracks: Sequence[Track], verdicts: Sequence[Verdict], fades: Sequence[Span]) -> npt.NDArray[np.bool_]:
    """(N,): which matches are less like their name than another one seen at the same time; one without an embedding is like nobody.

    In a fade, the same face is seen twice where somebody is in both shots.
    """
    matches = np.flatnonzero([verdict.answer == "match" for verdict in verdicts])
    names = np.array([verdicts[number].name for number in matches.tolist()], np.str_)
    spans = np.array([(tracks[number].first_seen, tracks[number].last_seen) for number in matches.tolist()], np.int64).reshape(-1, 2)
    distances = np.array([np.inf if (known := verdicts[number].distance) is None else known for number in matches.tolist()])
    rivalled = np.zeros(len(tracks), np.bool_)
    for row, number in enumerate(matches.tolist()):
        begins, ends = np.maximum(spans[row, 0], spans[:, 0]), np.minimum(spans[row, 1], spans[:, 1])
        together = begins <= ends
        for first, last in fades:
            together &= (begins < first) | (ends > last)
        rivalled[number] = bool((together & (distances < distances[row]) & (names == names[row])).any())
    return rivalled
