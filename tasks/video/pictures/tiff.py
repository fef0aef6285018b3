"""TIFF: a directory of tags that point into the file; what no kept tag points to is blanked, so that nothing has to move."""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from tasks.video.pictures.orientation import ORIENTATION, UPRIGHT, Header

_KINDS = {1: "B", 2: "B", 3: "H", 4: "I", 5: "II", 6: "b", 7: "B", 8: "h", 9: "i", 10: "ii", 11: "f", 12: "d"}
_WIDTH, _HEIGHT, _COMPRESSION, _SAMPLES, _EXTRA, _ICC = 256, 257, 259, 277, 338, 34675
_OLD_JPEG = 6
_RESOLUTION = {282, 283, 296}
_WHOLE = "BHI"
_MOST_VALUES = 500_000  # more tiles of 16 x 16 than the largest picture has
_DATA = {273: 279, 324: 325}  # tags of where strips or tiles are, and of how long they are
# What is needed to decode the pixels, and what says what they mean.
_KEPT = (
    {254, _WIDTH, _HEIGHT, 258, _COMPRESSION, 262, 266, 273, ORIENTATION, _SAMPLES, 278, 279, 284, 292, 293, 301, 317, 318, 319, 320}
    | {322, 323, 324, 325, _EXTRA, 339, 340, 341, 347, 529, 530, 531, 532, _ICC}
    | _RESOLUTION
)


class _Entry(NamedTuple):
    raw: bytes  # its 12 bytes
    order: str
    kind: int
    num_values: int
    start: int  # where the values lie
    num_bytes: int

    def numbers(self, content: bytes) -> tuple[int, ...]:
        """Its values. Raises ValueError where they are no whole numbers, or more than a picture can have strips or tiles."""
        letter = _KINDS[self.kind]
        if letter not in _WHOLE or self.num_values > _MOST_VALUES:
            raise ValueError("is damaged")
        return struct.unpack_from(f"{self.order}{self.num_values}{letter}", content, self.start)


def header(content: bytes) -> Header:
    _, _, entries = _directory(content)
    width, height = (entries[tag].numbers(content)[0] for tag in (_WIDTH, _HEIGHT))
    if _COMPRESSION in entries and entries[_COMPRESSION].numbers(content)[0] == _OLD_JPEG:
        raise ValueError("is compressed as old JPEG, whose tables lie anywhere")
    turn = entries[ORIENTATION].numbers(content)[0] if ORIENTATION in entries else UPRIGHT
    return Header(width, height, turn if 1 <= turn <= 8 else UPRIGHT)


def clean(content: bytes) -> bytes:
    """Without Exif, GPS, texts, further pictures, and whatever lies between; the picture stays where it is."""
    order, start, entries = _directory(content)
    result = _only(content, entries)
    directory = struct.pack(f"{order}H", len(entries)) + b"".join(entry.raw for entry in entries.values()) + bytes(4)
    result[start : start + len(directory)] = directory
    return bytes(result)


def carried(encoded: bytes, source: bytes) -> bytes:
    order, _, entries = _directory(encoded)
    if not source:
        return clean(encoded)
    theirs, _, said = _directory(source)
    added = {}
    wanted = _RESOLUTION | {ORIENTATION, _ICC}
    if _SAMPLES in said and _SAMPLES in entries and said[_SAMPLES].numbers(source) == entries[_SAMPLES].numbers(encoded):
        # What a fourth sample is: FFmpeg leaves it out.
        wanted |= {_EXTRA}
    for tag in wanted & said.keys():
        entry = said[tag]
        data = source[entry.start : entry.start + entry.num_bytes]
        if theirs != order:
            data = np.frombuffer(data, f"u{struct.calcsize(_KINDS[entry.kind][0])}").byteswap().tobytes()
        added[tag] = (entry.kind, entry.num_values, data)
    return _with(encoded, added)


def turned(encoded: bytes, orientation: int) -> bytes:
    order, _, _ = _directory(encoded)
    return _with(encoded, {} if orientation == UPRIGHT else {ORIENTATION: (3, 1, struct.pack(f"{order}H", orientation))})


def _with(content: bytes, added: dict[int, tuple[int, int, bytes]]) -> bytes:
    """The picture with a new directory at the file's end: kept tags, and added ones as (kind, count, data)."""
    order, _, entries = _directory(content)
    kept = {tag: entry for tag, entry in entries.items() if tag not in added}
    result = _only(content, kept)
    lines = {tag: entry.raw for tag, entry in kept.items()}
    for tag, (kind, count, data) in added.items():
        value = data.ljust(4, b"\0")
        if len(data) > 4:
            result += bytes(len(result) % 2)
            value = struct.pack(f"{order}I", len(result))
            result += data
        lines[tag] = struct.pack(f"{order}HHI", tag, kind, count) + value
    result += bytes(len(result) % 2)
    result[4:8] = struct.pack(f"{order}I", len(result))
    result += struct.pack(f"{order}H", len(lines)) + b"".join(lines[tag] for tag in sorted(lines)) + bytes(4)
    return bytes(result)


def _only(content: bytes, kept: dict[int, _Entry]) -> bytearray:
    """As long as the file, with nothing in it but its first eight bytes, the values of these tags, and the pixels."""
    ranges = [(0, 8), *((entry.start, entry.start + entry.num_bytes) for entry in kept.values() if entry.num_bytes > 4)]
    for places, lengths in _DATA.items():
        if places in kept and lengths in kept:
            starts, sizes = (kept[tag].numbers(content) for tag in (places, lengths))
            ranges += [(start, start + size) for start, size in zip(starts, sizes, strict=False)]
    result, at = bytearray(len(content)), 0
    for start, end in sorted(ranges):
        if end > len(content):
            raise ValueError("ends early")
        # What several of them share is copied once.
        at = max(at, start)
        result[at:end] = content[at:end]
        at = max(at, end)
    return result


def _directory(content: bytes) -> tuple[str, int, dict[int, _Entry]]:
    """Order of bytes, place of the first directory, its entries by tag: those that are kept, and no others are looked at."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(content[:4])
    if order is None:
        raise ValueError("is not a TIFF of the usual kind")
    entries = {}
    try:
        (start,) = struct.unpack_from(f"{order}I", content, 4)
        (count,) = struct.unpack_from(f"{order}H", content, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(f"{order}HHI", content, at)
            if tag not in _KEPT or kind not in _KINDS or length == 0:
                continue
            num_bytes = struct.calcsize("<" + _KINDS[kind]) * length
            place = at + 8 if num_bytes <= 4 else struct.unpack_from(f"{order}I", content, at + 8)[0]
            if place + num_bytes > len(content):
                raise ValueError("ends early")
            entries[tag] = _Entry(content[at : at + 12], order, kind, length, place, num_bytes)
    except struct.error as error:
        raise ValueError("ends early") from error
    if not {_WIDTH, _HEIGHT} <= entries.keys():
        raise ValueError("has no picture")
    return order, start, entries
