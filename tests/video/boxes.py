"""Boxes of mp4 and mov files, written by hand where no muxer writes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

# Bytes of a box before its children, where there are any.
_FIELDS = {b"stsd": 8, b"meta": 4, b"avc1": 78, b"hev1": 78, b"hvc1": 78}


def box(name: str, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + name.encode("latin-1") + content


def add_boxes(path: Path, way: Sequence[str], boxes: bytes) -> None:
    """Put boxes at the end of the first box that is reached through the names of `way`; with no way, at the end of the file.

    The file must have its `moov` behind its `mdat`, so that no place of a sample changes.
    """
    content = bytearray(path.read_bytes())
    start, end, sizes = 0, len(content), []
    for name in way:
        start, end = find(content, name.encode("latin-1"), start, end)
        sizes.append(start)
        start += 8 + _FIELDS.get(name.encode("latin-1"), 0)
    for place in sizes:
        content[place : place + 4] = (int.from_bytes(content[place : place + 4], "big") + len(boxes)).to_bytes(4, "big")
    content[end:end] = boxes
    path.write_bytes(content)


def find(content: bytes, name: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the first box of a name begins and ends, between two places."""
    while start < end:
        size = int.from_bytes(content[start : start + 4], "big")
        if content[start + 4 : start + 8] == name:
            return start, start + size
        start += size
    raise LookupError(name)
