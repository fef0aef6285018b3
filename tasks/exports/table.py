"""Appearances, or the boxes of all frames, as CSV (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from tasks.exports.appearances import Told, appearances
from tasks.video.upright import boxes_to_upright

APPEARANCES = (
    "person", "name", "most_like", "track", "decision", "first_frame", "last_frame", "first_seconds", "end_seconds", "quality", "distance",
    "probability", "unsure", "reason",
)  # fmt: skip
BOXES = ("frame", "seconds", "track", "person", "decision", "seen", "left", "top", "right", "bottom")


def write_appearances(of: Told, path: Path) -> None:
    """A row an appearance: a stretch of a track that is covered or kept throughout. Frames are counted from 0, the last one is included."""
    rows = []
    for each in appearances(of):
        decision, track = of.decisions[each.person], of.tracks[each.track]
        rows.append((
            each.person, decision.called, decision.name, each.track, _done(each.covered), of.first + each.first, of.first + each.last,
            round(of.seconds(each.first), 3), round(of.seconds(each.last + 1), 3), round(track.quality, 3),
            decision.distance and round(decision.distance, 3), decision.probability, decision.unsure, decision.reason,
        ))  # fmt: skip
    _write(path, APPEARANCES, rows)


def write_boxes(of: Told, path: Path) -> None:
    """A row a face and frame, in pixels of the upright picture; `seen` is the detector's score, 0 where the box was filled in."""
    rows = sorted(
        (
            of.first + int(frame), round(of.seconds(int(frame)), 3), number, track.person, _done(bool(is_covered)), round(float(score), 3),
            *(round(side, 1) for side in box),
        )
        for number, (track, covered) in enumerate(zip(of.tracks, of.covered, strict=True))
        for frame, is_covered, score, box in zip(
            track.frames, covered, track.seen, boxes_to_upright(track.boxes, *of.info.turn).tolist(), strict=True
        )
    )  # fmt: skip
    _write(path, BOXES, rows)


def _done(covered: bool) -> str:
    return "blurred" if covered else "kept"


def _write(path: Path, heads: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
