"""JPEG: marker segments; of the applications' ones, those that say what the colours mean are kept."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from tasks.video.pictures.orientation import UPRIGHT, Header, exif_orientation, exif_saying

_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APPLICATIONS = range(0xE0, 0xF0)
_PICTURE = frozenset(range(0xC0, 0xDE)) - {0xC8}  # frames, tables, scans and what parts them; 0xC8 is for extensions
_JFIF, _EXIF, _ICC, _ADOBE = b"JFIF\0", b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_SCAN_END = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


def header(content: bytes) -> Header:
    width = height = 0
    orientation = UPRIGHT
    for marker, segment in _segments(content):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", segment, 5)
        elif marker == 0xE1 and segment[4:].startswith(_EXIF):
            orientation = exif_orientation(segment[10:])
    return Header(width, height, orientation)


def clean(content: bytes) -> bytes:
    """Without Exif, XMP, thumbnails, comments, further pictures and what follows the end."""
    return b"".join(kept for marker, segment in _segments(content) for kept in _kept(marker, segment))


def carried(encoded: bytes, source: bytes) -> bytes:
    said = []
    same_channels = bool(source) and _num_channels(encoded) == _num_channels(source)
    for marker, segment in _segments(source) if source else ():
        if marker in _APPLICATIONS and marker != 0xEE and (same_channels or not segment[4:].startswith(_ICC)):
            said += _kept(marker, segment)
    start, *rest = [segment for marker, segment in _segments(encoded) if marker not in (*_APPLICATIONS, _COMMENT)]
    return b"".join([start, *said, *rest])


def turned(encoded: bytes, orientation: int) -> bytes:
    start, *rest = [segment for marker, segment in _segments(encoded) if marker != _COMMENT]
    return b"".join([start, *([] if orientation == UPRIGHT else [_exif_segment(orientation)]), *rest])


def _kept(marker: int, segment: bytes) -> list[bytes]:
    if marker == _COMMENT:
        return []
    if marker not in _APPLICATIONS:
        return [segment] if marker in _PICTURE else []
    said = segment[4:]
    if marker == 0xE0 and said.startswith(_JFIF) and len(said) >= 14:
        # Its last two numbers are the size of a thumbnail that would follow.
        return [segment[:2] + struct.pack(">H", 16) + said[:12] + b"\0\0"]
    if (marker == 0xE2 and said.startswith(_ICC)) or (marker == 0xEE and said.startswith(_ADOBE)):
        return [segment]
    if marker == 0xE1 and said.startswith(_EXIF) and exif_orientation(said[6:]) != UPRIGHT:
        return [_exif_segment(exif_orientation(said[6:]))]
    return []


def _exif_segment(orientation: int) -> bytes:
    said = _EXIF + exif_saying(orientation)
    return b"\xff\xe1" + struct.pack(">H", len(said) + 2) + said


def _num_channels(content: bytes) -> int:
    return next((segment[9] for marker, segment in _segments(content) if marker in _FRAMES), 0)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment, its marker included; a scan has its data with it."""
    if content[:2] != b"\xff\xd8":
        raise ValueError("is not a JPEG")
    yield _SOI, content[:2]
    at = 2
    while at + 2 <= len(content):
        if content[at] != 0xFF:
            raise ValueError("is damaged")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker == _EOI:
            yield _EOI, b"\xff\xd9"
            return
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _SOS:
            found = _SCAN_END.search(content, end)
            end = found.start() if found else len(content)
        yield marker, content[at:end]
        at = end
    raise ValueError("ends early")
