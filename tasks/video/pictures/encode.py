"""A frame as a picture's file: lossless where the format is, close to it where it is not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext

from tasks.video.info import VideoInfo
from tasks.video.pictures.kinds import Kind

_LIMITED, _FULL, _UNSPECIFIED = 1, 2, 2
_BT709, _BT601 = 1, 5
_HD_LINES = 720  # from which pictures that say nothing are taken for BT.709
_JPEG_SUBSAMPLING = {"yuvj420p": "yuvj420p", "yuvj422p": "yuvj422p", "yuv420p": "yuvj420p", "yuv422p": "yuvj422p"}
_OPTIONS: dict[str, dict[str, str]] = {
    "png": {"flags": "+bitexact"},
    "tiff": {"flags": "+bitexact", "compression_algo": "deflate"},
    "bmp": {"flags": "+bitexact"},
    # The finest quantiser that there is, for each block.
    "mjpeg": {"flags": "+bitexact+qscale", "global_quality": "118", "qmin": "1", "mbqmin": "1"},
}
_WEBP_QUALITY = "95"


def encode_picture(frame: av.VideoFrame, original: av.VideoFrame, kind: Kind, info: VideoInfo, *, lossless: bool = True) -> bytes:
    """The frame as a file of the kind; how transparent it is, is taken from `original`, of which it is an altered copy.

    `info` says what the samples mean; `lossless` is for WebP, which can be either.
    """
    picture = _as_written(frame, original, kind.codec, info, lossless)
    context = cast(VideoCodecContext, av.CodecContext.create("libwebp" if kind.codec == "webp" else kind.codec, "w"))
    context.width, context.height, context.pix_fmt = picture.width, picture.height, picture.format.name
    context.time_base = Fraction(1, 25)
    context.thread_count = 1
    webp = {"lossless": str(int(lossless)), "quality": "75" if lossless else _WEBP_QUALITY}
    context.options = _OPTIONS.get(kind.codec, webp)
    picture.pts, picture.pict_type = 0, 0
    return b"".join(bytes(packet) for packet in [*context.encode(picture), *context.encode(None)])


def _as_written(frame: av.VideoFrame, original: av.VideoFrame, codec: str, info: VideoInfo, lossless: bool) -> av.VideoFrame:
    """The frame in a pixel format that the codec writes, with the least loss."""
    name, deep = original.format.name, any(component.bits > 8 for component in original.format.components)
    has_alpha = any(component.is_alpha for component in original.format.components) or original.format.has_palette
    is_grey = frame.format.name.startswith("gray")
    if codec == "mjpeg":
        return _converted(frame, _JPEG_SUBSAMPLING.get(name, "yuvj444p"), info)
    if codec == "webp" and not lossless:
        return _with_alpha_plane(frame, original) if name == "yuva420p" else _converted(frame, "yuv420p", info)
    if codec in ("png", "tiff") and is_grey and not has_alpha:
        little = "le" if codec == "tiff" else "be"
        return _converted(frame, f"gray16{little}" if deep else "gray", info)
    deep = deep and codec in ("png", "tiff")
    if has_alpha and (merged := _merged(frame, original, deep, info)) is not None:
        opaque = {"png": "rgba64be", "tiff": "rgba64le"}[codec] if deep else {"bmp": "bgra", "webp": "bgra"}.get(codec, "rgba")
        return merged.reformat(format=opaque, src_color_range=_FULL, dst_color_range=_FULL)
    plain = {"png": "rgb48be", "tiff": "rgb48le"}[codec] if deep else {"bmp": "bgr24", "webp": "bgra"}.get(codec, "rgb24")
    return _converted(frame, plain, info)


def _converted(frame: av.VideoFrame, pixel_format: str, info: VideoInfo) -> av.VideoFrame:
    """The frame in another pixel format; samples that mean the same are moved, not rescaled."""
    if frame.format.name == pixel_format:
        return frame
    is_rgb = frame.format.name.startswith(("gbr", "gray", "rgb"))
    limited = not is_rgb and info.colour_range != "full" and not frame.format.name.startswith("yuvj")
    unsaid = _BT709 if info.height >= _HD_LINES else _BT601
    return frame.reformat(
        format=pixel_format,
        src_colorspace=unsaid if info.colour_matrix in (0, _UNSPECIFIED) else info.colour_matrix,
        dst_colorspace=_BT601 if pixel_format.startswith("yuvj") else None,
        src_color_range=_LIMITED if limited else _FULL,
        dst_color_range=_LIMITED if pixel_format == "yuv420p" else _FULL,
    )


def _merged(frame: av.VideoFrame, original: av.VideoFrame, deep: bool, info: VideoInfo) -> av.VideoFrame | None:
    """The frame's colours with the original's transparency; None where it has none."""
    colours, whole = ("rgb48le", "rgba64le") if deep else ("rgb24", "rgba")
    alpha = original.reformat(format=whole).to_ndarray()[..., 3]
    if original.format.has_palette and alpha.min() == 255:
        return None
    opaque = _converted(frame, colours, info).to_ndarray()
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(np.dstack([opaque, alpha])), whole)


def _with_alpha_plane(frame: av.VideoFrame, original: av.VideoFrame) -> av.VideoFrame:
    merged = av.VideoFrame(frame.width, frame.height, "yuva420p")
    for place, plane in enumerate([*frame.planes, original.planes[3]]):
        _rows(merged.planes[place])[:, : plane.width] = _rows(plane)[:, : plane.width]
    return merged


def _rows(plane: Any) -> npt.NDArray[np.uint8]:
    return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
