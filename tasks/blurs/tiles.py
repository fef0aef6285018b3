"""Tiles of any size at any place, exact to fractions of a sample: what moves a little changes a little."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import Part, Place, Shown, difference_type
from tasks.faces import Floats
from tasks.video.planes import Plane, Samples

_ENOUGH_SAMPLES = 6  # across a tile, for its mean: of more, halves are as good
_LITTLE = 1e-6  # where a side has fewer tiles than another
_SHARP = 12  # a tile passes into the next over so small a part of it: over more, edges that chance lays over those of a face are like them


@dataclass(frozen=True, slots=True)
class Grid:
    """Square tiles; one has its top left corner at x, y. In pixels of the picture."""

    x: float
    y: float
    tile: float


def tiled(parts: Sequence[Part], grid: Grid) -> list[list[Shown]]:
    """For each plane of each part, its place as the means of its tiles, with soft edges between them.

    Tiles count as a whole, as far as they are inside the picture: what they show does not depend on where the place ends.
    """
    sides = [_sides(planes[0], place, grid) for planes, place in parts]
    _share_out([side for both in sides for side in both])
    return [[_shown(plane.samples, *both) for plane in planes] for (planes, _), both in zip(parts, sides, strict=True)]


class _Side:
    """K tiles along a side of a place; all lengths in samples.

    samples: the slice of rows or columns that the tiles hold, some more where groups of `group` rows are looked at as one
    mean: (K, M), by how much each group counts in each tile's mean
    mixed: (D, K), by how much each tile counts in each line that is shown: one in itself, two where they meet
    which: (N,), of these lines, for each wanted sample

    The last three are still to be given by `_share_out`, from
    of_groups: a tile's length in groups, and where the first group begins, in groups after the first tile's edge
    of_wanted: a sample's length in tiles, where the first wanted one's middle is, the last tile's number, how sharp the seams are
    """

    def __init__(self, wanted: slice, length: int, origin: float, tile: float, group: int) -> None:
        whole = length // group * group  # what is left over at the picture's end counts in no mean
        first, last = (int((min(end, whole - 0.5) - origin) // tile) for end in (wanted.start + 0.5, wanted.stop - 0.5))
        edge = origin + tile * first
        # Groups are counted from the picture's first sample: they stay where they are when the tiles move.
        start, stop = max(0, int(edge // group)), min(whole // group, int((origin + tile * (last + 1)) // group) + 1)
        self.samples = slice(start * group, stop * group)
        self.mean: Floats
        self.mixed: Floats
        self.which: npt.NDArray[np.intp]
        self.num_tiles, self.num_groups, self.num_wanted = last - first + 1, stop - start, wanted.stop - wanted.start
        self.of_groups = tile / group, start - edge / group
        self.of_wanted = 1 / tile, (wanted.start + 0.5 - edge) / tile, last - first, max(1, min(_SHARP, int(tile)))


def _sides(plane: Plane, place: Place, grid: Grid) -> tuple[_Side, _Side]:
    """The sides of a place, down and across, in samples."""
    height, width = plane.samples.shape
    down, across = grid.tile / plane.vertical_step, grid.tile / plane.horizontal_step
    group = 1 << max(0, int(math.log2(min(min(down, across) / _ENOUGH_SAMPLES, height, width))))
    return (
        _Side(place[0], height, grid.y / plane.vertical_step, down, group),
        _Side(place[1], width, grid.x / plane.horizontal_step, across, group),
    )


def _share_out(sides: Sequence[_Side]) -> None:
    """Gives all sides their shares, computed at once: most of the time goes into calls, not into numbers."""
    tiles = np.arange(max(side.num_tiles for side in sides) + 1, dtype=np.float32)

    counts = [side.num_groups for side in sides]
    numbers, (tile, start) = _numbers(counts, [side.of_groups for side in sides])
    below = np.multiply.outer(tiles, tile)
    below -= numbers + start
    below.clip(0, 1, out=below)
    overlaps = below[1:] - below[:-1]
    totals = np.add.reduceat(overlaps, [sum(counts[:number]) for number in range(len(counts))], axis=1)
    overlaps /= np.repeat(np.maximum(totals, _LITTLE), counts, axis=1)

    # A place k is in tile number k, one between k and k + 1 where these two meet.
    numbers, (scale, offset, last, sharp) = _numbers([side.num_wanted for side in sides], [side.of_wanted for side in sides])
    places = numbers * scale + offset
    edges = np.rint(places)
    places = edges - 0.5 + ((places - edges) * sharp).clip(-0.5, 0.5)
    places = np.minimum(places.clip(0), last)
    new = np.ones(len(places), bool)
    np.not_equal(places[1:], places[:-1], out=new[1:])
    lines = new.cumsum() - 1
    mixed = np.maximum(1 - np.abs(np.subtract.outer(places[new], tiles[:-1])), 0)

    group = sample = 0
    for side in sides:
        side.mean = overlaps[: side.num_tiles, group : (group := group + side.num_groups)]
        which = lines[sample : (sample := sample + side.num_wanted)]
        side.mixed = mixed[which[0] : which[-1] + 1, : side.num_tiles]
        side.which = which - which[0]


def _numbers(counts: Sequence[int], factors: Sequence[tuple[float, ...]]) -> tuple[Floats, Floats]:
    """For each side, its numbers from 0, and its factors as often: (N,) and (F, N) for all of them."""
    numbers = np.concatenate([np.arange(count, dtype=np.float32) for count in counts])
    return numbers, np.repeat(np.array(factors, np.float32).T, counts, axis=1)


def _shown(samples: Samples, down: _Side, across: _Side) -> Shown:
    """The place between two sides, as tiles."""
    halved: npt.NDArray[Any] = samples[down.samples, across.samples]
    while halved.shape[0] > down.num_groups:
        halved = cv2.resize(halved, (halved.shape[1] // 2, halved.shape[0] // 2), interpolation=cv2.INTER_AREA)
    # In this order no product is so large, of the usual tiles, that NumPy's BLAS starts a second thread: waiting for it takes longer.
    means = down.mean @ halved.astype(np.float32) @ across.mean.T
    lines = np.rint(down.mixed @ means @ across.mixed.T).astype(difference_type(samples)).take(across.which, axis=1)
    return lambda rows: lines.take(down.which[rows], axis=0)
