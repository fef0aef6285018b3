"""A box around a face, and beside it whose it is and why it is covered or kept: for review."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from tasks.blurs.regions import WHOLE, blend, window
from tasks.faces import FaceBox, Floats
from tasks.video.planes import Plane
from tasks.video.upright import Rotation, boxes_to_decoded, boxes_to_upright, upright_size

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_TEXT_HEIGHT = 0.027  # of the upright picture's
_LEAST_TEXT_PIXELS = 11
_PLATE = 210  # of 255: how black it is behind a caption
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


def draw(marks: Sequence[Mark], planes: Sequence[Plane], rotation_degrees: Rotation, mirrored: bool = False) -> None:
    """Draws marks on a picture, in place, readable when it is upright: solid and orange covered faces, dashed and blue the kept ones."""
    height, width = planes[0].samples.shape
    turn = (width, height, rotation_degrees, mirrored)
    pen = _Pen(*upright_size(width, height, rotation_degrees))
    taken: list[Floats] = []
    for mark in marks:
        face = boxes_to_upright(mark.box[None], *turn)[0]
        taken.append(caption := pen.free_place(mark.lines, face, taken))
        union = np.concatenate([np.minimum(face[:2], caption[:2]) - pen.margin, np.maximum(face[2:], caption[2:]) + pen.margin])
        canvas = _in_whole_samples(boxes_to_decoded(union[None], *turn)[0], width, height)
        upright = boxes_to_upright(canvas[None], *turn)[0]
        masks = pen.masks(mark, face, caption, upright)
        for mask, levels in zip(masks, (_BLACK, _ORANGE if mark.covered else _SKY_BLUE), strict=True):
            _colour(planes, canvas, np.rot90(mask[:, ::-1] if mirrored else mask, rotation_degrees // 90), levels)


class _Pen:
    """Draws on upright pictures of a width and height; boxes are (4,), in pixels of these."""

    def __init__(self, width: int, height: int) -> None:
        self.size = np.array([width, height])
        self.stroke = max(1, round(height / 400))
        self.margin = 4 * self.stroke
        text_pixels = max(_LEAST_TEXT_PIXELS, _TEXT_HEIGHT * height)
        self.line_pixels = round(1.7 * text_pixels)  # from one line of a caption to the next
        self.scale = text_pixels / cv2.getTextSize("0", _FONT, 1, 1)[0][1]

    def free_place(self, lines: Sequence[str], face: Floats, taken: Sequence[Floats]) -> Floats:
        """Where a caption goes: above its face, or else below, inside the picture and clear of other captions if it can be."""
        widest = max(cv2.getTextSize(_ascii(line), _FONT, self.scale, self.stroke)[0][0] for line in lines)
        size = np.array([widest + self.margin, self.line_pixels * len(lines)])
        last = np.maximum(self.size - self.margin - size, self.margin)
        tops = [face[1] - self.margin - size[1], *(face[3] + self.margin + step * self.line_pixels for step in range(6))]
        corners = [np.clip([face[0], top], self.margin, last) for top in (tops if tops[0] >= self.margin else tops[1:])]
        places = [np.concatenate([corner, corner + size]).astype(np.float32) for corner in corners]
        return next((place for place in places if not any(_meet(place, other) for other in taken)), places[0])

    def masks(self, mark: Mark, face: Floats, caption: Floats, canvas: Floats) -> tuple[Mask, Mask]:
        """(H, W) each, of a part of the picture: what is drawn in black, and over it in colour."""
        width, height = (canvas[2:] - canvas[:2]).astype(int).tolist()
        black, colour = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
        outline, plate = ((box - np.tile(canvas[:2], 2)).round().astype(int).tolist() for box in (face, caption))
        for mask, stroke in ((black, 4 * self.stroke), (colour, 2 * self.stroke)):
            cv2.rectangle(mask, outline[:2], outline[2:], 255, stroke)
        if not mark.covered:
            gaps = np.add.outer(np.arange(height), np.arange(width)) // (8 * self.stroke) % 2 == 1
            black[gaps], colour[gaps] = 0, 0
        cv2.rectangle(black, [side - self.stroke for side in plate[:2]], [side + self.stroke for side in plate[2:]], _PLATE, -1)
        cv2.rectangle(colour, plate[:2], plate[2:], 0, -1)
        for row, line in enumerate(mark.lines):
            at = plate[0] + self.stroke, round(plate[1] + (row + 0.8) * self.line_pixels)
            cv2.putText(colour, _ascii(line), at, _FONT, self.scale, 255, self.stroke, cv2.LINE_AA)
        return black, colour


def _colour(planes: Sequence[Plane], canvas: Floats, mask: Mask, levels: dict[str, int]) -> None:
    """Gives a colour to a part of the picture, by a mask of it."""
    for plane in planes:
        region = plane.samples[window(plane, FaceBox(*map(float, canvas)))]
        share = cv2.resize(mask, (region.shape[1], region.shape[0]), interpolation=cv2.INTER_AREA)
        blend(region, np.full(1, levels[plane.name] << (plane.bits - 8), region.dtype), share.astype(np.int16) * WHOLE // 255)


def _in_whole_samples(box: Floats, width: int, height: int) -> Floats:
    """The box inside the picture, with whole samples of every plane."""
    whole = np.concatenate([np.floor(box[:2] / _ALIGNED_PIXELS), np.ceil(box[2:] / _ALIGNED_PIXELS)]) * _ALIGNED_PIXELS
    return np.asarray(np.clip(whole, 0, [width, height, width, height]), np.float32)


def _meet(one: Floats, other: Floats) -> bool:
    return bool(np.all(one[:2] < other[2:]) and np.all(other[:2] < one[2:]))


def _ascii(text: str) -> str:
    """What OpenCV's fonts can draw of a text."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
