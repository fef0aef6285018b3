"""The kinds of picture: which FFmpeg codec they are, and the functions on their bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from tasks import MOST_PIXELS
from tasks.video.opening import LARGEST_SIDE
from tasks.video.pictures import bmp, heic, jpeg, png, tiff, webp
from tasks.video.pictures.orientation import Header

BROKEN = (ValueError, LookupError, ArithmeticError, struct.error)
"""what the functions of a kind raise for a file that is not as it should be"""


class TooLarge(ValueError):
    """A picture that is not decoded for its size."""


@dataclass(frozen=True)
class Kind:
    """A kind of picture that is read, by the endings of its files."""

    codec: str
    """FFmpeg's name of its decoder"""
    header: Callable[[bytes], Header]
    decoded: Callable[[bytes], av.VideoFrame]


@dataclass(frozen=True)
class WrittenKind(Kind):
    """One that is written too."""

    clean: Callable[[bytes], bytes]
    """the same pixels, bit for bit, and nothing else"""
    carried: Callable[[bytes, bytes], bytes]
    """the first picture with colours and turn of the second, which may be none"""
    turned: Callable[[bytes, int], bytes]


def header_of(content: bytes, kind: Kind) -> Header:
    """Raises one of BROKEN; TooLarge for what is not decoded."""
    header = kind.header(content)
    if not (0 < header.width <= LARGEST_SIDE and 0 < header.height <= LARGEST_SIDE):
        raise TooLarge(f"has {header.width}x{header.height} pixels, outside 1 to {LARGEST_SIDE}")
    if header.width * header.height > MOST_PIXELS:
        raise TooLarge(f"has {header.width}x{header.height} pixels, more than {MOST_PIXELS // 10**6} million")
    return header


def decode(content: bytes, kind: Kind) -> av.VideoFrame:
    """The picture, in the samples that its file holds; raises one of BROKEN where it cannot be decoded, or is not, for its size."""
    header_of(content, kind)
    return kind.decoded(content)


def _by_ffmpeg(codec: str, needed: Callable[[bytes], bytes]) -> Callable[[bytes], av.VideoFrame]:
    """A decoder that is given what is needed of a file: no texts, notes, or further pictures."""

    def decoded(content: bytes) -> av.VideoFrame:
        context = cast(VideoCodecContext, av.CodecContext.create(codec, "r"))
        context.thread_count = 1
        context.options = {"max_pixels": str(MOST_PIXELS)}
        try:
            frames = [*context.decode(av.Packet(needed(content))), *context.decode(None)]
        except (av.FFmpegError, MemoryError) as error:
            raise ValueError("cannot be decoded") from error
        if not frames or frames[0].is_corrupt:
            raise ValueError("cannot be decoded")
        return frames[0]

    return decoded


def _heic_frame(content: bytes) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(heic.picture_rgb(content), "rgb24")


_PNG = WrittenKind("png", png.header, _by_ffmpeg("png", png.pixels), png.clean, png.carried, png.turned)
_JPEG = WrittenKind("mjpeg", jpeg.header, _by_ffmpeg("mjpeg", jpeg.clean), jpeg.clean, jpeg.carried, jpeg.turned)
_WEBP = WrittenKind("webp", webp.header, _by_ffmpeg("webp", webp.clean), webp.clean, webp.carried, webp.turned)
_TIFF = WrittenKind("tiff", tiff.header, _by_ffmpeg("tiff", tiff.clean), tiff.clean, tiff.carried, tiff.turned)
_BMP = WrittenKind("bmp", bmp.header, _by_ffmpeg("bmp", bmp.clean), bmp.clean, bmp.carried, bmp.turned)
_HEIC = Kind("heic", heic.header, _heic_frame)

WRITTEN = {".png": _PNG, ".jpg": _JPEG, ".jpeg": _JPEG, ".webp": _WEBP, ".tif": _TIFF, ".tiff": _TIFF, ".bmp": _BMP}
BY_CODEC = {kind.codec: kind for kind in WRITTEN.values()}
KINDS: dict[str, Kind] = {**WRITTEN, **dict.fromkeys(heic.SUFFIXES, _HEIC)}
