"""WebP: chunks of a RIFF file, of which those of one still picture are kept."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from tasks.video.pictures.orientation import UPRIGHT, Header, exif_orientation, exif_saying

_PIXELS = (b"ALPH", b"VP8 ", b"VP8L")
_HAS_ICC, _HAS_ALPHA, _HAS_EXIF, _IS_MOVING = 0x20, 0x10, 0x08, 0x02
_MOST_CHUNKS = 10_000


def header(content: bytes) -> Header:
    parts = dict(_chunks(content))
    if len(parts.get(b"VP8 ", bytes(10))) < 10 or len(parts.get(b"VP8L", bytes(5))) < 5:
        raise ValueError("is damaged")
    if b"VP8 " in parts:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", parts[b"VP8 "], 6))
    elif b"VP8L" in parts:
        (packed,) = struct.unpack_from("<I", parts[b"VP8L"], 1)
        width, height = (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    else:
        raise ValueError("is not a single picture" if b"ANIM" in parts else "has no picture")
    return Header(width, height, _orientation(parts))


def is_moving(file: BinaryIO) -> bool:
    """Whether it is an animation; reads no pixels."""
    head = file.read(21)
    return head[8:16] == b"WEBPVP8X" and bool(head[20:] and head[20] & _IS_MOVING)


def size_of_moving(content: bytes) -> tuple[int, int]:
    """Width and height of an animation."""
    return int.from_bytes(content[24:27], "little") + 1, int.from_bytes(content[27:30], "little") + 1


def is_lossless(content: bytes) -> bool:
    return b"VP8L" in dict(_chunks(content))


def clean(content: bytes) -> bytes:
    """Without Exif (but for a turn), XMP, unknown chunks and what follows the end."""
    parts = dict(_chunks(content))
    header(content)
    return _written(content, {kind: parts[kind] for kind in _PIXELS if kind in parts}, parts.get(b"ICCP"), _orientation(parts))


def carried(encoded: bytes, source: bytes) -> bytes:
    parts, said = dict(_chunks(encoded)), dict(_chunks(source)) if source else {}
    return _written(encoded, {kind: parts[kind] for kind in _PIXELS if kind in parts}, said.get(b"ICCP"), _orientation(said))


def turned(encoded: bytes, orientation: int) -> bytes:
    parts = dict(_chunks(encoded))
    return _written(encoded, {kind: parts[kind] for kind in _PIXELS if kind in parts}, None, orientation)


def _orientation(parts: dict[bytes, bytes]) -> int:
    return exif_orientation(parts.get(b"EXIF", b"").removeprefix(b"Exif\0\0"))


def _written(content: bytes, pixels: dict[bytes, bytes], icc: bytes | None, orientation: int) -> bytes:
    width, height, _ = header(content)
    flags = (_HAS_ICC if icc else 0) | (_HAS_EXIF if orientation != UPRIGHT else 0)
    extended = dict(_chunks(content)).get(b"VP8X")
    if extended:
        flags |= extended[0] & _HAS_ALPHA
    chunks = list(pixels.items())
    if extended or flags:
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks = [(b"VP8X", bytes([flags, 0, 0, 0]) + sides), *([(b"ICCP", icc)] if icc else []), *chunks]
        chunks += [] if orientation == UPRIGHT else [(b"EXIF", exif_saying(orientation))]
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise ValueError("is not a WebP")
    end = 8 + int.from_bytes(content[4:8], "little")
    if end > len(content):
        raise ValueError("ends early")
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > end:
            return
        length = int.from_bytes(content[at + 4 : at + 8], "little")
        if at + 8 + length > end:
            raise ValueError("ends early")
        yield content[at : at + 4], content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise ValueError("has more parts than any encoder makes")
