"""Whether parameter sets end where their fields do, and leave no room in slices for what no decoder reads.

FFmpeg's filters read all fields of them and write these again: what it does not write was no field.
ITU-T H.264, 7.3.2; ITU-T H.265, 7.3.2.
"""

from __future__ import annotations

from typing import cast

import av
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from tasks.video.messages import bits_of, number
from tasks.video.nal import Codec, escaped, header_bytes, kind_of, packet_of, unescaped, units_of_annex_b

_PICTURE_SETS = (8, 34)


class HidesData(ValueError):
    """Parameter sets that hold more than a decoder reads."""


def check_ends(units: list[bytes], stream: VideoStream) -> None:
    """Raises HidesData where a parameter set is longer than its fields, ValueError where one cannot be read or lets slices be so."""
    codec = cast(Codec, stream.codec.canonical_name)
    ended = [unit.rstrip(b"\0") for unit in units]
    written = _written_again(ended, stream)
    if written is None:
        raise ValueError("parameter sets that cannot be read")
    if written != ended:
        raise HidesData("there is something behind a parameter set")
    if codec == "h264":
        if any(_has_second_pictures(unit) for unit in ended if kind_of(unit, codec) in _PICTURE_SETS):
            raise ValueError("slices of which a decoder takes one")
        return
    for place, unit in enumerate(ended):
        bits = bits_of(unescaped(unit)[header_bytes(codec) :]).rstrip("0")[:-1]
        # An extension of unknown meaning is any number of bits: then one less of them is as good.
        shorter = escaped(unit[: header_bytes(codec)] + _packed(bits[:-1]))
        if _written_again([*ended[:place], shorter, *ended[place + 1 :]], stream) is not None:
            raise HidesData("a parameter set has an extension of unknown meaning")
        # The last bits say whether slices' heads have such an extension, and the set itself.
        if kind_of(unit, codec) in _PICTURE_SETS and not bits.endswith("00"):
            raise ValueError("slices that can have extensions of unknown meaning")


def _written_again(units: list[bytes], stream: VideoStream) -> list[bytes] | None:
    """What FFmpeg reads of them, None where they cannot be read."""
    try:
        packets = BitStreamFilterContext(f"{stream.codec.canonical_name}_metadata", stream).filter(av.Packet(packet_of(units)))
    except av.FFmpegError:
        return None
    return [unit for packet in packets for unit in units_of_annex_b(bytes(packet))]


def _has_second_pictures(unit: bytes) -> bool:
    """Whether an H.264 picture parameter set allows for redundant pictures, or for slices in groups."""
    bits = bits_of(unescaped(unit)[1:])
    place = 0
    for _ in range(2):
        _, place = number(bits, place)
    groups, place = number(bits, place + 2)
    for _ in range(2):
        _, place = number(bits, place)
    place += 3
    for _ in range(3):
        _, place = number(bits, place)
    return groups > 0 or bits[place + 2] == "1"


def _packed(bits: str) -> bytes:
    """Bits as bytes, with the bit that ends them."""
    content = bits + "1"
    content += "0" * (-len(content) % 8)
    return int(content, 2).to_bytes(len(content) // 8, "big")
