"""Changes of files that are not trees: transport streams, JPEG's segments, TIFF's directories, BMP's header."""

from __future__ import annotations

import struct
from random import Random

from tests.fuzz import plain

_PACKET, _PAT = 188, 0
_MARKS = (*range(0xC0, 0xCF), 0xD8, 0xDA, 0xDB, 0xDD, 0xE1, 0xE2, 0xFE, 0xFF)
_TAGS = (*range(256, 260), 262, 273, 274, 277, 278, 279, 284, 317, 320, *range(322, 326), 338, 339, 347, 530)
_SIDES = (1, 4096, 16384, 20000, 65535, 1 << 24)
_TIFF_CHANGES = (*("tag", "number", "next", "start", "far", "pixels", "sides"), *("kind", "count") * 2, *("value",) * 3)
_TS_CHANGES = ("adaptation", "lost", "twice", "swap", "alone", "pid", "noise", *("head", "table", "pes") * 2)


def transport(random: Random, content: bytes) -> bytes:
    """Packets that are lost, come twice or out of order, and fields of their heads, tables and times; tables' checksums fit."""
    packets = [bytearray(content[at : at + _PACKET]) for at in range(0, len(content), _PACKET)]
    for _ in range(random.choice((1, 2, 4, 16))):
        if not packets:
            break
        _change_packets(random, packets)
    return b"".join(packets)


def _change_packets(random: Random, packets: list[bytearray]) -> None:  # noqa: PLR0912 - a table
    place = random.randrange(len(packets))
    packet = packets[place]
    match random.choice(_TS_CHANGES):
        case _ if len(packet) < _PACKET:
            del packets[place]
        case "head":
            packet[random.randrange(4)] ^= 1 << random.randrange(8)
        case "adaptation":
            packet[3] |= 0x20
            packet[4:6] = bytes([random.choice((0, 1, 7, 182, 183, 184, 255)), random.getrandbits(8)])
        case "table":
            tables = [one for one in packets if len(one) == _PACKET and _pid(one) in (_PAT, 0x1000)]
            if tables:
                _change_table(random, random.choice(tables))
        case "pes":
            begins = [one for one in packets if len(one) == _PACKET and one[1] & 0x40 and b"\0\0\1" in one[4:]]
            if begins:
                one = random.choice(begins)
                at = one.index(b"\0\0\1", 4) + random.randrange(20)
                if at < len(one):
                    one[at] = random.getrandbits(8)
        case "lost":
            del packets[place : place + random.choice((1, 1, 2, 10, 100))]
        case "twice":
            packets[place:place] = [bytearray(one) for one in packets[place : place + random.choice((1, 5))]]
        case "swap":
            other = random.randrange(len(packets))
            packets[place], packets[other] = packets[other], packets[place]
        case "alone":
            packets[place] = bytearray(plain.anyhow(random, bytes(packet)))
        case "pid":
            packet[1:3] = (packet[1] & 0xE0 | random.choice((0, 0x01, 0x10, 0x1F))).to_bytes(1, "big") + bytes([random.getrandbits(8)])
        case "noise":
            packet[4:] = random.randbytes(_PACKET - 4)


def _pid(packet: bytearray) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _change_table(random: Random, packet: bytearray) -> None:
    begin = 5 + packet[4]
    end = begin + 3 + (int.from_bytes(packet[begin + 1 : begin + 3], "big") & 0xFFF) - 4
    if not begin + 8 < end <= _PACKET - 4:
        return
    at = begin + random.randrange(1, end - begin)
    packet[at] = plain.telling(random, 1, packet[at])
    packet[end : end + 4] = _crc32_mpeg(bytes(packet[begin:end])).to_bytes(4, "big")


def _crc32_mpeg(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 1 << 31 else 0)) & 0xFFFFFFFF
    return crc


def jpeg(random: Random, content: bytes) -> bytes:
    """Segments that are lost, come twice, say other sizes or lengths; marks in the middle of the pixels."""
    segments = _segments(content)
    for _ in range(random.choice((1, 1, 2, 4))):
        place = random.randrange(len(segments))
        segment = segments[place]
        match random.choice(("numbers", "numbers", "numbers", "mark", "length", "gone", "twice", "swap", "pixels", "pixels", "restart")):
            case "numbers" if len(segment) > 4:
                num_bytes = random.choice((1, 2))
                at = 4 + random.randrange(max(1, min(60, len(segment) - 4) - num_bytes + 1))
                segment = plain.with_number(random, segment, min(at, len(segment) - num_bytes), num_bytes, "big")
            case "mark" if len(segment) > 1:
                segment = segment[:1] + bytes([random.choice(_MARKS)]) + segment[2:]
            case "length" if len(segment) > 4:
                segment = plain.with_number(random, segment, 2, 2, "big")
            case "gone":
                segment = b""
            case "twice":
                segment *= random.choice((2, 2, 3, 1000))
            case "swap":
                other = random.randrange(len(segments))
                segment, segments[other] = segments[other], segment
            case "restart" if len(segment) > 20:
                at = random.randrange(4, len(segment))
                segment = segment[:at] + bytes([0xFF, random.choice((*range(0xC0, 0xFF),))]) + segment[at:]
            case _:
                segment = plain.anyhow(random, segment)
        segments[place] = segment
    content = b"".join(segments)
    return plain.sized(random, content) if random.random() < 0.1 else content


def _segments(content: bytes) -> list[bytes]:
    """With the last one all pixels."""
    segments, at = [content[:2]], 2
    while content[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        segments.append(content[at:end])
        at = end
    return [*segments, content[at:]]


def tiff(random: Random, content: bytes) -> bytes:
    """Tags, kinds, counts and values of the entries of the directory, which may also be in itself; and numbers that values point to."""
    order = "little" if content[:2] == b"II" else "big"
    changed = content
    for _ in range(random.choice((1, 1, 2, 3))):
        start = int.from_bytes(content[4:8], order)  # type: ignore[arg-type]
        count = int.from_bytes(content[start : start + 2], order)  # type: ignore[arg-type]
        entry = start + 2 + 12 * random.randrange(count)
        match random.choice(_TIFF_CHANGES):
            case "tag":
                tag = random.choice(_TAGS)
                changed = changed[:entry] + tag.to_bytes(2, order) + changed[entry + 2 :]  # type: ignore[arg-type]
            case "kind":
                changed = changed[: entry + 2] + random.choice((*range(15), 65535)).to_bytes(2, order) + changed[entry + 4 :]  # type: ignore[arg-type]
            case "count":
                changed = plain.with_number(random, changed, entry + 4, 4, order)
            case "value":
                changed = plain.with_number(random, changed, entry + 8, random.choice((2, 4)), order)
            case "number":
                changed = plain.with_number(random, changed, start, 2, order)
            case "sides":
                for tag, side in ((256, random.choice(_SIDES)), (257, random.choice(_SIDES))):
                    at = changed.find(tag.to_bytes(2, order), start)  # type: ignore[arg-type]
                    changed = changed[: at + 8] + side.to_bytes(4, order) + changed[at + 12 :] if at >= 0 else changed  # type: ignore[arg-type]
            case "next":
                changed = plain.with_number(random, changed, start + 2 + 12 * count, 4, order)
            case "start":
                changed = plain.with_number(random, changed, 4, 4, order)
            case "far":
                at = int.from_bytes(content[entry + 8 : entry + 12], order)  # type: ignore[arg-type]
                changed = plain.with_number(random, changed, at, 4, order) if at + 4 <= len(changed) else changed
            case "pixels":
                changed = plain.overwritten(random, changed)
    return changed


def bmp(random: Random, content: bytes) -> bytes:
    """Fields of the header."""
    for _ in range(random.choice((1, 1, 2, 3))):
        at, num_bytes = random.choice(((2, 4), (10, 4), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2), (30, 4), (34, 4), (46, 4), (50, 4)))
        content = plain.with_number(random, content, at, num_bytes, "little")
        if at == 22 and random.random() < 0.5:
            content = content[:22] + struct.pack("<i", random.choice((-40, -1, -(1 << 31)))) + content[26:]
    return plain.sized(random, content) if random.random() < 0.1 else content
