"""Persons put right by hand: tracks cut where somebody else begins, persons named, split and merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.calibration import scaled_mean
from tasks.errors import BadPick
from tasks.faces import Detections, Ints
from tasks.matching import intersection_over_union
from tasks.named_people import EditPeople, Split
from tasks.selectors.overrides import stretch_of
from tasks.selectors.time_and_place import Pick, TimeAndPlace, is_in
from tasks.selectors.verdicts import Evidence
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part

_SAME_FACE = 0.3  # overlap of a track's box with a detection that it was made from: the box may be larger, for it covers more


@dataclass(frozen=True, slots=True, eq=False)
class EditedPeople:
    """Tracks whose persons were put right.

    names: by person
    same_by_hand: groups of places in `tracks`, of which somebody said that they show one person
    """

    tracks: list[Track]
    names: dict[int, str]
    same_by_hand: tuple[tuple[int, ...], ...]


def edit_tracks(
    tracks: Sequence[Track], detections: Detections, info: VideoInfo, index: FrameIndex, edits: EditPeople, part: Part | None = None
) -> EditedPeople:
    """The tracks as they are after `edits`; persons are numbered in order of appearance again.

    `detections`, in order of frame, are those that the tracks were made from: the parts of a cut track get embeddings of their own.
    Raises BadPick for a point that meets no face, saying which are near, and for a cut that leaves a part in which nothing was found.
    """
    evidence = Evidence(tracks, {}, info, index, part)
    points = {person.name: person.at for person in edits.people}
    person_of = {name: evidence.tracks[_met(evidence, at)].person for name, at in points.items()}
    for split in edits.splits:
        person_of.setdefault(split.name, 1 + max(track.person for track in evidence.tracks))
        evidence = replace(evidence, tracks=_split(evidence, split, person_of[split.name], detections))
        points.setdefault(split.name, split.at)
    merged = {track.person: track.person for track in evidence.tracks}
    for group in edits.merge:
        gone = {merged[person_of[name]] for name in group}
        merged = {person: merged[person_of[group[0]]] if now in gone else now for person, now in merged.items()}
    by_appearance = sorted(evidence.tracks, key=lambda track: track.first_seen)
    numbers = {person: number for number, person in enumerate(dict.fromkeys(merged[track.person] for track in by_appearance))}
    known_as: dict[int, list[str]] = {}
    for name, person in person_of.items():
        known_as.setdefault(numbers[merged[person]], []).append(name)
    return EditedPeople(
        [replace(track, person=numbers[merged[track.person]]) for track in evidence.tracks],
        {number: _name(names, edits) for number, names in known_as.items()},
        tuple(tuple(sorted({_met(evidence, points[name]) for name in group})) for group in edits.merge),
    )


def edits_within(edits: EditPeople, info: VideoInfo, index: FrameIndex, part: Part | None = None) -> EditPeople:
    """What of the edits of a whole video is about the part of it that is worked on."""
    people = tuple(each for each in edits.people if is_in(each.at, info, index, part))
    splits = tuple(each for each in edits.splits if is_in(each.at, info, index, part))
    known = {*(each.name for each in people), *(each.name for each in splits)}
    groups = (tuple(name for name in group if name in known) for group in edits.merge)
    return EditPeople(people=people, splits=splits, merge=tuple(group for group in groups if len(group) > 1))


def _met(evidence: Evidence, point: Pick) -> int:
    """The number of the track at the point. Raises BadPick."""
    return TimeAndPlace(picks=(point,)).meets(evidence)[0]


def _name(names: Sequence[str], edits: EditPeople) -> str:
    """Of those merged the first one's. Whom nobody merged, and who was grouped nevertheless, bears all names, so that none is mistaken."""
    others = {name for group in edits.merge for name in group[1:]}
    return " / ".join(name for name in names if name not in others) or names[0]


def _split(evidence: Evidence, split: Split, person: int, detections: Detections) -> list[Track]:
    """The tracks with what the split means given to `person`, and cut where that begins and ends."""
    first, stop = stretch_of(split.start, split.end, evidence)
    met = _met(evidence, split.at)
    owner = evidence.tracks[met].person
    after: list[Track] = []
    for number, track in enumerate(evidence.tracks):
        if number != met and (split.of == "track" or track.person != owner):
            after.append(track)
            continue
        for part in _cut(track, (first, stop), split, detections):
            after.append(replace(part, person=person) if first <= part.first and part.last < stop else part)
    if after[_met(replace(evidence, tracks=after), split.at)].person != person:
        raise BadPick(split.at, f"{split.name} is not there from {split.start} to {split.end}", fix="point at them between the two")
    return after


def _cut(track: Track, borders: tuple[int, int], split: Split, detections: Detections) -> list[Track]:
    """The track's parts before, between and after the borders, which are frames that begin a part. Raises BadPick."""
    inside = [border - track.first for border in borders if track.first < border <= track.last]
    if not inside:
        return [track]
    looked = track.frames[track.seen > 0]
    parts = [rows for rows in np.split(np.arange(len(track.frames)), inside) if len(rows)]
    if not all(track.seen[rows].any() for rows in parts):
        fix = f"the face was found at frames {_some(looked)}: leave one of them on each side of the cut"
        raise BadPick(split.at, f"nothing is known of {split.name} where the track would be cut", fix=fix)
    return [_part(track, rows, detections) for rows in parts]


def _some(frames: Ints) -> str:
    return ", ".join(map(str, frames if len(frames) <= 8 else [*frames[:4], "...", *frames[-4:]]))


def _part(track: Track, rows: Ints, detections: Detections) -> Track:
    """Some rows of a track, as a track."""
    frames, boxes, seen = track.frames[rows], track.boxes[rows], track.seen[rows]
    embeddings, qualities = np.full((len(rows), len(track.embedding)), np.nan, np.float32), np.zeros(len(rows), np.float32)
    for row in np.flatnonzero(seen):
        there = detections[detections.rows_at(int(frames[row]))]
        overlap = intersection_over_union(boxes[row][None], there.boxes)[0]
        if len(overlap) and overlap.max() > _SAME_FACE:
            embeddings[row], qualities[row] = there.embeddings[overlap.argmax()], there.qualities[overlap.argmax()]
    known = ~np.isnan(embeddings).any(axis=1) & (qualities > 0)
    embedding = scaled_mean(embeddings[known], qualities[known]) if known.any() else np.full(len(track.embedding), np.nan)
    best = int(np.argmax(np.where(seen > 0, qualities + 1e-6, 0)))
    return replace(
        track,
        frames=frames,
        boxes=boxes,
        seen=seen,
        embedding=np.asarray(embedding, np.float32),
        quality=float(qualities[best]),
        best=best,
        place=-1,
    )
