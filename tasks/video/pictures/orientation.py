"""Which way up a picture is to be shown: the one thing in a camera's notes that is kept."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

UPRIGHT = 1
ORIENTATION = 0x0112
"""number of the tag, in Exif as in TIFF"""

_UNIT = 1 << 16
_MOST_TAGS = 1000  # that are looked through; cameras write about fifty
# Where the picture's own right and down go, by Exif's number.
_TURNS: dict[int, tuple[int, int, int, int]] = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, 1, -1, 0),
    7: (0, -1, -1, 0),
    8: (0, -1, 1, 0),
}


class Header(NamedTuple):
    """What a picture's file says before its pixels."""

    width: int
    height: int
    orientation: int
    """Exif's number, 1 to 8"""


def matrix_of(orientation: int) -> tuple[int, ...] | None:
    """The display matrix that says the same to a video player; None for an upright picture."""
    if orientation == UPRIGHT:
        return None
    a, b, c, d = (part * _UNIT for part in _TURNS[orientation])
    return (a, b, 0, c, d, 0, 0, 0, 1 << 30)


def orientation_of(matrix: Sequence[int] | None) -> int:
    """Exif's number for a display matrix, to the nearest quarter of a turn.

    >>> [orientation_of(matrix_of(number)) for number in range(1, 9)]
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    if matrix is None:
        return UPRIGHT
    turn = tuple(max(-1, min(1, round(matrix[place] / _UNIT))) for place in (0, 1, 3, 4))
    return next((number for number, known in _TURNS.items() if known == turn), UPRIGHT)


def exif_orientation(exif: bytes) -> int:
    """The orientation that a block of Exif says; upright where it says none that makes sense."""
    try:
        order = {b"II": "<", b"MM": ">"}[exif[:2]]
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for number in range(min(count, _MOST_TAGS)):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, start + 2 + 12 * number)
            if tag == ORIENTATION and kind == 3:
                return int(value) if value in _TURNS else UPRIGHT
    except (KeyError, struct.error):
        return UPRIGHT
    return UPRIGHT


def exif_saying(orientation: int) -> bytes:
    """A block of Exif that says how the picture is turned, and nothing else."""
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)
