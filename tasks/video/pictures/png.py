"""PNG: chunks, of which a list of harmless ones is kept."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from tasks.video.pictures.orientation import UPRIGHT, Header, exif_orientation, exif_saying

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_COLOURS = {b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"mDCv", b"cLLI", b"cLLi", b"pHYs"}
_OF_THESE_SAMPLES = {b"sBIT", b"bKGD"}
_MOST_CHUNKS = 200_000  # twice as many as a picture of the largest size has, whose pixels come 8 KiB at a time


def header(content: bytes) -> Header:
    parts = dict(_chunks(content))
    if len(parts.get(b"IHDR", b"")) < 8:
        raise ValueError("has no picture")
    width, height = struct.unpack_from(">II", parts[b"IHDR"])
    return Header(width, height, exif_orientation(parts.get(b"eXIf", b"")))


def is_moving(file: BinaryIO) -> bool:
    """Whether it is an animation; reads no pixels."""
    if file.read(len(_SIGNATURE)) != _SIGNATURE:
        return False
    for _ in range(_MOST_CHUNKS):
        head = file.read(8)
        if len(head) < 8 or head[4:] in (b"IDAT", b"acTL"):
            return head[4:] == b"acTL"
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return False


def pixels(content: bytes) -> bytes:
    """What a decoder needs. FFmpeg inflates texts and profiles to whatever size they have: it is given none."""
    return _written((kind, data) for kind, data in _chunks(content) if kind in _PIXELS | _COLOURS - {b"iCCP"})


def clean(content: bytes) -> bytes:
    """Without texts, times, Exif, unknown chunks, the further pictures of an animation, and what follows the end."""
    kept = []
    for kind, data in _chunks(content):
        if kind in _PIXELS | _COLOURS | _OF_THESE_SAMPLES:
            kept.append((kind, data))
        elif kind == b"eXIf":
            kept += _turn(data)
    return _written(kept)


def carried(encoded: bytes, source: bytes) -> bytes:
    first, *rest = [(kind, data) for kind, data in _chunks(encoded) if kind in _PIXELS]
    colours = [(kind, data) for kind, data in _chunks(source) if kind in _COLOURS] if source else []
    turns = [turn for kind, data in _chunks(source) if kind == b"eXIf" for turn in _turn(data)] if source else []
    return _written([first, *colours, *turns, *rest])


def turned(encoded: bytes, orientation: int) -> bytes:
    first, *rest = [(kind, data) for kind, data in _chunks(encoded) if kind in _PIXELS | _COLOURS]
    return _written([first, *_turn(exif_saying(orientation)), *rest])


def _turn(exif: bytes) -> list[tuple[bytes, bytes]]:
    orientation = exif_orientation(exif)
    return [] if orientation == UPRIGHT else [(b"eXIf", exif_saying(orientation))]


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not content.startswith(_SIGNATURE):
        raise ValueError("is not a PNG")
    at = len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if at + 12 > len(content):
            raise ValueError("ends early")
        (length,) = struct.unpack_from(">I", content, at)
        kind, end = content[at + 4 : at + 8], at + 12 + length
        if end > len(content):
            raise ValueError("ends early")
        data = content[at + 8 : end - 4]
        if kind in _PIXELS and zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(content[end - 4 : end], "big"):
            raise ValueError("is damaged")  # it gets a sum that is right when it is written
        yield kind, data
        if kind == b"IEND":
            return
        at = end
    raise ValueError("has more parts than any encoder makes")


def _written(chunks: Iterable[tuple[bytes, bytes]]) -> bytes:
    parts = [struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks]
    return b"".join([_SIGNATURE, *parts])
