"""Pixelate, blur round or square, or paint over: all scaled to the face, so that a small one is as unrecognisable as a large one."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.blurs.regions import blend, ellipse, expanded, window
from tasks.faces import FaceBox, Floats, Ints
from tasks.method import Method
from tasks.video.planes import Plane, Samples

_FEATHER = 0.12  # of the radius

Place = tuple[slice, slice]


class _Oval(Method):
    """What hides a face inside an ellipse with a soft edge, which lies outside of what has to be covered."""

    expand: float = Field(0.3, ge=0, le=2, description="how far the cover reaches beyond the face on every side, in face sizes")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        box = expanded(face, self.expand)
        place = window(plane, expanded(box, _FEATHER / 2))
        region = plane.samples[place]
        if region.size:
            blend(region, self.hidden(region, plane, place, box), ellipse(plane, *place, box, _FEATHER))

    @abstractmethod
    def hidden(self, region: Samples, plane: Plane, place: Place, box: FaceBox) -> npt.NDArray[np.generic]:
        """What is shown instead of a region of a plane, at its rows and columns; `box` is the covered face."""


class Pixelate(_Oval):
    """Coarse tiles, each the mean of what it hides; they move with the face."""

    method: Literal["pixelate"] = "pixelate"
    tiles: int = Field(8, ge=1, le=8, description="across the covered width; more would let a face be recognised")

    def hidden(self, region: Samples, plane: Plane, place: Place, box: FaceBox) -> npt.NDArray[np.generic]:
        # Tiles are counted from the box's corner, as far beyond it as the region reaches.
        down, starts_down = _tiles(place[0], plane.vertical_step, box.top, box.width / self.tiles)
        right, starts_right = _tiles(place[1], plane.horizontal_step, box.left, box.width / self.tiles)
        means = _means(region, starts_down, starts_right)
        return means.repeat(np.bincount(down), axis=0).repeat(np.bincount(right), axis=1)


class Round(_Oval):
    """A Gaussian blur: the thesis's feathered circle, made to fit a face."""

    method: Literal["round"] = "round"
    strength: float = Field(0.12, ge=0.08, le=1, description="standard deviation of the blur, in covered widths")

    def hidden(self, region: Samples, plane: Plane, place: Place, box: FaceBox) -> npt.NDArray[np.generic]:
        return _blurred(region, plane, self.strength * box.width)


class Solid(_Oval):
    """One colour: nothing of the face is left."""

    method: Literal["solid"] = "solid"
    lightness: float = Field(0.0, ge=0, le=1, description="0 is black, 1 is white")

    def hidden(self, region: Samples, plane: Plane, place: Place, box: FaceBox) -> npt.NDArray[np.generic]:
        top = (1 << plane.bits) - 1
        value = top / 2 if plane.name in "uv" else (16 + 219 * self.lightness) / 255 * top
        return np.full(region.shape, round(value), region.dtype)


class Square(Method):
    """A Gaussian blur of the whole rectangle, with hard edges."""

    method: Literal["square"] = "square"
    expand: float = Field(0.3, ge=0, le=2, description="how far the cover reaches beyond the face on every side, in face sizes")
    strength: float = Field(0.12, ge=0.08, le=1, description="standard deviation of the blur, in covered widths")

    def cover(self, plane: Plane, face: FaceBox) -> None:
        box = expanded(face, self.expand)
        region = plane.samples[window(plane, box)]
        if region.size:
            region[:] = _blurred(region, plane, self.strength * box.width)


def _tiles(samples: slice, step: int, origin: float, tile: float) -> tuple[Ints, Ints]:
    """The tile of each row or column of a region, counted from 0, and the first row or column of each tile."""
    position = np.floor(((np.arange(samples.start, samples.stop) + 0.5) * step - origin) / max(tile, step))
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
