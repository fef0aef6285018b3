"""BMP: a header, the pixels, and nothing behind them."""

from __future__ import annotations

import struct

from tasks.video.pictures.orientation import UPRIGHT, Header

_V5_BYTES = 124
_V3_BYTES = 40
_MASKS_BYTES = {3: 12, 6: 16}  # behind a header of version 3, by the compression
_COLOUR_SPACE, _PROFILE = 14 + 56, 14 + 112  # places of a V5 header's fields
_AS_SRGB = b"BGRs"  # "sRGB", read as a number


def header(content: bytes) -> Header:
    if content[:2] != b"BM" or len(content) < 54:
        raise ValueError("is not a BMP")
    width, height = struct.unpack_from("<ii", content, 18)
    return Header(width, abs(height), UPRIGHT)


def clean(content: bytes) -> bytes:
    """Without a colour profile (which may be the name of a file) and what follows the pixels."""
    width, height, _ = header(content)
    pixels, header_bytes = struct.unpack_from("<II", content, 10)
    bits, compression, image_bytes = struct.unpack_from("<HII", content, 28)
    end = pixels + (image_bytes if compression in (1, 2) else (width * bits + 31) // 32 * 4 * height)
    if end > len(content):
        raise ValueError("ends early")
    result = bytearray(content[:end])
    result[2:6] = struct.pack("<I", end)
    (num_colours,) = struct.unpack_from("<I", content, 46)
    palette_bytes = 4 * (num_colours or (1 << bits if bits <= 8 else 0))
    masks_bytes = _MASKS_BYTES.get(compression, 0) if header_bytes == _V3_BYTES else 0
    unused = slice(14 + header_bytes + masks_bytes + palette_bytes, pixels)
    result[unused] = bytes(max(0, unused.stop - unused.start))
    if header_bytes >= _V5_BYTES and any(content[_PROFILE : _PROFILE + 8]):
        result[_COLOUR_SPACE : _COLOUR_SPACE + 4] = _AS_SRGB
        result[_PROFILE : _PROFILE + 8] = bytes(8)
    return bytes(result)


def carried(encoded: bytes, source: bytes) -> bytes:
    return clean(encoded)


def turned(encoded: bytes, orientation: int) -> bytes:
    if orientation != UPRIGHT:
        raise ValueError("cannot say that a picture is turned")
    return clean(encoded)
