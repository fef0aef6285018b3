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
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_NO_FILL = re.compile(rb"[^\xff]")
_MOST_SEGMENTS = 10_000
# Each scan goes over all of the picture again, however short it is: a small file can take minutes.
_MOST_SCANS = 100  # as libtiff has it; encoders make about ten
_MOST_SCANNED_PIXELS = 3_000_000_000


def is_jpeg(content: bytes) -> bool:
    return content[:2] == b"\xff\xd8"


def header(content: bytes) -> Header:
    width = height = num_scans = 0
    orientation = UPRIGHT
    for marker, segment in _segments(content):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", segment, 5)
        elif marker == 0xE1 and segment[4:].startswith(_EXIF):
            orientation = exif_orientation(segment[10:])
        num_scans += marker == _SOS
    _check_scans(num_scans, width * height)
    return Header(width, height, orientation)


def check_scans(content: bytes) -> None:
    """Raises ValueError for a picture that takes long to decode by design; one that is damaged in another way is let pass."""
    num_scans = num_pixels = at = 0
    try:
        for marker, segment in _segments(content):
            at += len(segment)
            num_scans += marker == _SOS
            if marker in _FRAMES:
                height, width = struct.unpack_from(">HH", segment, 5)
                num_pixels = height * width
    except (ValueError, struct.error):
        num_scans += content.count(bytes([0xFF, _SOS]), at)  # decoders look for markers behind what they do not understand
    _check_scans(num_scans, num_pixels)


def _check_scans(num_scans: int, num_pixels: int) -> None:
    if num_scans > min(_MOST_SCANS, _MOST_SCANNED_PIXELS // max(1, num_pixels)):
        raise ValueError(f"goes over its picture {num_scans} times, more than any camera or encoder does")


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
    if not is_jpeg(content):
        raise ValueError("is not a JPEG")
    yield _SOI, content[:2]
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if content[at : at + 1] not in (b"\xff", b""):
            raise ValueError("is damaged")
        # A marker may have bytes before it that only fill.
        found = _NO_FILL.search(content, at)
        if found is None:
            raise ValueError("ends early")
        at, marker = found.start() - 1, content[found.start()]
        if marker == _EOI:
            yield _EOI, b"\xff\xd9"
            return
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _SOS:
            found = _SCAN_END.search(content, end)
            end = found.start() if found else len(content)
        yield marker, content[at:end]
        at = end
    raise ValueError("has more parts than any camera or encoder makes")
