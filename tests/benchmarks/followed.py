"""What the program followed, from the table that `veil export --boxes` writes, beside who is truly there."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.faces import Floats, Ints
from tasks.matching import intersection_over_union
from tests.scoring import SEEN_FROM_SHARE

OVERLAP = 0.3  # intersection over union: a cover reaches beyond its face, and that is no fault


class Present(NamedTuple):
    """Who is truly in a frame.

    people: their names
    boxes: (N, 4) float32
    unjudged: (K, 4) float32, places at which a face is neither missed nor false
    """

    people: list[str]
    boxes: Floats
    unjudged: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A row a face and frame, by frame and track.

    frames, tracks, persons: (N,) int64
    boxes: (N, 4) float32
    covered: (N,) bool
    between: (N,) bool, from the track's first look at the face to its last: neither lead-in nor lead-out
    """

    frames: Ints
    tracks: Ints
    persons: Ints
    boxes: Floats
    covered: npt.NDArray[np.bool_]
    between: npt.NDArray[np.bool_]


def truth(folder: Path) -> list[Present]:
    """By frame, from a labelled clip's gt.jsonl. Faces that are hardly visible are not judged."""
    return [_present(json.loads(line)) for line in (folder / "gt.jsonl").read_text().splitlines()]


def _present(row: dict[str, Any]) -> Present:
    judged = [face for face in row["faces"] if min(face.get("vis", 1), face.get("alpha", 1)) >= SEEN_FROM_SHARE]
    unjudged = [face for face in row["faces"] if face not in judged] + row.get("ignore", [])
    return Present([face["person"] for face in judged], _boxes(judged), _boxes(unjudged))


def _boxes(faces: list[dict[str, Any]]) -> Floats:
    return np.array([face["box"] for face in faces], np.float32).reshape(-1, 4)


def read_followed(table: Path) -> Followed:
    """`table` is one of boxes, as `tasks.exports.table` writes it."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    frames, tracks, persons = (np.array([row[name] for row in rows], np.int64) for name in ("frame", "track", "person"))
    boxes = np.array([[row[side] for side in ("left", "top", "right", "bottom")] for row in rows], np.float32).reshape(-1, 4)
    seen = np.array([row["seen"] for row in rows], np.float32) > 0
    between = np.zeros(len(rows), np.bool_)
    for track in np.unique(tracks):
        looks = frames[seen & (tracks == track)]
        between |= (tracks == track) & (frames >= looks.min()) & (frames <= looks.max())
    return Followed(frames, tracks, persons, boxes, np.array([row["decision"] == "blurred" for row in rows], np.bool_), between)


def rows_by_frame(followed: Followed, present: list[Present]) -> Iterator[tuple[Present, Ints, Floats]]:
    """For each frame who is there, the rows that tell of it (but for guesses and places that are not judged), and their overlaps.

    The overlaps are (people, rows).
    """
    for frame, there in enumerate(present):
        rows = np.flatnonzero((followed.frames == frame) & followed.between)
        overlaps = intersection_over_union(there.boxes, followed.boxes[rows])
        elsewhere = intersection_over_union(there.unjudged, followed.boxes[rows]).max(0, initial=0)
        told = ~((elsewhere > 0) & (elsewhere > overlaps.max(0, initial=0)))
        yield there, rows[told], np.asarray(overlaps[:, told], np.float32)


def whose(followed: Followed, present: list[Present]) -> dict[int, str]:
    """By track, whom it mostly follows; a track that follows nobody is left out."""
    votes: dict[int, Counter[str]] = {}
    for there, rows, overlaps in rows_by_frame(followed, present):
        for person, row in zip(*np.nonzero(overlaps > OVERLAP), strict=True):
            votes.setdefault(int(followed.tracks[rows[row]]), Counter())[there.people[person]] += 1
    return {track: counted.most_common(1)[0][0] for track, counted in votes.items()}


def jitter_percents(followed: Followed) -> dict[int, list[float]]:
    """By track, how much the sides of its cover change their speed from one frame to the next, in percent of its width."""
    found: dict[int, list[float]] = {}
    for track in np.unique(followed.tracks[followed.covered]).tolist():
        rows = np.flatnonzero((followed.tracks == track) & followed.covered)
        boxes, frames = followed.boxes[rows].astype(np.float64), followed.frames[rows]
        consecutive = frames[2:] - frames[:-2] == 2
        change = np.abs(np.diff(boxes, 2, axis=0)).mean(1) / (boxes[1:-1, 2] - boxes[1:-1, 0])
        found[track] = (100 * change[consecutive]).tolist()
    return found


def jitter_by_person(followed: Followed, present: list[Present]) -> dict[str, list[float]]:
    """What `jitter_percents` says of the tracks that follow each."""
    by_track = jitter_percents(followed)
    found: dict[str, list[float]] = {}
    for track, person in whose(followed, present).items():
        found.setdefault(person, []).extend(by_track.get(track, []))
    return found


def mean_of(values: list[float]) -> float | None:
    """None of nothing."""
    return fmean(values) if values else None
