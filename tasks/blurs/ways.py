"""Pixelate, blur round or square, or paint over: all scaled to the face, so that a small one is as unrecognisable as a large one.

A blur is measured in face widths, and what is weaker than these limits is refused or raised:

- tiles: at most five across a face, and none of less than twelve pixels, which a small face's are raised to. At five, dlib's recogniser is
  lost; people need about sixteen (Bachmann 1991).
- Gaussian blur: a standard deviation of 0.12 faces or more, and two pixels.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal, Self, cast

import cv2
import numpy as np
from pydantic import Field, model_validator

from tasks.blurs.regions import CoveredFace, Ellipse, Part, Place, Shown, alike, blend, expanded, strips, window
from tasks.blurs.tiles import Grid, tiled
from tasks.method import Method
from tasks.video.planes import Plane, Samples

_FEATHER = 0.12  # of the radius
_HAIR = 0.2  # of a face's height: how much further a head reaches above the forehead than below the chin
_MOST_TILES = 5.0  # across a face
_LEAST_TILE_PIXELS = 12.0
_LEAST_SIGMA_PIXELS = 2.0
_GROWTH = 1.1  # of a face beyond its steady size, before its tiles grow


class _Oval(Method):
    """What hides a face inside an ellipse with a soft edge, which lies outside of what has to be covered."""

    expand: float = Field(0.3, ge=0, le=2, description="how far the cover reaches beyond the face on every side, in face sizes")
    shape: Literal["head", "face"] = Field("head", description="head: further up, over the hair; face: as far on every side")

    def cover(self, planes: Sequence[Plane], face: CoveredFace) -> None:
        box = face.reach(self.expand, _HAIR if self.shape == "head" else 0)
        touched = expanded(box, _FEATHER / 2)
        parts = [(group, window(group[0], touched)) for group in alike(planes)]
        parts = [(group, place) for group, place in parts if group[0].samples[place].size]
        for (group, place), hidden in zip(parts, self.hidden(parts, face) if parts else (), strict=True):
            ellipse = Ellipse(group[0], place, box, _FEATHER)
            regions = [plane.samples[place] for plane in group]
            for rows in strips(regions[0]):
                share = ellipse.share(rows)
                for region, shown in zip(regions, hidden, strict=True):
                    blend(region[rows], shown(rows), share)

    @abstractmethod
    def hidden(self, parts: Sequence[Part], face: CoveredFace) -> Iterable[Sequence[Shown]]:
        """For each plane of each part, what is shown instead of its place."""


class Pixelate(_Oval):
    """Coarse tiles with soft edges, each the mean of what it hides; the grid is fixed to the face, and moves and grows with it."""

    method: Literal["pixelate"] = "pixelate"
    tiles: int = Field(5, ge=1, le=25, description="at most so many across the covered width; at most 5 across the face itself")

    @model_validator(mode="after")
    def _hides(self) -> Self:
        if self.tiles > (most := int(_MOST_TILES * (1 + 2 * self.expand) + 1e-6)):
            raise ValueError(f"{self.tiles} tiles would let a face be recognised: with expand={self.expand:g}, at most {most}")
        return self

    def hidden(self, parts: Sequence[Part], face: CoveredFace) -> Iterable[Sequence[Shown]]:
        size = max(_GROWTH * face.size(face.steady), face.size(face.box))
        tile = max(size * (1 + 2 * self.expand) / self.tiles, _LEAST_TILE_PIXELS)
        # An odd number has a tile in the middle of the face, an even one a corner: no more than so many reach into the cover.
        middle_to_corner = tile / 2 * (self.tiles % 2)
        x, y = (
            (first + after) / 2 - middle_to_corner
            for first, after in ((face.steady.left, face.steady.right), (face.steady.top, face.steady.bottom))
        )
        return tiled(parts, Grid(x, y, tile))


class Round(_Oval):
    """A Gaussian blur: the thesis's feathered circle, made to fit a face."""

    method: Literal["round"] = "round"
    strength: float = Field(0.2, ge=0.12, le=1, description="standard deviation of the blur, in face widths")

    def hidden(self, parts: Sequence[Part], face: CoveredFace) -> Iterable[Sequence[Shown]]:
        sigma = self.strength * face.size(face.box)
        return [[_blurred(plane, place, sigma).__getitem__ for plane in planes] for planes, place in parts]


class Square(Method):
    """A Gaussian blur of the whole rectangle, with hard edges."""

    method: Literal["square"] = "square"
    expand: float = Field(0.3, ge=0, le=2, description="how far the cover reaches beyond the face on every side, in face sizes")
    strength: float = Field(0.2, ge=0.12, le=1, description="standard deviation of the blur, in face widths")

    def cover(self, planes: Sequence[Plane], face: CoveredFace) -> None:
        for plane in planes:
            place = window(plane, face.reach(self.expand))
            if plane.samples[place].size:
                plane.samples[place] = _blurred(plane, place, self.strength * face.size(face.box))


class Solid(_Oval):
    """One colour: nothing of the face is left."""

    method: Literal["solid"] = "solid"
    lightness: float = Field(0.0, ge=0, le=1, description="0 is black, 1 is white")

    def hidden(self, parts: Sequence[Part], face: CoveredFace) -> Iterable[Sequence[Shown]]:
        return [[partial(_everywhere, self._level(plane)) for plane in planes] for planes, _ in parts]

    def _level(self, plane: Plane) -> Samples:
        top = (1 << plane.bits) - 1
        level = top / 2 if plane.name in "uv" else (16 + 219 * self.lightness) / 255 * top
        return np.full(1, round(level), plane.samples.dtype)


class NoBlur(Method):
    """Covers nothing: for a look at what would be covered, with `show = "boxes"`."""

    method: Literal["none"] = "none"

    def cover(self, planes: Sequence[Plane], face: CoveredFace) -> None:
        """Leaves the face as it is."""


def _everywhere(level: Samples, _: slice) -> Samples:
    return level


def _blurred(plane: Plane, place: Place, sigma_pixels: float) -> Samples:
    """A Gaussian blur whose cost does not grow with the face: what it removes is removed before."""
    region = plane.samples[place]
    height, width = region.shape
    sigma = max(sigma_pixels, _LEAST_SIGMA_PIXELS) / np.array([plane.horizontal_step, plane.vertical_step])
    size = np.maximum(1, np.round([width, height] / np.maximum(1, sigma / 4)))
    small = cv2.resize(region, size.astype(int).tolist(), interpolation=cv2.INTER_AREA)
    across, down = sigma * size / [width, height]
    soft = cv2.GaussianBlur(small, (0, 0), across, sigmaY=down, borderType=cv2.BORDER_REPLICATE)
    return cast(Samples, cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR).astype(region.dtype))
