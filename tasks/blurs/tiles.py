"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import Place, Shown, difference_type
from tasks.faces import Floats
from tasks.video.planes import Plane

_ENOUGH_SAMPLES = 6  # across a tile, for its mean: of more, halves are as good
_SHARP = 12  # a tile passes into the next over so small a part of it: over more, edges that chance lays over those of a face are like them


@dataclass(frozen=True, slots=True)
class Grid:
    """Square tiles; one has its top left corner at x, y. In pixels of the picture."""

    x: float
    y: float
    tile: float


class Tiling:
    """A place in planes of the same size, as tiles.

    Tiles count as a whole, as far as they are inside the picture: what they show does not depend on where the place ends.
    """

    def __init__(self, plane: Plane, place: Place, grid: Grid) -> None:
        height, width = plane.samples.shape
        down, across = grid.tile / plane.vertical_step, grid.tile / plane.horizontal_step
        self._halvings = max(0, int(math.log2(min(min(down, across) / _ENOUGH_SAMPLES, height, width))))
        self._down = _Axis(place[0], height, grid.y / plane.vertical_step, down, 1 << self._halvings)
        self._across = _Axis(place[1], width, grid.x / plane.horizontal_step, across, 1 << self._halvings)

    def of(self, plane: Plane) -> Shown:
        """The place in a plane, as the means of its tiles, with soft edges between them."""
        down, across = self._down, self._across
        samples: npt.NDArray[Any] = plane.samples[down.samples, across.samples]
        for _ in range(self._halvings):
            samples = cv2.resize(samples, (samples.shape[1] // 2, samples.shape[0] // 2), interpolation=cv2.INTER_AREA)
        # All of these are small enough for NumPy's BLAS to stay in one thread; waiting for a second took ten times as long.
        means = down.mean @ samples.astype(np.float32) @ across.mean.T
        lines = np.rint(down.mixed @ means @ across.mixed.T).astype(difference_type(plane.samples)).take(across.which, axis=1)
        return lambda rows: lines.take(down.which[rows], axis=0)


class _Axis:
    """K tiles along an axis of a plane; all lengths in samples.

    samples: the slice of rows or columns that the tiles hold, some more where groups of `group` rows are looked at as one
    mean: (K, M), by how much each group counts in each tile's mean
    mixed: (D, K), by how much each tile counts in each line that is shown: one in itself, two where they meet
    which: (N,), of these lines, for each wanted sample
    """

    def __init__(self, wanted: slice, length: int, origin: float, tile: float, group: int) -> None:
        whole = length // group * group  # what is left over at the picture's end counts in no mean
        first, last = (int((min(end, whole - 0.5) - origin) // tile) for end in (wanted.start + 0.5, wanted.stop - 0.5))
        edge = origin + tile * first
        # Groups are counted from the picture's first sample: they stay where they are when the tiles move.
        start, stop = max(0, int(edge // group)), min(whole // group, int((origin + tile * (last + 1)) // group) + 1)
        self.samples = slice(start * group, stop * group)
        self.mean = _overlaps(last - first + 1, tile / group, stop - start, edge / group - start)
        places, self.which = _distinct(_places(wanted, edge, tile).clip(0, last - first))
        between = np.subtract.outer(places, np.arange(last - first + 1, dtype=np.float32))
        np.abs(between, out=between)
        self.mixed = np.maximum(1 - between, 0)


def _overlaps(count: int, tile: float, length: int, first: float) -> Floats:
    """(count, length): by how much each of the unit intervals from 0 counts in the mean of each tile, of which one starts at `first`."""
    edges = np.arange(count + 1, dtype=np.float32) * np.float32(tile) + np.float32(first)
    below = np.subtract.outer(edges, np.arange(length, dtype=np.float32)).clip(0, 1)
    overlaps = below[1:] - below[:-1]
    overlaps /= overlaps.sum(axis=1, keepdims=True)
    return np.asarray(overlaps)


def _places(wanted: slice, edge: float, tile: float) -> Floats:
    """Where samples are among tiles from an edge on: k in tile number k, between two where these meet."""
    places = np.arange(wanted.stop - wanted.start, dtype=np.float32)
    places *= 1 / tile
    places += (wanted.start + 0.5 - edge) / tile
    edges = np.rint(places)
    places -= edges
    places *= max(1, min(_SHARP, int(tile)))
    edges -= 0.5
    return np.asarray(edges + places.clip(-0.5, 0.5, out=places))


def _distinct(rising: Floats) -> tuple[Floats, npt.NDArray[np.intp]]:
    """What differs, and for each value which of these it is."""
    new = np.ones(len(rising), bool)
    np.not_equal(rising[1:], rising[:-1], out=new[1:])
    return rising[new], new.cumsum() - 1
