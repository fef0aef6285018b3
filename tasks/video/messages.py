"""Messages beside the picture (supplemental enhancement information): which are what they say, and which may hide anything.

Annex D of ITU-T H.264 (08/2021) and H.265 (08/2021); ATSC A/53 part 4, 6.2.3 and ETSI TS 101 154, annex B, for captions and active format.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

UNREGISTERED = 5
_FILLER, _T35, _RECOVERY, _STEREO = 3, 4, 6, 45
# Delays, clocks, checksums and fillers, by the most bytes that they take: a player of a file needs none of them, so none is copied.
_NEEDLESS_BYTES = {0: 520, 1: 40, 129: 20, 132: 49, 136: 40}
# Mastering display, light levels, and another transfer: all numbers, and all of one length.
_FIXED_BYTES = {137: 24, 144: 4, 147: 1}
# Decoders say of the first frame whether it has such a message, by these names of theirs.
_TOLD_T35 = {b"\xb5\x00\x3c": "DYNAMIC_HDR_PLUS", b"\xb5\x00\x3b": "DOVI_RPU_BUFFER", b"\x26\x00\x04": "DYNAMIC_HDR_VIVID"}
_TOLD = {UNREGISTERED: "SEIUNREGISTERED", 148: "AMBIENT_VIEWING_ENVIRONMENT"}

_LONGEST_SETTINGS = 4096
_SETTINGS = {
    bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef"): re.compile(
        r"x264 - core \d{1,4}(?: r\d{1,5}[a-zA-Z0-9+]{0,6}(?: [0-9a-f]{4,12})?)? - H\.264/MPEG-4 AVC codec"
        r" - Copy(?:left|right) 2003-20\d\d - https?://www\.videolan\.org/x264\.html - options: ([^\0]*)\0?",
        re.ASCII,
    ),
    bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e"): re.compile(
        r"x265 \(build \d{1,4}\) - [\w.+-]{1,32}:(?:\[[\w .+-]{1,24}\]){1,4} ?(?:\+?(?:8|10|12)bit)* - H\.265/HEVC codec"
        r" - Copyright 2013-20\d\d \(c\) Multicoreware,? Inc\.? - https?://x265\.org - options: ([^\0]*)\0?",
        re.ASCII,
    ),
}
"""what x264 and x265 write into the first frame, by the number that they write before it"""
_NUMBER = r"-?\d{1,9}(?:\.\d{1,6})?"
# The last is two settings, between which x265 forgets the space.
_VALUE = rf"0x[0-9a-f]{{1,8}}(?::0x[0-9a-f]{{1,8}})*|{_NUMBER}(?:[:,x/]{_NUMBER})*|[a-z0-9]{{1,8}}|\+|(?:[GBRWPL]{{1,2}}\([\d,]{{3,21}}\))+"
_OPTION = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,31}}(?:=(?:{_VALUE}|\dconformance-window-offsets)?)?", re.ASCII)


def messages(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each message of a unit; raises ValueError where they do not fill it."""
    place = 0
    while payload[place:] != b"\x80":
        kind, place = _summed(payload, place)
        size, place = _summed(payload, place)
        if place + size >= len(payload):
            raise ValueError(f"a message ends at byte {place + size} of {len(payload)}")
        yield kind, payload[place : place + size]
        place += size


def payload_of(kept: list[tuple[int, bytes]]) -> bytes:
    """The inverse of `messages`."""
    return b"".join(_spread(kind) + _spread(len(content)) + content for kind, content in kept) + b"\x80"


def is_needless(kind: int, content: bytes) -> bool:
    """Whether a player of a file never looks at such a message."""
    if kind == _FILLER:
        return not content.strip(b"\xff")
    return len(content) <= _NEEDLESS_BYTES.get(kind, -1)


def is_understood(kind: int, content: bytes) -> bool:
    """Whether a message is for a player, and nothing in it can be anything else."""
    if kind in _FIXED_BYTES:
        return len(content) == _FIXED_BYTES[kind]
    check = _CHECKS.get(kind)
    return check is not None and check(content)


def is_constant(kind: int) -> bool:
    """Whether such a message says the same throughout a film."""
    return kind in _FIXED_BYTES or kind == UNREGISTERED


def told_as(kind: int, content: bytes) -> str:
    """FFmpeg's name of what a message is, where it knows one; "" otherwise."""
    return _TOLD_T35.get(content[:3], "") if kind == _T35 else _TOLD.get(kind, "")


def number(bits: str, place: int) -> tuple[int, int]:
    """An Exp-Golomb number, and the place after it; raises ValueError where there is none."""
    zeros = bits.index("1", place) - place
    end = place + 2 * zeros + 1
    return int(bits[place + zeros : end], 2) - 1, end


def bits_of(payload: bytes) -> str:
    """Each byte as eight characters, 0 or 1."""
    return "".join(f"{byte:08b}" for byte in payload)


def _is_settings(content: bytes) -> bool:
    pattern = _SETTINGS.get(content[:16])
    found = pattern.fullmatch(content[16:].decode("latin-1")) if pattern and len(content) <= _LONGEST_SETTINGS else None
    return found is not None and all(_OPTION.fullmatch(option) for option in found[1].strip(" ").split(" "))


def _is_registered(content: bytes) -> bool:
    body = content[7:]
    if content.startswith(b"\xb5\x00\x31DTG1"):
        return body == b"\x01" or (len(body) == 2 and body[0] == 0x41 and body[1] >= 0xF0)
    return content.startswith(b"\xb5\x00\x31GA94\x03") and _is_captions(body[1:])


def _is_captions(body: bytes) -> bool:
    """Flags and a count, an unused byte, three bytes for each pair of characters, and a marker. Pairs that are not valid are empty."""
    if len(body) < 3 or len(body) != 3 + 3 * (body[0] & 31) or body[1] not in (0, 0xFF) or body[-1] != 0xFF:
        return False
    triples = [body[place : place + 3] for place in range(2, len(body) - 1, 3)]
    return all(head & 4 or not {*pair} - {0, 0x80} for head, *pair in triples)


def _is_recovery(content: bytes) -> bool:
    """How many pictures it takes, and up to four flags."""
    bits = bits_of(content)
    try:
        _, place = number(bits, 0)
    except ValueError:
        return False
    return len(content) <= 5 and any(_ends(bits, place + num_flags) for num_flags in (2, 4))


def _is_stereo(content: bytes) -> bool:
    """How two pictures are packed into one (frame packing arrangement)."""
    bits = bits_of(content)
    try:
        name, place = number(bits, 0)
        if bits[place : place + 1] == "0":
            has_grid = bits[place + 8] == "0" and bits[place + 1 : place + 8] != "0000101"
            place += 21 + 16 * has_grid
            if int(bits[place : place + 8], 2):
                return False
            _, place = number(bits, place + 8)
        else:
            place += 1
    except (ValueError, IndexError):
        return False
    return name <= 255 and len(content) <= 14 and _ends(bits, place + 1)


def _ends(bits: str, place: int) -> bool:
    """Whether nothing comes behind a place but what fills the last byte."""
    rest = bits[place:]
    return place <= len(bits) and len(rest) < 8 and (not rest or int(rest, 2) == 1 << len(rest) - 1)


_CHECKS: dict[int, Callable[[bytes], bool]] = {
    _T35: _is_registered,
    UNREGISTERED: _is_settings,
    _RECOVERY: _is_recovery,
    _STEREO: _is_stereo,
}


def _summed(payload: bytes, place: int) -> tuple[int, int]:
    """A number that is written as bytes of 255 and a last, smaller one; and the place after it."""
    start = place
    while payload[place : place + 1] == b"\xff":
        place += 1
    if place >= len(payload):
        raise ValueError("a message that is cut short")
    return 255 * (place - start) + payload[place], place + 1


def _spread(value: int) -> bytes:
    return b"\xff" * (value // 255) + bytes([value % 255])
