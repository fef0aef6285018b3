"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import Place, Shown, powers
from tasks.faces import Floats
from tasks.video.planes import Plane

_ENOUGH_SAMPLES = 6  # across a tile, for its mean: of twice as many, halves are as good
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
        self._group = 2 if min(down, across) >= 2 * _ENOUGH_SAMPLES and min(height, width) > 1 else 1
        self._down = _Axis(place[0], height, grid.y / plane.vertical_step, down, self._group)
        self._across = _Axis(place[1], width, grid.x / plane.horizontal_step, across, self._group)

    def of(self, plane: Plane) -> Shown:
        """The place in a plane, as the means of its tiles, with soft edges between them."""
        down, across = self._down, self._across
        samples: npt.NDArray[Any] = plane.samples[down.samples, across.samples]
        if self._group == 2:
            samples = cv2.resize(samples, (samples.shape[1] // 2, samples.shape[0] // 2), interpolation=cv2.INTER_AREA)
        means = down.mean @ samples.astype(np.float32) @ across.mean.T
        lines = means @ across.shown
        return lambda rows: down.shown[:, rows].T @ lines


class _Axis:
    """K tiles along an axis of a plane; all lengths in samples.

    samples: the slice of rows or columns that the tiles hold, some more where groups of `group` rows are looked at as one
    mean: (K, M), by how much each group counts in each tile's mean
    shown: (K, N), by how much each tile shows in each wanted sample
    """

    def __init__(self, wanted: slice, length: int, origin: float, tile: float, group: int) -> None:
        whole = length // group * group  # what is left over at the picture's end counts in no mean
        first, last = (int((min(end, whole - 0.5) - origin) // tile) for end in (wanted.start + 0.5, wanted.stop - 0.5))
        edges = [origin + tile * number for number in range(first, last + 2)]
        # Groups are counted from the picture's first sample: they stay where they are when the tiles move.
        start, stop = max(0, int(edges[0] // group)), min(whole // group, int(edges[-1] // group) + 1)
        self.samples = slice(start * group, stop * group)
        self.mean = _shares(edges, self.samples, group)
        self.mean /= self.mean.sum(axis=1, keepdims=True)
        self.shown = _shares([-math.inf, *edges[1:-1], math.inf], wanted, 1, tile / max(1, min(_SHARP, int(tile))))


def _shares(edges: Iterable[float], samples: slice, step: int, soft: float | None = None) -> Floats:
    """(K, N): how much of each `step` samples is between each two of K + 1 edges, were they as long as `soft`."""
    soft = soft or step
    first = samples.start + step / 2
    lines = np.array([((edge - first) / soft + 0.5, -step / soft) for edge in edges], np.float32)
    below = (lines @ powers((samples.stop - samples.start) // step, 2)).clip(0, 1)
    return np.asarray(below[1:] - below[:-1])
