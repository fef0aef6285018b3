"""Parameter sets of an encoder of ours under other numbers, so that a source's can stand beside them in one stream.

A slice names its picture parameter set by a number that Veil's encoders write as 0, in one bit. Written as 15 it takes nine: what follows
moves by exactly one byte, so it stays as it is, and no slice has to be understood beyond its first numbers.
ITU-T H.264, 7.3; ITU-T H.265, 7.3; Exp-Golomb numbers in 9.1 and 9.2.
"""

from __future__ import annotations

from tasks.video.messages import bits_of, number
from tasks.video.nal import Codec, escaped, header_bytes, is_parameter_set, is_slice, kind_of, unescaped

OWN_ID = 15
"""of every parameter set of a spliced stretch; sources count from 0"""


class SpliceError(ValueError):
    """An encoder of ours wrote what cannot stand beside a source's own packets."""


_OWN_CODE, _ZERO_CODE = "000010000", "1"  # 15 and 0 as Exp-Golomb numbers
_PROFILE_BITS = 96  # of an HEVC profile, tier and level, where there are no sublayers


def renumbered(unit: bytes, codec: Codec) -> bytes:
    """A unit in which every parameter set is number 0, with `OWN_ID` instead. Raises SpliceError where that is not so."""
    start = header_bytes(codec)
    header, payload, kind = unit[:start], unescaped(unit)[start:], kind_of(unit, codec)
    if is_parameter_set(unit, codec):
        return escaped(header + _packed(_renumbered_set(bits_of(payload), kind)))
    if is_slice(unit, codec):
        byte, place = divmod(_place_in_slice(payload, kind, codec), 8)
        bits = bits_of(payload[byte : byte + 1])
        return escaped(header + payload[:byte] + _packed(bits[:place] + _own(bits, place), whole=True) + payload[byte + 1 :])
    return unit


def ids_in(unit: bytes, codec: Codec) -> tuple[int, ...]:
    """The numbers in a parameter set: its own, and that of the one which it refers to."""
    bits = bits_of(unescaped(unit)[header_bytes(codec) :])
    match kind_of(unit, codec):
        case 7:
            return (number(bits, 24)[0],)
        case 8 | 34:
            own, place = number(bits, 0)
            return own, number(bits, place)[0]
        case 32:
            return (int(bits[:4], 2),)
        case _:
            # With sublayers, the number stands behind a list that is not worth reading.
            return int(bits[:4], 2), number(bits, 8 + _PROFILE_BITS)[0] if bits[4:7] == "000" else OWN_ID


def _renumbered_set(bits: str, kind: int) -> str:
    match kind:
        case 7:  # profile, constraints and level come first
            return bits[:24] + _own(bits, 24)
        case 8 | 34:
            return _OWN_CODE + _own(bits, 1)
        case 32:
            return f"{OWN_ID:04b}" + bits[4:]
        case _:
            place = 8 + _PROFILE_BITS
            if bits[4:7] != "000":
                raise SpliceError("the encoder made sublayers")
            return f"{OWN_ID:04b}" + bits[4:place] + _own(bits, place)


def _own(bits: str, place: int) -> str:
    """What begins at a place with the number 0, with our number instead."""
    if bits[place] != _ZERO_CODE:
        raise SpliceError("the encoder did not number its parameter sets from 0")
    return _OWN_CODE + bits[place + 1 :]


def _place_in_slice(payload: bytes, kind: int, codec: Codec) -> int:
    """The bit at which a slice names its picture parameter set."""
    if codec == "hevc":
        return 2 if 16 <= kind <= 23 else 1  # behind one or two flags
    bits = bits_of(payload[:12])
    _, after_address = number(bits, 0)
    _, after_type = number(bits, after_address)
    return after_type


def _packed(bits: str, *, whole: bool = False) -> bytes:
    """Bits as bytes; unless they are whole bytes, they end with a stop bit and any number of zeros."""
    content = bits if whole else bits.rstrip("0")
    content += "0" * (-len(content) % 8)
    return int(content, 2).to_bytes(len(content) // 8, "big")
