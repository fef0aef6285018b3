"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import Place
from tasks.faces import Floats
from tasks.video.planes import Plane

_MOST_MULTIPLICATIONS = 1 << 17
_ENOUGH_SAMPLES = 6  # across a tile, for its mean: of more, halves are as good
_SOFT = 0.08  # of a tile, over which one passes into the next: more, and edges that chance lays over those of a face are like them


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

    def of(self, plane: Plane) -> Floats:
        """The place in a plane, (H, W) float32, as the means of its tiles, with soft edges between them."""
        samples: npt.NDArray[Any] = plane.samples[self._down.samples, self._across.samples]
        for _ in range(self._halvings):
            samples = cv2.resize(samples, (samples.shape[1] // 2, samples.shape[0] // 2), interpolation=cv2.INTER_AREA)
        means = _product(_product(self._down.mean.T, samples.astype(np.float32)), self._across.mean)
        return _product(self._down.shown, _product(means, self._across.shown.T))


class _Axis:
    """K tiles along an axis of a plane; all lengths in samples.

    samples: the slice of rows or columns that the tiles hold, some more where groups of `group` rows are looked at as one
    mean: (M, K), by how much each group counts in each tile's mean
    shown: (N, K), how much of each tile's mean is shown at each of the wanted samples
    """

    def __init__(self, wanted: slice, length: int, origin: float, tile: float, group: int) -> None:
        whole = length // group * group  # what is left over at the picture's end counts in no mean
        first, last = ((min(end, whole - 0.5) - origin) // tile for end in (wanted.start + 0.5, wanted.stop - 0.5))
        edges = origin + tile * np.arange(first, last + 2)
        # Groups are counted from the picture's first sample: they stay where they are when the tiles move.
        start, stop = max(0, int(edges[0] // group)), min(whole // group, int(edges[-1] // group) + 1)
        self.samples = slice(start * group, stop * group)
        self.mean = _between(slice(start, stop), edges / group, 1)[:, 1:-1]
        self.mean /= self.mean.sum(axis=0)
        self.shown = _between(wanted, edges[1:-1], max(1, _SOFT * tile))


def _between(samples: slice, edges: npt.NDArray[np.float64], width: float) -> Floats:
    """(N, K): shares of N samples between K - 1 edges, each of which is passed over a width; every row sums up to 1."""
    scale = 1 / width
    at = np.arange(samples.stop - samples.start, dtype=np.float32)
    beyond = np.ones((len(at), len(edges) + 2), np.float32)
    passed = np.subtract.outer(at * np.float32(scale), ((edges - samples.start - 0.5) * scale - 0.5).astype(np.float32))
    np.maximum(np.minimum(passed, 1, out=passed), 0, out=beyond[:, 1:-1])
    beyond[:, -1] = 0
    return beyond[:, :-1] - beyond[:, 1:]


def _product(one: Floats, other: Floats) -> Floats:
    """Of matrices, a part at a time, so small that NumPy takes no threads for it: they would fight with the codecs'."""
    product = np.empty((one.shape[0], other.shape[1]), np.float32)
    step = max(1, _MOST_MULTIPLICATIONS // other.size)
    for first in range(0, len(one), step):
        np.matmul(one[first : first + step], other, out=product[first : first + step])
    return product
