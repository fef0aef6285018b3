"""Looks at a picture of any size: what all detectors share, so that each of them only says what it sees in a picture as it is.

A look brings the picture's long side to a size at which the smallest face that is wanted is large enough for the model. Where that is more
than the model should be given at once, the picture is looked at in tiles that overlap; where a face may be too large for a model, a second,
small look follows. A margin on all sides lets a face that the picture's edge cuts stand inside what the model sees.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces
from tasks.method import Method

Picture = npt.NDArray[np.uint8]
See = Callable[[Picture], Faces]
"""The faces that a model sees in a picture, (H, W, 3) uint8 BGR, in its pixels; they may overlap and reach beyond it."""

_SAME_FACE = 0.3  # IoU from which two boxes are one face
_CLOSE_UP = 0.3  # of the picture's short side, from which a face may be too large for the first look
_LARGEST_SCALE = 4.0  # beyond which enlarging shows nothing new
_AT_BORDER = 2.0  # pixels: a box so near to a tile's border is cut by it
_SMALLER_MARGIN = 4  # so many times smaller where only a part of the picture is shown, which rarely ends at its edge
_OVERLAP = 3.0  # of tiles, in faces that the look at the whole picture is just too coarse for


class Sized(Method):
    """What every detector lets one choose."""

    min_score: float = Field(0.5, ge=0.05, le=1, description="faces that score less are not reported")
    min_face_pixels: int | None = Field(
        None,
        ge=8,
        le=1024,
        description="width of the smallest face to find, in the video's pixels: how large a picture the model is shown, in how many "
        "tiles; left out: what the sizes below give",
    )
    min_long_side_pixels: int = Field(640, ge=128, le=4096, description="smaller pictures are enlarged to this")
    max_long_side_pixels: int = Field(960, ge=128, le=4096, description="larger pictures are reduced to this before they are looked at")
    tile_pixels: int = Field(1920, ge=256, le=4096, description="the most that is shown at once, where min_face_pixels asks for more")
    close_up_pixels: int = Field(
        0, ge=0, le=4096, description="long side of a second, small look for faces too large for the first; 0 for none"
    )

    smallest_pixels: ClassVar[float] = 16
    """width of the smallest face that the model finds, in what it is shown"""
    margin_pixels: ClassVar[int] = 16
    multiple: ClassVar[int] = 1
    """of which the sides of what the model is shown are"""

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest: what it needs, and on what terms."""
        return (self.method,)

    def long_side_pixels(self, width: int, height: int) -> int:
        """To what the long side of a picture is brought so that the smallest face that is wanted is found."""
        long_side = max(width, height)
        if self.min_face_pixels is None:
            return min(self.max_long_side_pixels, max(self.min_long_side_pixels, long_side))
        return round(max(128, long_side * min(_LARGEST_SCALE, self.smallest_pixels / self.min_face_pixels)))


class Tile(NamedTuple):
    """A part of a picture, in its pixels."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class SizedDetector:
    """A loaded model, and the sizes at which it is shown pictures."""

    settings: Sized
    see: See

    @property
    def smallest_pixels(self) -> float:
        """Width of the smallest face that it finds in a picture of the right size."""
        return self.settings.smallest_pixels

    def long_side_pixels(self, width: int, height: int) -> int:
        """The right size: that of the picture that the model is shown of one of that width and height, in one piece or in tiles."""
        return self.settings.long_side_pixels(width, height)

    def detect(self, picture_bgr: Picture) -> Faces:
        """The faces of a picture, (H, W, 3) uint8 BGR, upright, in its pixels and inside it."""
        height, width = picture_bgr.shape[:2]
        return self._detect(picture_bgr, self.long_side_pixels(width, height) / max(width, height))

    def detect_at(self, picture_bgr: Picture, is_part: bool) -> Faces:
        """The faces of a picture that has the right size already, in its pixels.

        `is_part`: it shows what is around a face, which neither fills it nor needs a margin, so that little is left to look at.
        """
        if not is_part:
            return self._detect(picture_bgr, 1.0)
        height, width = picture_bgr.shape[:2]
        look = self._look(picture_bgr, Tile(0, 0, width, height), 1.0, is_part=True)
        return self._inside(look, width, height)

    def _detect(self, picture_bgr: Picture, scale: float) -> Faces:
        height, width = picture_bgr.shape[:2]
        whole, long_side = Tile(0, 0, width, height), max(width, height)
        in_one_piece = min(scale, self.settings.tile_pixels / long_side)
        looks = [self._look(picture_bgr, whole, in_one_piece)]
        if in_one_piece < scale:
            overlap = round(_OVERLAP * self.settings.smallest_pixels / in_one_piece)
            for tile in tiles(width, height, round(self.settings.tile_pixels / scale), overlap):
                found = self._look(picture_bgr, tile, scale)
                looks.append(found[~_is_cut(found, tile, whole)])
        if self.settings.close_up_pixels:
            close_up = self._look(picture_bgr, whole, self.settings.close_up_pixels / long_side)
            looks.append(close_up[close_up.boxes[:, 3] - close_up.boxes[:, 1] > _CLOSE_UP * min(width, height)])
        faces = Faces(*(np.concatenate([getattr(look, name) for look in looks]) for name in ("boxes", "scores", "landmarks")))
        return self._inside(faces, width, height)

    def _inside(self, faces: Faces, width: int, height: int) -> Faces:
        """The best of the faces that are good enough, as far as they are inside the picture."""
        faces = best(faces)
        inside = np.clip(faces.boxes, 0, [width, height, width, height]).astype(np.float32)
        kept = (inside[:, 2] - inside[:, 0] > 1) & (inside[:, 3] - inside[:, 1] > 1) & (faces.scores >= self.settings.min_score)
        return Faces(inside, faces.scores, faces.landmarks)[kept]

    def _look(self, picture_bgr: Picture, tile: Tile, scale: float, *, is_part: bool = False) -> Faces:
        """What is seen in a part of the picture when it is brought to that scale; some may reach beyond it."""
        part = picture_bgr[tile.top : tile.bottom, tile.left : tile.right]
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        reduced = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        margin = self.settings.margin_pixels // (_SMALLER_MARGIN if is_part else 1)
        rest = [-(side + 2 * margin) % self.settings.multiple for side in reduced.shape[:2]]
        # Where the margin is small, what the model wants besides makes up for it on all sides.
        top, left = (margin + (each // 2 if is_part else 0) for each in rest)
        bottom, right = (2 * margin + each - before for each, before in zip(rest, (top, left), strict=True))
        padded = cv2.copyMakeBorder(reduced, top, bottom, left, right, cv2.BORDER_REPLICATE)
        seen = self.see(np.asarray(padded, np.uint8))
        corner, padding = np.array([tile.left, tile.top], np.float32), np.array([left, top], np.float32)
        boxes = (seen.boxes - np.tile(padding, 2)) / scale + np.tile(corner, 2)
        landmarks = (seen.landmarks - padding) / scale + corner
        return Faces(boxes.astype(np.float32), seen.scores, landmarks.astype(np.float32))


def tiles(width: int, height: int, side: int, overlap: int) -> list[Tile]:
    """Parts of at most `side` pixels that cover a picture evenly, each sharing at least `overlap` with its neighbours."""
    return [Tile(left, top, right, bottom) for top, bottom in _spans(height, side, overlap) for left, right in _spans(width, side, overlap)]


def best(faces: Faces) -> Faces:
    """The best of faces that overlap."""
    corner_and_size = np.concatenate([faces.boxes[:, :2], faces.boxes[:, 2:] - faces.boxes[:, :2]], 1)
    return faces[np.asarray(cv2.dnn.NMSBoxes(corner_and_size.tolist(), faces.scores.tolist(), 0.0, _SAME_FACE), np.int64).reshape(-1)]


def _spans(length: int, side: int, overlap: int) -> Sequence[tuple[int, int]]:
    if length <= side:
        return [(0, length)]
    overlap = min(overlap, side // 2)
    count = -(-(length - overlap) // (side - overlap))
    starts = np.linspace(0, length - side, count).round().astype(int)
    return [(int(start), int(start) + side) for start in starts]


def _is_cut(faces: Faces, tile: Tile, whole: Tile) -> npt.NDArray[np.bool_]:
    """Whether a border inside the picture cuts a face, which a neighbouring tile then has whole."""
    left, top, right, bottom = faces.boxes.T
    return np.asarray(
        ((tile.left > whole.left) & (left < tile.left + _AT_BORDER))
        | ((tile.top > whole.top) & (top < tile.top + _AT_BORDER))
        | ((tile.right < whole.right) & (right > tile.right - _AT_BORDER))
        | ((tile.bottom < whole.bottom) & (bottom > tile.bottom - _AT_BORDER))
    )
