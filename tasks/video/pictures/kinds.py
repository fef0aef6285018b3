"""The kinds of picture: which FFmpeg codec they are, and the functions on their bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from tasks.video.pictures import bmp, jpeg, png, tiff, webp
from tasks.video.pictures.orientation import Header


@dataclass(frozen=True)
class Kind:
    """A kind of picture, by the endings of its files."""

    codec: str
    """FFmpeg's name of its decoder"""
    header: Callable[[bytes], Header]
    clean: Callable[[bytes], bytes]
    """the same pixels, bit for bit, and nothing else"""
    carried: Callable[[bytes, bytes], bytes]
    """the first picture with colours and turn of the second, which may be none"""
    turned: Callable[[bytes, int], bytes]


_PNG = Kind("png", png.header, png.clean, png.carried, png.turned)
_JPEG = Kind("mjpeg", jpeg.header, jpeg.clean, jpeg.carried, jpeg.turned)
_WEBP = Kind("webp", webp.header, webp.clean, webp.carried, webp.turned)
_TIFF = Kind("tiff", tiff.header, tiff.clean, tiff.carried, tiff.turned)
_BMP = Kind("bmp", bmp.header, bmp.clean, bmp.carried, bmp.turned)

KINDS = {".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".webp": _WEBP, ".tif": _TIFF, ".tiff": _TIFF, ".bmp": _BMP}
BY_CODEC = {kind.codec: kind for kind in KINDS.values()}


def decode(content: bytes, kind: Kind) -> av.VideoFrame:
    """The picture, in the samples that its file holds; raises ValueError where it cannot be decoded."""
    context = cast(VideoCodecContext, av.CodecContext.create(kind.codec, "r"))
    context.thread_count = 1
    try:
        frames = [*context.decode(av.Packet(content)), *context.decode(None)]
    except av.FFmpegError as error:
        raise ValueError("cannot be decoded") from error
    if not frames or frames[0].is_corrupt:
        raise ValueError("cannot be decoded")
    return frames[0]
