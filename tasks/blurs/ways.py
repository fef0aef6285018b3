"""Pixelate, blur round or square, or paint over: all scaled to the face, so that a small one is as unrecognisable as a large one."""

from __future__ import annotations

from typing import Literal, cast

import cv2
import numpy as np
from pydantic import Field

from tasks.blurs.regions import blend, ellipse, expanded, window
from tasks.faces import FaceBox, Floats, Ints
from tasks.method import Method
from tasks.video.planes import Plane, Samples

_FEATHER = 0.12  # of the radius: the soft edge lies outside what has to be covered


class _Region(Method):
    expand: float = Field(0.3, ge=0, le=2, description="how far the cover reaches beyond the face on every side, in face sizes")


class Pixelate(_Region):
    """Coarse tiles, each the mean of what it hides, inside an ellipse; the tiles move with the face."""

    method: Literal["pixelate"] = "pixelate"
    tiles: int = Field(8, ge=1, le=8, description="across the covered width; more would let a face be recognised")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        box = expanded(face, self.expand)
        rows, columns = window(plane, expanded(box, _FEATHER / 2))
        region = plane.samples[rows, columns]
        if not region.size:
            return
        tile = box.width / self.tiles
        # Tiles are counted from the box's corner, as far beyond it as the window reaches: they move with the face.
        down, starts_down = _tiles(rows.start, rows.stop, plane.vertical_step, box.top, tile)
        right, starts_right = _tiles(columns.start, columns.stop, plane.horizontal_step, box.left, tile)
        means = _means(region, starts_down, starts_right)
        tiles = means.repeat(np.bincount(down), axis=0).repeat(np.bincount(right), axis=1)
        blend(region, tiles, ellipse(plane, rows, columns, box, _FEATHER))


class Round(_Region):
    """A Gaussian blur inside a feathered ellipse: the thesis's circle, made to fit a face."""

    method: Literal["round"] = "round"
    strength: float = Field(0.2, ge=0.12, le=1, description="standard deviation of the blur, in face widths")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        box = expanded(face, self.expand)
        rows, columns = window(plane, expanded(box, _FEATHER / 2))
        region = plane.samples[rows, columns]
        if region.size:
            blend(region, _blurred(region, plane, self.strength * face.width), ellipse(plane, rows, columns, box, _FEATHER))


class Square(_Region):
    """A Gaussian blur of the whole rectangle."""

    method: Literal["square"] = "square"
    strength: float = Field(0.2, ge=0.12, le=1, description="standard deviation of the blur, in face widths")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        rows, columns = window(plane, expanded(face, self.expand))
        region = plane.samples[rows, columns]
        if region.size:
            region[:] = _blurred(region, plane, self.strength * face.width)


class Solid(_Region):
    """A plain ellipse: nothing of the face is left, not even its colours."""

    method: Literal["solid"] = "solid"
    lightness: float = Field(0.0, ge=0, le=1, description="0 is black, 1 is white")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        box = expanded(face, self.expand)
        rows, columns = window(plane, expanded(box, _FEATHER / 2))
        region = plane.samples[rows, columns]
        if not region.size:
            return
        top = (1 << plane.bits) - 1
        value = top / 2 if plane.name in "uv" else (16 + 219 * self.lightness) / 255 * top
        blend(region, np.full(region.shape, round(value), region.dtype), ellipse(plane, rows, columns, box, _FEATHER))


def _tiles(first: int, after: int, step: int, origin: float, tile: float) -> tuple[Ints, Ints]:
    """The tile of each row or column of a window, counted from 0, and the first row or column of each tile."""
    position = np.floor(((np.arange(first, after) + 0.5) * step - origin) / max(tile, step))
    _, starts, tiles = np.unique(position, return_index=True, return_inverse=True)
    return tiles, starts


def _means(region: Samples, starts_down: Ints, starts_right: Ints) -> Floats:
    """(tiles down, tiles across) float32, the mean of each tile of a region, in whole steps."""
    heights, widths = np.diff(np.append(starts_down, region.shape[0])), np.diff(np.append(starts_right, region.shape[1]))
    sums = np.add.reduceat(np.add.reduceat(region, starts_down, axis=0, dtype=np.uint32), starts_right, axis=1)
    return np.asarray(np.rint(sums / (heights[:, None] * widths[None])), np.float32)


def _blurred(region: Samples, plane: Plane, sigma_pixels: float) -> Samples:
    """A Gaussian blur whose cost does not grow with the face: what it removes is removed before."""
    height, width = region.shape
    sigma = np.array([sigma_pixels / plane.horizontal_step, sigma_pixels / plane.vertical_step])
    size = np.maximum(1, np.round([width, height] / np.maximum(1, sigma / 4)))
    small = cv2.resize(region, size.astype(int).tolist(), interpolation=cv2.INTER_AREA)
    across, down = sigma * size / [width, height]
    soft = cv2.GaussianBlur(small, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REPLICATE)
    return cast(Samples, cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).astype(region.dtype))
