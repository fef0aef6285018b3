"""The units that H.264 and HEVC packets are made of: which of them can begin a stretch, and whether they hold anything but the picture.

Annexes B and D of ITU-T H.264 (08/2021) and H.265 (08/2021).
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from tasks.video.messages import is_constant, is_needless, is_understood, messages, payload_of, told_as

Codec = Literal["h264", "hevc"]

_IDR: dict[Codec, tuple[int, ...]] = {"h264": (5,), "hevc": (19, 20)}
PARAMETER_SETS: dict[Codec, tuple[int, ...]] = {"h264": (7, 8), "hevc": (32, 33, 34)}
"""kinds of units, in the order in which they build on one another"""
_SLICES: dict[Codec, frozenset[int]] = {"h264": frozenset({1, 5}), "hevc": frozenset({*range(10), *range(16, 22)})}
_SEI: dict[Codec, tuple[int, ...]] = {"h264": (6,), "hevc": (39, 40)}
_DELIMITER: dict[Codec, int] = {"h264": 9, "hevc": 35}
_FILLER: dict[Codec, int] = {"h264": 12, "hevc": 38}
# Dolby Vision's second layer, and how it is put over the first.
_TOLD: dict[Codec, dict[int, str]] = {"h264": {}, "hevc": {62: "DOVI_RPU_BUFFER", 63: "DOVI_RPU_BUFFER"}}


class Sifted(NamedTuple):
    """What is in a packet."""

    kept: list[bytes]
    """its picture, parameter sets, and messages for players; without delimiters, fillers and timing, which a file's player needs not"""
    constants: dict[int, bytes]
    """by their kinds, the messages among them that are the same throughout a film"""
    strange: frozenset[str]
    """what else is there and could show or locate anybody, by FFmpeg's name for it, "" where it has none; nothing in most packets"""


def units_of(packet: bytes, length_bytes: int) -> list[bytes]:
    """The units of a packet in which each follows its length, as in mp4 and Matroska; raises ValueError where the lengths do not add up."""
    units, place = [], 0
    while place < len(packet):
        start = place + length_bytes
        place = start + int.from_bytes(packet[place:start], "big")
        if not start < place <= len(packet):
            raise ValueError(f"a unit ends at byte {place} of a packet of {len(packet)}")
        units.append(packet[start:place])
    return units


def units_of_annex_b(packet: bytes) -> list[bytes]:
    """The units of a packet in which each follows a start code, as encoders write them."""
    return [unit.rstrip(b"\0") for unit in re.split(rb"\x00\x00\x01", packet)[1:]]


def packet_of(units: list[bytes]) -> bytes:
    """The units as a packet in which each follows its length in 4 bytes."""
    return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)


def kind_of(unit: bytes, codec: Codec) -> int:
    """What a unit is, by its codec's table of unit types."""
    return unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63


def is_idr(units: list[bytes], codec: Codec) -> bool:
    """Whether nothing that is decoded later refers to what is decoded before."""
    return any(kind_of(unit, codec) in _IDR[codec] for unit in units)


def is_parameter_set(unit: bytes, codec: Codec) -> bool:
    return kind_of(unit, codec) in PARAMETER_SETS[codec]


def is_slice(unit: bytes, codec: Codec) -> bool:
    """Whether it is a part of a picture."""
    return kind_of(unit, codec) in _SLICES[codec]


def header_bytes(codec: Codec) -> int:
    """How long the head of a unit is, before what it says."""
    return 1 if codec == "h264" else 2


def sift(units: list[bytes], codec: Codec) -> Sifted:
    """Takes from a packet's units what no player needs, and says what must not come through: other pictures, unknown messages."""
    kept: list[bytes] = []
    constants: dict[int, bytes] = {}
    strange = {""} if sum(_begins_picture(unit, codec) for unit in units) > 1 else set[str]()
    for unit in units:
        kind = kind_of(unit, codec)
        if not _has_usual_head(unit, codec):
            strange.add(_TOLD[codec].get(kind, ""))
        elif kind in _SEI[codec]:
            try:
                found = [each for each in messages(unescaped(unit)[header_bytes(codec) :]) if not is_needless(*each)]
            except ValueError:
                strange.add("")
                continue
            strange |= {told_as(*each) for each in found if not is_understood(*each)}
            strange |= {told_as(*each) for each in found if is_constant(each[0]) and constants.setdefault(*each) != each[1]}
            kept += [escaped(unit[: header_bytes(codec)] + payload_of(found))] if found else []
        elif is_slice(unit, codec) or is_parameter_set(unit, codec):
            kept.append(unit)
        elif not _is_padding(unit, codec):
            strange.add(_TOLD[codec].get(kind, ""))
    return Sifted(kept, constants, frozenset(strange))


def is_only_picture(units: list[bytes], codec: Codec) -> bool:
    """Whether a packet holds a picture and nothing that could show or locate anybody."""
    return not sift(units, codec).strange


def _has_usual_head(unit: bytes, codec: Codec) -> bool:
    """No forbidden bit, no other layer, and nothing referred to but pictures and parameter sets."""
    if codec == "hevc":
        return len(unit) > 1 and not unit[0] & 0x81 and 0 < unit[1] < 8
    return unit[0] < 0x20 or (unit[0] < 0x80 and (is_slice(unit, codec) or is_parameter_set(unit, codec)))


def _is_padding(unit: bytes, codec: Codec) -> bool:
    """Whether it is a delimiter of its one byte, or a filler of nothing but ones."""
    body = unescaped(unit)[header_bytes(codec) :]
    if kind_of(unit, codec) == _DELIMITER[codec]:
        return len(body) == 1 and body[0] & 31 == 16
    return kind_of(unit, codec) == _FILLER[codec] and body.lstrip(b"\xff") == b"\x80"


def _begins_picture(unit: bytes, codec: Codec) -> bool:
    """Whether a unit is the first part of a picture: its number of the first block is 0, or it says so."""
    return is_slice(unit, codec) and len(unit) > header_bytes(codec) and bool(unit[header_bytes(codec)] & 0x80)


def unescaped(unit: bytes) -> bytes:
    """The unit without the bytes that keep start codes from arising in it."""
    return unit.replace(b"\0\0\3", b"\0\0")


def escaped(unit: bytes) -> bytes:
    """The inverse of `unescaped`."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", unit)
