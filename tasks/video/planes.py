"""A frame's own samples, plane by plane, to be looked at and changed in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.format import VideoFormat
from av.video.plane import VideoPlane
from av.video.reformatter import VideoReformatter

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_PLANAR = re.compile(r"(gray|gbrp|yuvj?4\d\dp)(9|10|12|14|16)?(le)?")


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """One plane of a frame.

    name: y, u, v for luma and chroma; g, b, r where the picture is stored so
    samples: (H, W) uint8 or uint16, a writable view of the frame's memory
    horizontal_step, vertical_step: how many pixels of the picture one sample stands for
    bits: significant bits of a sample, counted from the lowest
    """

    name: str
    samples: Samples
    horizontal_step: int
    vertical_step: int
    bits: int


def planes(frame: av.VideoFrame) -> list[Plane]:
    """The planes of a planar frame, as views; raises ValueError for a packed one (see `as_planar`)."""
    if not is_planar(frame.format.name):
        raise ValueError(f"{frame.format.name} is not planar: take as_planar(frame) first")
    names = "gbr" if frame.format.name.startswith("gbr") else "yuv"
    # Chroma is subsampled by powers of two; asking for 8 pixels keeps rounding of small pictures out of it.
    steps = (8 // frame.format.chroma_width(8), 8 // frame.format.chroma_height(8))
    bits = frame.format.components[0].bits
    return [
        Plane(name, _samples(plane, bits), *(steps if name in "uv" else (1, 1)), bits)
        for name, plane in zip(names, frame.planes, strict=False)
    ]


def is_planar(pixel_format: str) -> bool:
    """Whether `planes` can show frames of a pixel format."""
    return _PLANAR.fullmatch(pixel_format) is not None


def planar_format(pixel_format: str) -> str:
    """The planar pixel format that holds every colour of the given one; transparency is left out.

    >>> planar_format("nv12"), planar_format("p010le"), planar_format("pal8"), planar_format("yuyv422")
    ('yuv420p', 'yuv420p10le', 'gbrp', 'yuv422p')
    """
    if is_planar(pixel_format):
        return pixel_format
    layout = VideoFormat(pixel_format, 8, 8)
    colours = [component for component in layout.components if not component.is_alpha]
    bits = 8 if layout.has_palette else max(component.bits for component in colours)
    depth = next((f"{depth}le" for depth in (9, 10, 12, 14, 16) if depth >= bits), "16le") if bits > 8 else ""
    if layout.is_rgb or layout.has_palette or layout.is_bayer:
        return f"gbrp{depth}"
    if len(colours) < 3:
        return f"gray{depth}"
    sampling = {(8, 8): "444", (4, 8): "422", (4, 4): "420", (8, 4): "440", (2, 8): "411", (2, 2): "410"}
    return f"yuv{sampling[layout.chroma_width(8), layout.chroma_height(8)]}p{depth}"


def as_planar(frame: av.VideoFrame) -> av.VideoFrame:
    """The same picture in planes: the frame itself where it has them, otherwise a converted copy with the same times and colour tags."""
    wanted = planar_format(frame.format.name)
    if wanted == frame.format.name:
        return frame
    # The same range on both sides: samples are moved, not rescaled.
    full = 2 if wanted.startswith("gbr") else frame.color_range
    # Not by the frame's own reformatter, which two threads may not use at once.
    return VideoReformatter().reformat(frame, format=wanted, src_color_range=full or None, dst_color_range=full or None)


def in_colour(frame: av.VideoFrame) -> av.VideoFrame:
    """A grey picture as YUV with 4:2:0 chroma that says nothing: the same luma, which a conversion would take for another range."""
    grey = planes(frame)[0]
    coloured = av.VideoFrame(frame.width, frame.height, frame.format.name.replace("gray", "yuv420p"))
    for plane in planes(coloured):
        plane.samples[:] = grey.samples if plane.name == "y" else 1 << (grey.bits - 1)
    coloured.pts, coloured.time_base = frame.pts, frame.time_base
    coloured.color_range, coloured.colorspace = frame.color_range, frame.colorspace
    coloured.color_primaries, coloured.color_trc = frame.color_primaries, frame.color_trc
    return coloured


def editable(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame, safe to change in place.

    A decoder may still predict from a frame that it has handed out. FFmpeg counts who holds the samples: where the decoder does too, the
    frame gets its own copy of them; where nobody else does, it is used as it is. Times and colour tags stay.
    """
    frame.make_writable()
    return frame


def _samples(plane: VideoPlane, bits: int) -> Samples:
    dtype: type[np.uint8 | np.uint16] = np.uint8 if bits <= 8 else np.uint16
    rows = np.frombuffer(cast(Any, plane), dtype).reshape(plane.height, -1)
    return cast(Samples, rows[:, : plane.width])
