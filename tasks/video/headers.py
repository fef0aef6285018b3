"""What a copied stream carries in its header besides what its decoder needs: words and pictures, which stay out."""

from __future__ import annotations

_EMPTY_COMMENTS = b"\x03vorbis" + bytes(4) + bytes(4) + b"\x01"  # no vendor, no comments, and the bit that ends it
_ASS_SECTIONS = (b"[script info]", b"[v4 styles]", b"[v4+ styles]", b"[events]")
# What a renderer goes by. Titles, authors and the paths of the film on somebody's disk are not among it.
_ASS_SETTINGS = (
    *(b"scripttype:", b"playresx:", b"playresy:", b"layoutresx:", b"layoutresy:", b"wrapstyle:", b"scaledborderandshadow:"),
    *(b"ycbcr matrix:", b"timer:", b"collisions:", b"kerning:"),
)


def clean_header(codec: str, header: bytes | None) -> bytes | None:
    """A stream's private header with nothing in it but what decoding needs; unchanged for codecs that carry nothing else."""
    if not header:
        return header
    match codec:
        case "vorbis":
            return _clean_vorbis(header)
        case "ass" | "ssa":
            return _clean_ass(header)
        case "flac":
            # Whoever reads a header in full would find comments and cover art behind the stream's own block.
            start = 8 if header[:4] == b"fLaC" else 0
            return header[: start + 34]
    return header


def _clean_vorbis(header: bytes) -> bytes:
    """Three packets (Xiph's lacing: their number less one, lengths of all but the last), of which the second is all comments."""
    if header[0] != 2:
        return header
    lengths, place = [], 1
    for _ in range(2):
        length = 0
        while header[place] == 255:
            length, place = length + 255, place + 1
        lengths.append(length + header[place])
        place += 1
    identification = header[place : place + lengths[0]]
    setup = header[place + lengths[0] + lengths[1] :]
    return b"\x02" + _laced(len(identification)) + _laced(len(_EMPTY_COMMENTS)) + identification + _EMPTY_COMMENTS + setup


def _laced(length: int) -> bytes:
    return b"\xff" * (length // 255) + bytes([length % 255])


def _clean_ass(header: bytes) -> bytes:
    """Styles as they are; of the script's own words only its settings; no embedded fonts or pictures, no comments."""
    kept, section = [], b""
    for line in header.splitlines():
        bare = line.strip().lower()
        if bare.startswith(b"["):
            section = bare
        if section not in _ASS_SECTIONS or bare.startswith((b";", b"comment:")):
            continue
        if section == b"[script info]" and bare != section and not bare.startswith(_ASS_SETTINGS):
            continue
        kept.append(line)
    return b"\r\n".join(kept) + b"\r\n"
