"""The units that H.264 and HEVC packets are made of: which of them can begin a stretch, and whether they hold anything but the picture.

Annexes B and D of ITU-T H.264 (08/2021) and H.265 (08/2021).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Codec = Literal["h264", "hevc"]

_IDR: dict[Codec, tuple[int, ...]] = {"h264": (5,), "hevc": (19, 20)}
PARAMETER_SETS: dict[Codec, tuple[int, ...]] = {"h264": (7, 8), "hevc": (32, 33, 34)}
"""kinds of units, in the order in which they build on one another"""
_SLICES: dict[Codec, frozenset[int]] = {"h264": frozenset({1, 5}), "hevc": frozenset({*range(10), *range(16, 22)})}
_SEI: dict[Codec, tuple[int, ...]] = {"h264": (6,), "hevc": (39, 40)}
# Slices, parameter sets, delimiters, filler. No second views or layers, no partitions, no ends of sequences.
_PICTURE: dict[Codec, frozenset[int]] = {"h264": _SLICES["h264"] | {7, 8, 9, 12}, "hevc": _SLICES["hevc"] | {32, 33, 34, 35, 38}}

# About timing, recovery, stereo packing, checksums and light: nothing that shows or locates anybody.
_HARMLESS_MESSAGES = frozenset({0, 1, 3, 6, 45, 129, 132, 136, 137, 144, 147})
_T35, _UNREGISTERED = 4, 5
# Closed captions and active format (ATSC A/53): country, provider, and what the provider calls it.
_HARMLESS_T35 = (b"\xb5\x00\x31GA94", b"\xb5\x00\x31DTG1")
# The settings that x264 and x265 write into the first frame.
_HARMLESS_UUIDS = (bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"), bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"))


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


def is_only_picture(units: list[bytes], codec: Codec) -> bool:
    """Whether a packet holds a picture and nothing that could show or locate anybody: no other views, no messages of unknown meaning."""
    if sum(_begins_picture(unit, codec) for unit in units) > 1:
        return False
    for unit in units:
        kind = kind_of(unit, codec)
        if codec == "hevc" and (unit[0] & 1 or unit[1] >> 3):  # of another layer
            return False
        if kind in _SEI[codec]:
            if not all(_is_harmless(*message) for message in _messages(unescaped(unit)[header_bytes(codec) :])):
                return False
        elif kind not in _PICTURE[codec]:
            return False
    return True


def _begins_picture(unit: bytes, codec: Codec) -> bool:
    """Whether a unit is the first part of a picture: its number of the first block is 0, or it says so."""
    return is_slice(unit, codec) and len(unit) > header_bytes(codec) and bool(unit[header_bytes(codec)] & 0x80)


def unescaped(unit: bytes) -> bytes:
    """The unit without the bytes that keep start codes from arising in it."""
    return unit.replace(b"\0\0\3", b"\0\0")


def escaped(unit: bytes) -> bytes:
    """The inverse of `unescaped`."""
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", unit)


def _messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each message of a unit of supplemental enhancement information."""
    place = 0
    while place + 2 <= len(payload) and payload[place:] != b"\x80":
        kind, place = _summed(payload, place)
        size, place = _summed(payload, place)
        yield kind, payload[place : place + size]
        place += size


def _summed(payload: bytes, place: int) -> tuple[int, int]:
    """A number that is written as bytes of 255 and a last, smaller one; and the place after it."""
    value = 0
    while place < len(payload) and payload[place] == 255:
        value, place = value + 255, place + 1
    return value + (payload[place] if place < len(payload) else 0), place + 1


def _is_harmless(kind: int, content: bytes) -> bool:
    if kind == _T35:
        return content.startswith(_HARMLESS_T35)
    if kind == _UNREGISTERED:
        return content.startswith(_HARMLESS_UUIDS)
    return kind in _HARMLESS_MESSAGES
