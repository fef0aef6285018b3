"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import Place, Shown
from tasks.faces import Floats
from tasks.video.planes import Plane

_ENOUGH_SAMPLES = 6  # across a tile, for its mean: of more, halves are as good
_SHARP = 12  # a tile passes into the next over so small a part of it: over more, edges that chance lays over those of a face are like them
_ENLARGED = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


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
        tile = grid.tile / max(plane.horizontal_step, plane.vertical_step)
        self._halvings = max(0, int(math.log2(min(tile / _ENOUGH_SAMPLES, height, width))))
        self._down = _Axis(place[0], height, grid.y / plane.vertical_step, grid.tile / plane.vertical_step, 1 << self._halvings)
        self._across = _Axis(place[1], width, grid.x / plane.horizontal_step, grid.tile / plane.horizontal_step, 1 << self._halvings)

    def of(self, plane: Plane) -> Shown:
        """The place in a plane, as the means of its tiles, with soft edges between them."""
        down, across = self._down, self._across
        samples: npt.NDArray[Any] = plane.samples[down.samples, across.samples]
        size = samples.shape[1] >> self._halvings, samples.shape[0] >> self._halvings
        halved = cv2.resize(samples, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        means = down.mean.T @ halved @ across.mean
        sharp = means.repeat(down.sharp, axis=0).repeat(across.sharp, axis=1)

        def shown(rows: slice) -> Floats:
            turn = np.array([[across.scale, 0, across.offset], [0, down.scale, down.offset + down.scale * rows.start]])
            size = across.num_samples, rows.stop - rows.start
            return cast(Floats, cv2.warpAffine(sharp, turn, size, flags=_ENLARGED, borderMode=cv2.BORDER_REPLICATE))

        return shown


class _Axis:
    """K tiles along an axis of a plane; all lengths in samples.

    num_samples: how many are wanted
    samples: the slice of rows or columns that the tiles hold, some more where groups of `group` rows are looked at as one
    mean: (M, K), by how much each group counts in each tile's mean
    sharp: by how many equal cells a tile is shown
    scale, offset: from a wanted sample's number to the cell in which it is
    """

    def __init__(self, wanted: slice, length: int, origin: float, tile: float, group: int) -> None:
        whole = length // group * group  # what is left over at the picture's end counts in no mean
        first, last = (int((min(end, whole - 0.5) - origin) // tile) for end in (wanted.start + 0.5, wanted.stop - 0.5))
        edges = origin + tile * np.arange(first, last + 2)
        # Groups are counted from the picture's first sample: they stay where they are when the tiles move.
        start, stop = max(0, int(edges[0] // group)), min(whole // group, int(edges[-1] // group) + 1)
        self.num_samples = wanted.stop - wanted.start
        self.samples = slice(start * group, stop * group)
        self.mean = _overlaps(start, stop, edges / group)
        self.mean /= self.mean.sum(axis=0)
        self.sharp = max(1, min(_SHARP, int(tile)))
        self.scale = self.sharp / tile
        self.offset = (wanted.start + 0.5 - edges[0]) * self.scale - 0.5


def _overlaps(start: int, stop: int, edges: npt.NDArray[np.float64]) -> Floats:
    """(M, K): the length that each of the unit intervals from start to stop has in common with each of those between K + 1 edges."""
    below = np.clip(np.subtract.outer(edges, np.arange(start, stop)), 0, 1)
    return np.asarray((below[1:] - below[:-1]).T, np.float32)
