"""Fades through black, seen by the brightness of the picture alone: the network marks half of one, two halves, or none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tasks.shot_finders.transitions import Transition

_ROWS, _COLUMNS = 3, 6  # of a sketch
_FALL_LEVELS = 0.3  # grey levels by which each frame of a fade is darker than the one before
_DARK = 0.55  # of the brightness on both sides, which the middle of a fade goes below
_BLACK_LEVELS = 4.0  # of a picture that may stay so between the two halves
_ELSEWHERE_LEVELS = 8.0  # between sketches of two shots; what comes back as it was, was no change of shots
_MOST_FRAMES = 120  # of either half


def sketched(thumbnails: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(T, 18): mean grey levels of a few fields of (T, H, W, 3) pictures."""
    num_frames, height, width = thumbnails.shape[:3]
    if height < _ROWS or width < _COLUMNS:
        return np.repeat(thumbnails.reshape(num_frames, -1).mean(1, dtype=np.float32)[:, None], _ROWS * _COLUMNS, axis=1)
    cut = thumbnails[:, : height // _ROWS * _ROWS, : width // _COLUMNS * _COLUMNS]
    fields = cut.reshape(num_frames, _ROWS, height // _ROWS, _COLUMNS, width // _COLUMNS, -1)
    return np.asarray(fields.mean((2, 4, 5), dtype=np.float32).reshape(num_frames, -1), np.float32)


def find_dips(sketches: npt.NDArray[np.float32]) -> list[Transition]:
    """Stretches of the sketches, (N, 18), in which the picture darkens frame by frame, and another one brightens frame by frame."""
    levels = sketches.mean(1)
    falls, rises = np.diff(levels) < -_FALL_LEVELS, np.diff(levels) > _FALL_LEVELS
    dips: list[Transition] = []
    for bottom in np.flatnonzero(np.append(falls, False) & np.append(~falls[1:], [True, True])) + 1:
        first = last = int(bottom)
        while first > 0 and falls[first - 1] and bottom - first < _MOST_FRAMES:
            first -= 1
        # Two frames may be equally dark, and many quite black.
        while last + 1 < len(levels) and not rises[last] and (last < bottom + 1 or levels[last + 1] < _BLACK_LEVELS) and not falls[last]:
            last += 1
        rise = last
        while last + 1 < len(levels) and rises[last] and last - rise < _MOST_FRAMES:
            last += 1
        sides = min(levels[first], levels[last])
        elsewhere = np.abs(sketches[first] - sketches[last]).mean() >= _ELSEWHERE_LEVELS
        if bottom - first >= 2 and last - rise >= 2 and levels[bottom : rise + 1].min() < _DARK * sides and elsewhere:
            dips.append(Transition(first + 1, last - 1))
    return dips


def with_dips(transitions: Sequence[Transition], sketches: npt.NDArray[np.float32]) -> list[Transition]:
    """The transitions, with fades through black whole and in place of what else was found of them."""
    dips = find_dips(sketches)
    others = [each for each in transitions if not any(dip.first - 1 <= each.last and each.first <= dip.last + 1 for dip in dips)]
    return sorted([*others, *dips])
