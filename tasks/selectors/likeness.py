"""Telling people by their embeddings, track by track and person by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tasks.faces import Floats
from tasks.matching import euclidean
from tasks.selectors.verdicts import Verdict
from tasks.tracks import Track


def compare(tracks: Sequence[Track], references: Mapping[str, Floats], match: float, no_match: float) -> list[Verdict]:
    """A verdict a track; `references` are embeddings, (K, D), by name.

    Distances up to `match` are the same person, from `no_match` on another. Between the two, a track is who its person (all tracks of the same face together) is. Of two tracks of one name that are seen at the
    same time, the less like one is unsure: nobody is in two places.
    """
    verdicts = [_verdict(track, _person_embedding(tracks, track.person), references, match, no_match) for track in tracks]
    for number, (track, verdict) in enumerate(zip(tracks, verdicts, strict=True)):
        rival = next((other for other, its in zip(tracks, verdicts, strict=True) if _is_nearer_rival(track, verdict, other, its)), None)
        if rival is not None:
            verdicts[number] = replace(verdict, answer="unsure", reason=f"somebody more like {verdict.name} is seen at the same time")
    return verdicts


def _verdict(track: Track, person: Floats, references: Mapping[str, Floats], match: float, no_match: float) -> Verdict:
    if np.isnan(track.embedding).any() and np.isnan(person).any():
        return Verdict("unsure", None, None, "the face is never seen well enough")
    distances = {name: _distance(track.embedding, each) for name, each in references.items()}
    of_person = {name: _distance(person, each) for name, each in references.items()}
    name = min(references, key=lambda name: min(distances[name], of_person[name]))
    distance = distances[name]
    if distance <= match:
        return Verdict("match", name, distance, f"looks like {name}")
    if of_person[name] <= match and distance < no_match:
        return Verdict("match", name, distance, f"is the same person as somebody who looks like {name}")
    if distance >= no_match and of_person[name] >= no_match:
        return Verdict("no match", name, distance, "looks like nobody who was asked for")
    return Verdict("unsure", name, distance if np.isfinite(distance) else None, f"may be {name}")


def _distance(embedding: Floats, references: Floats) -> float:
    """To the nearest reference; infinite for an unknown embedding."""
    distances = euclidean(embedding[None], references)[0]
    return float("inf") if np.isnan(distances).all() else float(np.nanmin(distances))


def _person_embedding(tracks: Sequence[Track], person: int) -> Floats:
    """Mean over a person's tracks by quality and length; NaN where none has an embedding."""
    known = [track for track in tracks if track.person == person and not np.isnan(track.embedding).any()]
    if not known:
        return np.full_like(tracks[0].embedding, np.nan)
    weights = [track.quality * np.count_nonzero(track.seen) for track in known]
    return np.asarray(np.average([track.embedding for track in known], axis=0, weights=weights), np.float32)


def _is_nearer_rival(track: Track, verdict: Verdict, other: Track, its: Verdict) -> bool:
    if verdict.answer != "match" or its.answer != "match" or other is track or its.name != verdict.name:
        return False
    overlap = min(track.last_seen, other.last_seen) - max(track.first_seen, other.first_seen)
    return overlap > 0 and (its.distance or 0) < (verdict.distance or 0)
