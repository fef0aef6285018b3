"""Tracks as the code of the thesis "Automatic blurring of specific faces in video" keeps them, so that its users can go on with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.recognisers.boundary import BOUNDARY
from tasks.tracks import Track


def write_sequences(tracks: Sequence[Track], path: Path, boundary: float = BOUNDARY) -> None:
    """A list of sequences, one a track, each a list of `{"bbox": [x1, y1, x2, y2, frame], "feat": [...]}` in order of frame.

    x and y are whole pixels of the decoded picture, x2 and y2 exclusive, and may lie beyond it; frames are counted from 0. `feat` is the
    embedding of the track in every frame in which the face was looked at, and empty where it was filled in or nothing is known; as the
    recogniser with that `boundary` gives it.
    """
    path.write_text(json.dumps([_sequence(track, boundary / BOUNDARY) for track in tracks], separators=(",", ":")), "utf-8")


def _sequence(track: Track, scale: float) -> list[dict[str, list[int] | list[float]]]:
    known = [] if np.isnan(track.embedding).any() else [round(scale * value, 6) for value in track.embedding.tolist()]
    return [
        {"bbox": [*(round(side) for side in box), frame], "feat": known if score else []}
        for box, frame, score in zip(track.boxes.tolist(), track.frames.tolist(), track.seen.tolist(), strict=True)
    ]
