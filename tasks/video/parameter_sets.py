"""What a decoder of H.264 or HEVC is told before the first packet, and how it is told of two encoders' streams at once.

ISO/IEC 14496-15, 5.3.3 (avcC) and 8.3.3 (hvcC).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import cast

from av.video.stream import VideoStream

from tasks.video.nal import PARAMETER_SETS, Codec, is_parameter_set, kind_of, sift, unescaped
from tasks.video.renumbering import OWN_ID, SpliceError, ids_in
from tasks.video.set_ends import check_ends

_PROFILES = (66, 77, 100, 110, 122, 244)  # of H.264, each of which can hold what those before it hold
_FIRST_HIGH_PROFILE = 100  # from which on the colour format is written down too
_HVCC_HEAD_BYTES = 22
_LONGEST_LENGTH_BYTES = 4


@dataclass(frozen=True)
class ParameterSets:
    """A decoder configuration record.

    head: its first bytes, which say for which decoders the stream is
    length_bytes: how many bytes the length before each unit takes
    units: the parameter sets, and messages that show nothing
    """

    codec: Codec
    head: bytes
    length_bytes: int
    units: tuple[bytes, ...]

    @classmethod
    def from_stream(cls, stream: VideoStream) -> ParameterSets:
        """Of a stream in an mp4 or Matroska file; raises HidesData where they hold more than a decoder reads, ValueError for others."""
        codec = cast(Codec, stream.codec.canonical_name)
        sets = cls.from_record(stream.codec_context.extradata, codec)
        check_ends([unit for unit in sets.units if is_parameter_set(unit, codec)], stream)
        return sets

    @classmethod
    def from_record(cls, record: bytes | None, codec: Codec) -> ParameterSets:
        """Of a stream in an mp4 or Matroska file; raises ValueError for anything else."""
        head_bytes = 5 if codec == "h264" else _HVCC_HEAD_BYTES
        if record is None or len(record) <= head_bytes or record[0] != 1:
            raise ValueError("no decoder configuration record")
        units = _avcc_units(record) if codec == "h264" else _hvcc_units(record)
        found = [sift([unit], codec) for unit in units]
        kept = tuple(unit for each in found if not each.strange for unit in each.kept)
        if {kind_of(unit, codec) for unit in kept if is_parameter_set(unit, codec)} != set(PARAMETER_SETS[codec]):
            raise ValueError("parameter sets are missing")
        return cls(codec, record[:head_bytes], (record[head_bytes - 1] & 3) + 1, kept)

    @property
    def leaves_room(self) -> bool:
        """Whether an encoder's parameter sets can stand beside these: lengths and profile are the usual ones, and their numbers others."""
        usual = self.length_bytes == _LONGEST_LENGTH_BYTES and (self.codec == "hevc" or self.head[1] in _PROFILES)
        return usual and all(OWN_ID not in ids_in(unit, self.codec) for unit in self.units if is_parameter_set(unit, self.codec))

    def joined(self, others: Sequence[bytes], chroma_format: int, bits: int) -> bytes:
        """The record of a stream that has these parameter sets and others; chroma_format is 0 to 3, for gray, 4:2:0, 4:2:2, 4:4:4."""
        units = [*self.units, *others]
        sets = [[unit for unit in units if kind_of(unit, self.codec) == kind] for kind in PARAMETER_SETS[self.codec]]
        if self.codec == "h264":
            return _avcc(self.head, sets, chroma_format, bits)
        messages = [unit for unit in units if not is_parameter_set(unit, "hevc")]
        return _hvcc(self.head, [*sets, *([messages] if messages else [])])


def _avcc_units(record: bytes) -> list[bytes]:
    units, place = [], 5
    for mask in (31, 255):
        count, place = record[place] & mask, place + 1
        for _ in range(count):
            unit, place = _counted(record, place)
            units.append(unit)
    return units


def _hvcc_units(record: bytes) -> list[bytes]:
    units, place = [], _HVCC_HEAD_BYTES + 1
    for _ in range(record[_HVCC_HEAD_BYTES]):
        count, place = int.from_bytes(record[place + 1 : place + 3], "big"), place + 3
        for _ in range(count):
            unit, place = _counted(record, place)
            units.append(unit)
    return units


def _counted(record: bytes, place: int) -> tuple[bytes, int]:
    """A unit behind its length in 2 bytes, and the place after it."""
    end = place + 2 + int.from_bytes(record[place : place + 2], "big")
    if not place + 2 < end <= len(record):
        raise ValueError("a decoder configuration record that is cut short")
    return record[place + 2 : end], end


def _avcc(head: bytes, sets: list[list[bytes]], chroma_format: int, bits: int) -> bytes:
    """For decoders that can play the most demanding of the sets."""
    profiles, constraints, levels = zip(head[1:4], *(unit[1:4] for unit in sets[0]), strict=True)
    if not set(profiles) <= set(_PROFILES):
        raise SpliceError(f"of the H.264 profiles {profiles}, one is not known")
    profile = max(profiles, key=_PROFILES.index)
    sequence, picture = ([len(unit).to_bytes(2, "big") + unit for unit in units] for units in sets)
    record = [bytes([1, profile, reduce(and_, constraints), max(levels), 0xFF, 0xE0 | len(sequence)]), *sequence]
    record += [bytes([len(picture)]), *picture]
    if profile >= _FIRST_HIGH_PROFILE:
        record.append(bytes([0xFC | chroma_format, 0xF8 | bits - 8, 0xF8 | bits - 8, 0]))
    return b"".join(record)


def _hvcc(head: bytes, arrays: list[list[bytes]]) -> bytes:
    """For decoders that can play the most demanding of the sets."""
    space_tier_profile, *flags, level = zip(*(unescaped(unit)[3:15] for unit in arrays[1]), strict=True)
    # How far the pictures can be decoded in parallel is said as "unknown".
    parallel = b"\xf0\x00\xfc"
    record = [b"\1", bytes([max(space_tier_profile), *(reduce(and_, each) for each in flags), max(level)]), parallel, head[16:]]
    record.append(bytes([len(arrays)]))
    for units in arrays:
        record.append(bytes([0x80 | kind_of(units[0], "hevc")]) + len(units).to_bytes(2, "big"))
        record += [len(unit).to_bytes(2, "big") + unit for unit in units]
    return b"".join(record)
