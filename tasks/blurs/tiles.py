"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import middles
from tasks.faces import Floats
from tasks.video.planes import Plane

_SOFT = 0.25  # of a tile, over which one passes into the next


@dataclass(frozen=True, slots=True)
class Grid:
    """Square tiles; one has its top left corner at x, y. In pixels of the picture."""

    x: float
    y: float
    tile: float


def tiled(plane: Plane, rows: slice, columns: slice, grid: Grid) -> Floats:
    """(H, W) float32: rows and columns of a plane as the means of its tiles, with soft edges between them.

    Tiles count as a whole, as far as they are inside the picture: what they show does not depend on where the rows and columns end.
    """
    height, width = plane.samples.shape
    down = _Tiles.under(rows, plane.vertical_step, height, grid.y, grid.tile)
    across = _Tiles.under(columns, plane.horizontal_step, width, grid.x, grid.tile)
    sums = down.inside.T @ plane.samples[down.samples, across.samples].astype(np.float32) @ across.inside
    means = sums / np.outer(down.inside.sum(0), across.inside.sum(0))
    return np.asarray(down.shown @ means @ across.shown.T, np.float32)


class _Tiles(NamedTuple):
    """K tiles along one axis of a plane."""

    samples: slice  # M rows or columns, all that are in the tiles
    inside: Floats  # (M, K), how much of each sample is in each tile
    shown: Floats  # (N, K), how much of each tile's colour each of the wanted samples gets

    @classmethod
    def under(cls, wanted: slice, step: int, length: int, origin: float, tile: float) -> _Tiles:
        """The tiles that hold the wanted samples, N of the `length` that there are, each `step` pixels long."""
        at = (middles(wanted, step) - origin) / tile
        first, last = np.floor(at[0]), np.floor(at[-1])
        ends = origin + tile * np.array([first, last + 1])
        samples = slice(max(0, min(wanted.start, int(ends[0] // step))), min(length, max(wanted.stop, int(-(-ends[1] // step)))))
        edges = np.arange(first + 1, last + 1)
        inside = _between((middles(samples, step) - origin) / tile, edges, step / tile)
        return cls(samples, inside, _between(at, edges, max(_SOFT, step / tile)))


def _between(at: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], width: float) -> Floats:
    """(N, K): shares of N samples between K - 1 edges, each of which is passed over a width; every row sums up to 1."""
    beyond = np.clip((at[:, None] - edges) / width + 0.5, 0, 1)
    return np.asarray(-np.diff(beyond, axis=1, prepend=1, append=0), np.float32)
