"""Changes of files that are trees of named parts with lengths: boxes of mp4, elements of EBML, chunks of RIFF and PNG.

A tree is written with lengths that fit, but for those that are to be wrong: what is changed deep inside is reached by whoever reads it.
"""

from __future__ import annotations

import struct
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.fuzz import plain

_MOST_DEPTH = 2000
_MASTERS = """
    1a45dfa3 18538067 114d9b74 4dbb 1549a966 1654ae6b ae e0 e1 55b0 55d0 7670 1c53bb6b bb b7 1f43b675 a0 1254c367 7373 63c0 67c8 1043a770
    45b9 b6 80 6d80 6240 5034 75a1 a6 1941a469 61a7
"""


@dataclass
class Part:
    """A named part: what is in it before its children, or all of it; and how long it says that it is, None for the truth."""

    name: bytes
    body: bytes = b""
    children: list[Part] = field(default_factory=list)
    claims: int | None = None

    def copy(self) -> Part:
        return Part(self.name, self.body, [child.copy() for child in self.children], self.claims)


class Grammar(ABC):
    """How parts are written down."""

    order = "big"
    names: tuple[bytes, ...] = ()

    @abstractmethod
    def read(self, content: bytes) -> list[Part]:
        """The parts of a sound file."""

    @abstractmethod
    def written(self, parts: list[Part]) -> bytes:
        """The file; lengths are those of the parts unless they claim others."""

    def special(self, random: Random, part: Part) -> None:
        """A change that only this kind of file knows of."""
        part.body = plain.with_some_number(random, part.body, self.order)


def changed(random: Random, content: bytes, grammar: Grammar) -> bytes:
    """Some parts are others than they were."""
    root = Part(b"", children=grammar.read(content))
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        there = list(_all(root))
        if not there or _changes(random, there, grammar) == "deep":  # deeper than the functions here can follow
            break
    return grammar.written(root.children)


def _all(part: Part) -> Iterator[tuple[Part, int]]:
    """Each part's parent, and its place there."""
    for place, child in enumerate(part.children):
        yield part, place
        yield from _all(child)


_CHANGES = (
    *("numbers", "special") * 5,  # most code goes by what numbers say
    *("bytes", "claim", "claim", "twice", "gone", "name", "swap", "move", "deep", "new", "cut"),
)


def _changes(random: Random, there: Sequence[tuple[Part, int]], grammar: Grammar) -> str:  # noqa: PLR0912 - a table
    """Makes one change, and says which."""
    parent, place = random.choice(there)
    part = parent.children[place]
    other = random.choice(there)
    change = random.choice(_CHANGES)
    match change:
        case "numbers":
            part.body = plain.with_some_number(random, part.body, grammar.order)
        case "special":
            grammar.special(random, part)
        case "bytes":
            part.body = plain.anyhow(random, part.body)
        case "claim":
            part.claims = plain.telling(random, 4, len(part.body) + 8)
        case "twice":
            parent.children[place:place] = [part.copy() for _ in range(random.choice((1, 1, 2, 50)))]
        case "gone":
            del parent.children[place]
        case "name":
            part.name = random.choice([*(one.children[number].name for one, number in there), *grammar.names, random.randbytes(4)])
        case "swap":
            other_parent, number = other
            parent.children[place], other_parent.children[number] = other_parent.children[number].copy(), part.copy()
        case "move":
            other[0].children[other[1]].children.append(part.copy())
        case "deep":
            inner = part.copy()
            for _ in range(random.choice((3, 20, 100, _MOST_DEPTH))):
                inner = Part(part.name, part.body[:16] if part.children else b"", [inner])
            parent.children[place] = inner
        case "new":
            name = random.choice([*grammar.names, random.randbytes(4)])
            parent.children.insert(place, Part(name, random.randbytes(random.randint(0, 64))))
        case "cut":
            part.body = plain.cut(random, part.body)
    return change


_HEADS = dict.fromkeys(b"moov trak edts mdia minf dinf stbl udta mvex moof traf".split(), 0) | {b"meta": 4, b"stsd": 8, b"dref": 8}
_HEADS |= dict.fromkeys(b"avc1 hev1 hvc1 av01 mp4v jpeg".split(), 78) | {b"mp4a": 28}
_TABLES = {b"stts": 8, b"ctts": 8, b"stsc": 12, b"stsz": 4, b"stco": 4, b"elst": 12, b"stss": 4, b"trun": 8}


class Boxes(Grammar):
    """mp4 and mov: a length of 4 bytes, a name, what is in it."""

    names = tuple(b"free uuid elst co64 moof senc sidx pssh udta clap pasp sgpd stz2 cmov tref".split())

    def read(self, content: bytes) -> list[Part]:
        parts, at = [], 0
        while at + 8 <= len(content):
            size = int.from_bytes(content[at : at + 4], "big") or len(content) - at
            name, inside = content[at + 4 : at + 8], content[at + 8 : at + size]
            head = _HEADS.get(name)
            parts.append(Part(name, inside) if head is None else Part(name, inside[:head], self.read(inside[head:])))
            at += max(8, size)
        return parts

    def written(self, parts: list[Part]) -> bytes:
        return _written_deep(parts, self._one)

    def special(self, random: Random, part: Part) -> None:
        """An entry of a table, or how many entries it says that it has; a turn; the lengths before the picture's units."""
        if part.name in _TABLES and len(part.body) > 8:
            entry = _TABLES[part.name]
            if random.random() < 0.3:
                at = 8 if part.name == b"stsz" else 4
            else:
                at = 8 + entry * random.randrange(max(1, (len(part.body) - 8) // entry)) + 4 * random.randrange(entry // 4)
            part.body = plain.with_number(random, part.body, min(at, len(part.body) - 4), 4, "big")
        elif part.name == b"mdat":
            part.body = plain.overwritten(random, part.body)
        else:
            super().special(random, part)

    def _one(self, part: Part, inside: bytes) -> bytes:
        return (8 + len(inside) if part.claims is None else part.claims).to_bytes(4, "big") + part.name + inside


def _written_deep(parts: list[Part], one: Callable[[Part, bytes], bytes]) -> bytes:
    """The parts one after the other, the deepest first: a file may be deeper than Python's stack."""
    done: dict[int, bytes] = {}
    stack = [(part, False) for part in reversed(parts)]
    while stack:
        part, is_inside_done = stack.pop()
        if is_inside_done:
            done[id(part)] = one(part, part.body + b"".join(done.pop(id(child)) for child in part.children))
        else:
            stack += [(part, True), *((child, False) for child in part.children)]
    return b"".join(done[id(part)] for part in parts)


class Elements(Grammar):
    """EBML: a number that is the name, a number that is the length, what is in it."""

    names = tuple(map(bytes.fromhex, ["ec", "a3", "a0", "a1", "6d80", "5031", "e7", "53ab", "63a2", "b9", "ee", "1f43b675"]))
    _MASTERS = frozenset(map(bytes.fromhex, _MASTERS.split()))
    _BLOCKS = (b"\xa3", b"\xa1")

    def read(self, content: bytes) -> list[Part]:
        parts, at = [], 0
        while at + 2 <= len(content):
            name_bytes = 9 - content[at].bit_length()
            name = content[at : at + name_bytes]
            at += name_bytes
            size_bytes = 9 - content[at].bit_length()
            size = int.from_bytes(content[at : at + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
            at += size_bytes
            inside = content[at : at + size] if size != (1 << 7 * size_bytes) - 1 else content[at:]
            parts.append(Part(name, b"", self.read(inside)) if name in self._MASTERS else Part(name, inside))
            at += len(inside)
        return parts

    def written(self, parts: list[Part]) -> bytes:
        return _written_deep(parts, self._one)

    def special(self, random: Random, part: Part) -> None:
        """A block's lacing, track and time; a number that is as long as it may be; a length that is unknown."""
        if part.name in self._BLOCKS and len(part.body) > 8:
            at = random.choice((0, 1, 2, 3, 3, 3, 4, 5, 6))
            value = part.body[at] & 0xF9 | random.choice((2, 4, 6)) if at == 3 else random.getrandbits(8)
            part.body = part.body[:at] + bytes([value]) + part.body[at + 1 :]
        elif part.children:
            part.claims = -1
        elif len(part.body) <= 8:
            part.body = plain.telling(random, 8, int.from_bytes(part.body, "big")).to_bytes(8, "big")[-random.choice((1, 2, 4, 8)) :]
        else:
            super().special(random, part)

    def _one(self, part: Part, inside: bytes) -> bytes:
        if part.claims == -1:
            return part.name + b"\x01" + b"\xff" * 7 + inside
        size = len(inside) if part.claims is None else part.claims
        num_bytes = next(num_bytes for num_bytes in range(1, 9) if size < (1 << 7 * num_bytes) - 1)
        return part.name + (size | 1 << 7 * num_bytes).to_bytes(num_bytes, "big") + inside


class Chunks(Grammar):
    """RIFF: a name, a length of 4 bytes, what is in it, and a byte more where that is odd. AVI and WebP."""

    order = "little"
    names = (*b"JUNK idx1 00dc 01wb ix00 indx dmlh LIST EXIF ANMF ALPH ICCP VP8L".split(), b"rec ")

    def read(self, content: bytes) -> list[Part]:
        parts, at = [], 0
        while at + 8 <= len(content):
            size = int.from_bytes(content[at + 4 : at + 8], "little")
            name, inside = content[at : at + 4], content[at + 8 : at + 8 + size]
            is_list = name in (b"RIFF", b"LIST")
            parts.append(Part(name, inside[:4], self.read(inside[4:])) if is_list else Part(name, inside))
            at += 8 + size + size % 2
        return parts

    def written(self, parts: list[Part]) -> bytes:
        return _written_deep(parts, self._one)

    def _one(self, part: Part, inside: bytes) -> bytes:
        size = len(inside) if part.claims is None else part.claims
        return part.name + size.to_bytes(4, "little") + inside + b"\0" * (len(inside) % 2)


class PngChunks(Grammar):
    """PNG: a length of 4 bytes, a name, what is in it, a checksum, which fits."""

    names = tuple(b"tRNS PLTE acTL fcTL fdAT iCCP eXIf zTXt gAMA cHRM sBIT bKGD IEND".split())
    _SIGNATURE = b"\x89PNG\r\n\x1a\n"

    def read(self, content: bytes) -> list[Part]:
        parts, at = [], len(self._SIGNATURE)
        while at + 12 <= len(content):
            size = int.from_bytes(content[at : at + 4], "big")
            parts.append(Part(content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
            at += 12 + size
        return parts

    def written(self, parts: list[Part]) -> bytes:
        return self._SIGNATURE + _written_deep(parts, self._one)

    def special(self, random: Random, part: Part) -> None:
        """The pixels themselves, compressed again."""
        if part.name == b"IDAT":
            try:
                pixels = zlib.decompress(part.body)
            except zlib.error:
                return
            part.body = zlib.compress(plain.anyhow(random, pixels) if random.random() < 0.8 else bytes(random.choice((0, 1, 1 << 22))))
        elif part.name == b"IHDR" and len(part.body) == 13:
            at, num_bytes = random.choice(((0, 4), (4, 4), (8, 1), (9, 1), (12, 1)))
            part.body = plain.with_number(random, part.body, at, num_bytes, "big")
            if random.random() < 0.3:
                part.body = plain.sized(random, part.name + part.body)[4:]
        else:
            super().special(random, part)

    def _one(self, part: Part, inside: bytes) -> bytes:
        size = len(inside) if part.claims is None else part.claims
        return struct.pack(">I", size) + part.name + inside + struct.pack(">I", zlib.crc32(part.name + inside))
