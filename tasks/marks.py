"""What a review video shows beside its faces: a box around each, whose it is, and why it is covered or kept."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tasks import arrays
from tasks.blurs.regions import blend, window
from tasks.faces import FaceBox, Floats, Ints
from tasks.tracks import Cover
from tasks.video.planes import Plane
from tasks.video.upright import Rotation, boxes_to_decoded, boxes_to_upright, upright_size

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_HEIGHT = 0.024  # of the upright picture's height
_LEAST_TEXT_PIXELS = 9
_ALIGNED_PIXELS = 8  # whole samples of every plane

# 8-bit levels by plane. Orange and sky blue are told apart by the colour-blind too (Okabe and Ito 2008); so are solid and dashed lines.
_ORANGE = {"y": 156, "u": 51, "v": 166, "g": 159, "b": 0, "r": 230}
_SKY_BLUE = {"y": 157, "u": 161, "v": 85, "g": 180, "b": 233, "r": 86}
_BLACK = {"y": 16, "u": 128, "v": 128, "g": 0, "b": 0, "r": 0}

Mask = npt.NDArray[np.uint8]


class Mark(NamedTuple):
    """A face in a frame, as a review video shows it."""

    box: Floats
    """(4,), in pixels of the decoded picture"""
    covered: bool
    lines: Sequence[str]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The marks of a stretch of video.

    faces: covered and kept ones alike
    tracks: (T,) int64, in rising order, those that are told about
    covered: (T,) bool
    captions: (T,) str, of one line or more
    """

    faces: Cover
    tracks: Ints
    covered: npt.NDArray[np.bool_]
    captions: npt.NDArray[np.str_]

    def at(self, frame: int) -> list[Mark]:
        faces = self.faces.at(frame)
        rows = np.searchsorted(self.tracks, faces.tracks)
        return [Mark(box, bool(self.covered[row]), str(self.captions[row]).split("\n")) for box, row in zip(faces.boxes, rows, strict=True)]

    def within(self, first: int, last: int) -> Marks:
        return replace(self, faces=self.faces.within(first, last))

    def to_bytes(self) -> bytes:
        told = {"told": self.tracks, "covered": self.covered, "captions": self.captions}
        return arrays.pack(told | {name: getattr(self.faces, name) for name in ("frames", "boxes", "tracks")})

    @classmethod
    def from_bytes(cls, content: bytes) -> Marks:
        found = arrays.unpack(content)
        faces = Cover(found["frames"], found["boxes"], found["tracks"])
        return cls(faces, found["told"], found["covered"], found["captions"])


def draw(marks: Sequence[Mark], planes: Sequence[Plane], rotation_degrees: Rotation) -> None:
    """Draws marks on a picture, in place, so that they are read when it is upright."""
    height, width = planes[0].samples.shape
    pen = _Pen(*upright_size(width, height, rotation_degrees))
    taken: list[FaceBox] = []
    for mark in marks:
        face = FaceBox(*map(float, boxes_to_upright(mark.box[None], width, height, rotation_degrees)[0]))
        taken.append(caption := pen.free_place(mark.lines, face, taken))
        canvas = _in_whole_samples(_union(face, caption, pen.margin), width, height, rotation_degrees)
        upright = FaceBox(*map(float, boxes_to_upright(canvas[None], width, height, rotation_degrees)[0]))
        for mask, levels in zip(pen.masks(mark, face, caption, upright), (_BLACK, _ORANGE if mark.covered else _SKY_BLUE), strict=True):
            _colour(planes, canvas, np.rot90(mask, rotation_degrees // 90), levels)


@dataclass(frozen=True, slots=True)
class _Pen:
    """Draws on upright pictures of a width and height."""

    width: int
    height: int

    @property
    def stroke(self) -> int:
        return max(1, round(self.height / 400))

    @property
    def margin(self) -> int:
        return 4 * self.stroke

    @property
    def line_pixels(self) -> int:
        """From one line of a caption to the next."""
        return round(1.7 * self._text_pixels)

    @property
    def _text_pixels(self) -> float:
        return max(_LEAST_TEXT_PIXELS, _TEXT_HEIGHT * self.height)

    @property
    def _scale(self) -> float:
        return self._text_pixels / cv2.getTextSize("0", _FONT, 1, 1)[0][1]

    def free_place(self, lines: Sequence[str], face: FaceBox, taken: Sequence[FaceBox]) -> FaceBox:
        """Where a caption goes: above its face, or else below, inside the picture and clear of other captions if it can be."""
        width = max(cv2.getTextSize(_ascii(line), _FONT, self._scale, self.stroke)[0][0] for line in lines)
        height = self.line_pixels * len(lines)
        left = min(max(face.left, self.margin), max(self.margin, self.width - self.margin - width))
        above = face.top - self.margin - height
        lowest = self.height - self.margin - height
        starts = [above] if above >= self.margin else []
        starts += [min(max(face.bottom + self.margin + step * self.line_pixels, self.margin), lowest) for step in range(6)]
        places = [FaceBox(left, top, left + width, top + height) for top in starts]
        return next((place for place in places if not any(_meet(place, other) for other in taken)), places[0])

    def masks(self, mark: Mark, face: FaceBox, caption: FaceBox, canvas: FaceBox) -> tuple[Mask, Mask]:
        """(H, W) each, of a part of the picture: what is drawn in black, and over it in colour."""
        halo, ink = (np.zeros((round(canvas.height), round(canvas.width)), np.uint8) for _ in range(2))
        corners = (
            np.array([face.left - canvas.left, face.top - canvas.top, face.right - canvas.left, face.bottom - canvas.top])
            .round()
            .astype(int)
        )
        for mask, stroke in ((halo, 3 * self.stroke), (ink, self.stroke)):
            for start, end in _outline(corners, None if mark.covered else 8 * self.stroke):
                cv2.line(mask, start, end, 255, stroke + self.stroke)
            for row, line in enumerate(mark.lines):
                base = caption.top - canvas.top + (row + 0.8) * self.line_pixels
                at = (round(caption.left - canvas.left), round(base))
                cv2.putText(mask, _ascii(line), at, _FONT, self._scale, 255, stroke, cv2.LINE_AA)
        return halo, ink


def _outline(corners: Ints, dash_pixels: int | None) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The lines of a rectangle's sides, dashed where the length of a dash is given."""
    left, top, right, bottom = corners.tolist()
    sides = [((left, top), (right, top)), ((right, top), (right, bottom)), ((right, bottom), (left, bottom)), ((left, bottom), (left, top))]
    for start, end in sides:
        if dash_pixels is None:
            yield start, end
            continue
        length = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for first in range(0, length, 2 * dash_pixels):
            shares = (first / length, min(first + dash_pixels, length) / length)
            one, other = (
                (round(start[0] + share * (end[0] - start[0])), round(start[1] + share * (end[1] - start[1]))) for share in shares
            )
            yield one, other


def _colour(planes: Sequence[Plane], canvas: npt.NDArray[np.int64], mask: Mask, levels: dict[str, int]) -> None:
    """Gives a colour to a part of the picture, by a mask of it."""
    for plane in planes:
        rows, columns = window(plane, FaceBox(*map(float, canvas)))
        region = plane.samples[rows, columns]
        share = cv2.resize(mask, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32)
        blend(region, np.full_like(region, levels[plane.name] << (plane.bits - 8)), np.asarray(share, np.float32) / np.float32(255))


def _in_whole_samples(upright: FaceBox, width: int, height: int, rotation_degrees: Rotation) -> npt.NDArray[np.int64]:
    """(4,): a box of the upright picture, in the decoded one, inside it and with whole samples of every plane."""
    box = boxes_to_decoded(np.array([[upright.left, upright.top, upright.right, upright.bottom]]), width, height, rotation_degrees)[0]
    whole = np.concatenate([np.floor(box[:2] / _ALIGNED_PIXELS), np.ceil(box[2:] / _ALIGNED_PIXELS)]) * _ALIGNED_PIXELS
    return np.asarray(np.clip(whole, 0, [width, height, width, height]), np.int64)


def _union(one: FaceBox, other: FaceBox, margin: float) -> FaceBox:
    return FaceBox(
        min(one.left, other.left) - margin,
        min(one.top, other.top) - margin,
        max(one.right, other.right) + margin,
        max(one.bottom, other.bottom) + margin,
    )


def _meet(one: FaceBox, other: FaceBox) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def _ascii(text: str) -> str:
    """What OpenCV's fonts can draw of a text."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
