"""Changes that know nothing of what they change: bits, bytes, numbers, stretches."""

from __future__ import annotations

import re
import struct
from random import Random

_MARKS = re.compile(rb"\x00\x00\x01|avcC|hvcC|av1C|esds|vpcC|\x9d\x01\x2a|\xff\xd8|\x00\x00\x00.(?=[\x67\x42\x40])", re.DOTALL)
_SIDES = (1, 64, 4096, 9999, 16384, 20000, 32767, 65535, 1 << 24)
_SIZES = {  # where two sides are, and how they are written
    rb"\xff[\xc0-\xc2]..\x08(....)": ">HH",
    rb"\x9d\x01\x2a(....)": "<HH",
    rb"GIF8.a(....)": "<HH",
    rb"VP[89]0....(....)": "<HH",
    rb"(W\d+ H\d+)": "text",
    rb"IHDR(........)": ">II",
    rb"(?:avc1|hev1|hvc1|jpeg|av01).{24}(....)": ">HH",
    rb"BM.{16}(........)": "<ii",
}

TELLING = (*range(4), *((1 << bits) + off for bits in (3, 4, 7, 8, 15, 16, 31, 32, 63) for off in (-1, 0)))


def telling(random: Random, num_bytes: int, before: int = 0) -> int:
    """A number of so many bytes at which code that reads it may go wrong, often near what it was."""
    value = random.choice([*TELLING, before + 1, before - 1, before * 2, before // 2, -1, random.getrandbits(8 * num_bytes)])
    return value % (1 << 8 * num_bytes)


def with_number(random: Random, content: bytes, at: int, num_bytes: int, order: str) -> bytes:
    """The content with a telling number at a place."""
    before = int.from_bytes(content[at : at + num_bytes], order)  # type: ignore[arg-type]
    return content[:at] + telling(random, num_bytes, before).to_bytes(num_bytes, order) + content[at + num_bytes :]  # type: ignore[arg-type]


def with_some_number(random: Random, content: bytes, order: str = "big") -> bytes:
    """The content with a telling number at some place, aligned as fields mostly are."""
    num_bytes = random.choice((1, 2, 4, 4, 8))
    step = min(num_bytes, 4)
    places = (len(content) - num_bytes) // step + 1
    return with_number(random, content, step * random.randrange(places), num_bytes, order) if places > 0 else flipped(random, content)


def flipped(random: Random, content: bytes, most: int = 8) -> bytes:
    """Some bits are the other way."""
    changed = bytearray(content)
    for _ in range(random.randint(1, most) if content else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(random: Random, content: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def without(random: Random, content: bytes) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + content[at + random.choice((1, 2, 4, 16, 188, 1000)) :]


def inserted(random: Random, content: bytes) -> bytes:
    at = random.randrange(len(content) + 1)
    return content[:at] + random.choice((bytes(16), b"\xff" * 16, random.randbytes(random.randint(1, 300)))) + content[at:]


def repeated(random: Random, content: bytes) -> bytes:
    """A stretch of it comes again, somewhere."""
    first, to = random.randrange(len(content) + 1), random.randrange(len(content) + 1)
    return content[:to] + content[first : first + random.choice((4, 16, 188, 4000))] + content[to:]


def overwritten(random: Random, content: bytes) -> bytes:
    """A stretch is zeros, ones or noise."""
    at, length = random.randrange(len(content) + 1), random.choice((1, 8, 64, 512, 4096))
    length = min(length, len(content) - at)
    return content[:at] + random.choice((bytes(length), b"\xff" * length, random.randbytes(length))) + content[at + length :]


def behind_a_mark(random: Random, content: bytes) -> bytes:
    """Some bits of what tells a decoder what is to come: headers of streams and pictures."""
    places = [found.end() for found in _MARKS.finditer(content)]
    if not places:
        return flipped(random, content)
    at = random.choice(places)
    return content[:at] + flipped(random, content[at : at + 24], most=3) + content[at + 24 :]


def sized(random: Random, content: bytes) -> bytes:
    """Pictures that say that they are as large as they may be, or larger."""
    found = [(one, form) for mark, form in _SIZES.items() for one in re.finditer(mark, content, re.DOTALL)]
    if not found:
        return behind_a_mark(random, content)
    one, form = random.choice(found)
    sides = random.choice(_SIDES), random.choice(_SIDES)
    if form == "text":
        return content[: one.start(1)] + b"W%d H%d" % sides + content[one.end(1) :]
    most = 1 << 4 * (one.end(1) - one.start(1))
    return content[: one.start(1)] + struct.pack(form.upper(), *(side % most for side in sides)) + content[one.end(1) :]


WAYS = (behind_a_mark, behind_a_mark, sized, flipped, cut, without, inserted, repeated, overwritten, with_some_number)


def anyhow(random: Random, content: bytes) -> bytes:
    """One to three such changes."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice(WAYS)(random, content)
    return content
