"""Cuts away and back: a camera's picture that comes again, with the same people at the same places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from tasks.faces import Floats, Ints
from tasks.matching import geometric_cost
from tasks.tracks import Shot, Track

SAME_PLACE_AGAIN = 3.0  # natural log of how much likelier it makes two tracks one person's

Thumbnail = Callable[[int], npt.NDArray[np.uint8]]
"""the small grey picture of a frame"""
NO_PAIRS: Ints = np.zeros((0, 2), np.int64)

_MOST_SECONDS = 60.0  # between a picture and its return
_ALIKE = 0.7  # correlation of thumbnails from which they are one camera's picture
_MOST_MOVED = 0.7  # geometric cost up to which a face is where it was
_NEAR_CUT_SECONDS = 1.0  # within which of the cut a face was last seen, or is seen again


def with_places(tracks: Sequence[Track], shots: Sequence[Shot], frame_rate: float, thumbnail: Thumbnail) -> list[Track]:
    """The tracks, with the same `place` for those that are where another one was before the picture was cut away from and back to."""
    pairs = _returning(tracks, shots, frame_rate, thumbnail) if tracks else NO_PAIRS
    if not len(pairs):
        return list(tracks)
    graph = csr_array((np.ones(len(pairs), bool), pairs.T), shape=(len(tracks),) * 2)
    _, places = connected_components(graph, directed=False)
    paired = set(pairs.ravel().tolist())
    return [replace(track, place=int(places[n])) if n in paired else track for n, track in enumerate(tracks)]


def same_places(tracks: Sequence[Track]) -> Ints:
    """(P, 2): the pairs of tracks, by their numbers, that are at the same place one after the other."""
    by_place: dict[int, list[int]] = {}
    for number, track in enumerate(tracks):
        if track.place >= 0:
            by_place.setdefault(track.place, []).append(number)
    return np.array(
        [pair for numbers in by_place.values() for pair in pairwise(sorted(numbers, key=lambda number: tracks[number].first_seen))],
        np.int64,
    ).reshape(-1, 2)


def _returning(tracks: Sequence[Track], shots: Sequence[Shot], frame_rate: float, thumbnail: Thumbnail) -> Ints:
    """(P, 2): pairs of tracks; who is nearest to a place is paired with who was nearest to it."""
    whole = list({(shot.visible_first, shot.visible_last): shot for shot in shots}.values())
    begins, ends = ([_flat(thumbnail(frame)) for frame in frames] for frames in zip(*((s.first, s.last) for s in whole), strict=True))
    near = round(_NEAR_CUT_SECONDS * frame_rate)
    first, last = (np.array(frames) for frames in zip(*((track.first_seen, track.last_seen) for track in tracks), strict=True))
    leaving = [np.flatnonzero((first >= s.first) & (last >= s.last - near) & (last <= s.last)).tolist() for s in whole]
    coming = [np.flatnonzero((first >= s.first) & (first <= s.first + near) & (last <= s.last)).tolist() for s in whole]
    found: list[tuple[int, int]] = []
    for one, before in enumerate(whole):
        for other in range(one + 2, len(whole)):
            if whole[other].first - before.last > _MOST_SECONDS * frame_rate:
                break
            if float(ends[one] @ begins[other]) >= _ALIKE and leaving[one] and coming[other]:
                cost = geometric_cost(_boxes(tracks, leaving[one], last=True), _boxes(tracks, coming[other], last=False))
                for row, column in enumerate(cost.argmin(axis=1).tolist()):
                    if cost[row, column] <= _MOST_MOVED and cost[:, column].argmin() == row:
                        found.append((leaving[one][row], coming[other][column]))
    return np.array(found, np.int64).reshape(-1, 2)


def _boxes(tracks: Sequence[Track], numbers: Sequence[int], last: bool) -> Floats:
    """Where faces were last seen, or first."""
    return np.stack([tracks[n].boxes[(tracks[n].last_seen if last else tracks[n].first_seen) - tracks[n].first] for n in numbers])


def _flat(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """A thumbnail as a vector of unit length around its mean, so that a product of two is their correlation."""
    values = thumbnail.astype(np.float64).ravel()
    values -= values.mean()
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-9), np.float64)
