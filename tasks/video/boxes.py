"""The boxes that an mp4 or mov file is made of (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, NamedTuple

from tasks.errors import BadVideo
from tasks.video.files import File, opened

_HEAD_BYTES = 8
_MOST_BOXES = 1_000_000  # that are looked at side by side; a day of fragments of a second has a sixth of them
_REMUX = "export it anew with the program that made it"
_TO_THE_END, _LONG = 0, 1  # lengths that stand for something else


class Box(NamedTuple):
    """Where a box's content begins, and where it ends by what it says itself: None for "at the end of the file"."""

    name: bytes
    begin: int
    end: int | None


def boxes(file: BinaryIO, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """The boxes from one byte of a file up to another; up to where what follows is none, as what cameras write behind the last one."""
    place: int | None = begin
    for _ in range(_MOST_BOXES):
        if place is None or (end is not None and place + _HEAD_BYTES > end):
            return
        file.seek(place)
        head = file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES or not head[4:].isascii() or not head[4:].decode("ascii").isprintable():
            return
        length, body = int.from_bytes(head[:4], "big"), place + _HEAD_BYTES
        if length == _LONG:
            length, body = int.from_bytes(file.read(8), "big"), body + 8
        is_last = length == _TO_THE_END
        if not is_last and place + length < body:
            return
        place = None if is_last else place + length
        yield Box(head[4:], body, place)


def inside(file: BinaryIO, names: Sequence[bytes], within: Box) -> Iterator[Box]:
    """The boxes whose path in a box is `names`."""
    for box in boxes(file, within.begin, within.end):
        if box.name == names[0]:
            yield from inside(file, names[1:], box) if names[1:] else [box]


_TOP = {b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"uuid"}
_MOST_EDITS, _MOST_TRACKS = 1000, 256  # more than any camera or editor writes; FFmpeg takes seconds for these, and minutes for many more


def check_counts(path: File) -> None:
    """Raises BadVideo for a file with more tracks, or more entries in an edit list, than are read in seconds."""
    with opened(path) as file:
        movies = [box for box in boxes(file) if box.name == b"moov"] if file.read(_HEAD_BYTES)[4:] in _TOP else []
        num_tracks = sum(1 for movie in movies for _ in inside(file, [b"trak"], movie))
        num_edits = 0
        for edits in (edits for movie in movies for edits in inside(file, [b"trak", b"edts", b"elst"], movie)):
            file.seek(edits.begin + 4)
            num_edits = max(num_edits, int.from_bytes(file.read(4), "big"))
    if num_tracks > _MOST_TRACKS:
        raise BadVideo(path, f"has {num_tracks} tracks, more than {_MOST_TRACKS}", fix=_REMUX)
    if num_edits > _MOST_EDITS:
        raise BadVideo(path, f"has an edit list of {num_edits} entries, more than {_MOST_EDITS}", fix=_REMUX)
