"""Pictures that are damaged, or made to take minutes or gigabytes: a result or one line, soon, and little is held."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from tasks.errors import BadPhoto, BadVideo
from tasks.photos import read_photo
from tasks.video.picture_folder import PictureFolder
from tasks.video.pictures.kinds import KINDS, WrittenKind, decode
from tasks.video.sources import Images

from .heics import heic_file, with_size
from .test_pictures import drawn, picture_file, stored

MOST_SECONDS = 5
MOST_BYTES = 2 << 30
NUM_DAMAGED = 300


@dataclass(frozen=True)
class Held:
    """A file of a folder, in memory."""

    content: bytes
    name: str = "x"
    suffix: str = ""

    def num_bytes(self) -> int:
        return len(self.content)

    def renew(self) -> None:
        """Nothing changes it."""

    def read_bytes(self) -> bytes:
        return self.content


@dataclass(frozen=True)
class OneFile:
    """A folder with one picture."""

    name: str
    content: bytes

    def names(self) -> list[str]:
        return [self.name]

    def file(self, name: str) -> Held:
        return Held(self.content)


def folder_of(content: bytes, suffix: str) -> PictureFolder:
    return PictureFolder("in", OneFile(f"x{suffix}", content))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes) -> bytes:
    content = stored(".png", drawn())
    return content[:33] + b"".join(chunks) + content[33:]


def deflated_zeros(num_bytes: int) -> bytes:
    """Without its checksum: whoever finds that out has inflated it."""
    packer, piece = zlib.compressobj(), bytes(1 << 24)
    first, more = (packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + more * (num_bytes >> 24)


def tiff(entries: bytes, count: int, behind: bytes = b"") -> bytes:
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + bytes(4) + behind


def png_of_size(width: int, height: int) -> bytes:
    content = stored(".png", drawn())
    return content[:8] + chunk(b"IHDR", struct.pack(">II", width, height) + content[24:29]) + content[33:]


def jpeg_with_scans(side: int, number: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((side, side), np.uint8)).save(file, "jpeg", progressive=True)
    content = file.getvalue()
    return content[:-2] + content[content.rindex(b"\xff\xda") : -2] * number + content[-2:]


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


SIZED = entry(256, 4, 1, 64) + entry(257, 4, 1, 64)
BOMBS = {  # the file's ending, what it is, and what is said of it: "" for what is read all the same
    "png over the limit": (".png", lambda: png_of_size(16_000, 16_000), "16000x16000 pixels, more than 100 million"),
    "png of a side that nothing has": (".png", lambda: png_of_size(3_000_000, 1), "outside 1 to 16384"),
    "png with a text of 4 GB": (".png", lambda: png_with(chunk(b"zTXt", b"a\0\0" + deflated_zeros(4 << 30))), ""),
    "png with a profile of 4 GB": (".png", lambda: png_with(chunk(b"iCCP", b"a\0\0" + deflated_zeros(4 << 30))), ""),
    "png of millions of parts": (".png", lambda: png_with(chunk(b"teSt", b"") * 3_000_000), "more parts than"),
    "jpeg with 5,000 scans": (".jpg", lambda: jpeg_with_scans(4000, 5000), "goes over its picture 50"),
    "jpeg with as many as it may have, large": (".jpg", lambda: jpeg_with_scans(9900, 90), "goes over its picture 9"),
    "jpeg of nothing but filling": (".jpg", lambda: b"\xff\xd8\xff\xe0\0\x02" + b"\xff" * (100 << 20), "ends early"),
    "jpeg with a scan of filling": (".jpg", lambda: stored(".jpg", drawn())[:-2] + b"\xff" * (8 << 20) + b"\0\xff\xd9", ""),
    "jpeg of millions of parts": (".jpg", lambda: b"\xff\xd8" + b"\xff\xe1\0\x02" * 10_000_000 + b"\xff\xd9", "more parts than"),
    "webp of millions of parts": (
        ".webp",
        lambda: b"RIFF" + struct.pack("<I", 4 + 8 * 5_000_000) + b"WEBP" + b"teSt\0\0\0\0" * 5_000_000,
        "more parts than",
    ),
    "tiff whose 65,535 tags each mean all of it": (
        ".tiff",
        lambda: tiff((SIZED + entry(700, 7, 90 << 20, 8) * 65_533), 65_535, bytes(100 << 20)),
        "cannot be decoded",
    ),
    "tiff whose strips each are all of it": (
        ".tiff",
        lambda: tiff(
            SIZED + entry(273, 4, 400_000, 100) + entry(279, 4, 400_000, 1_600_100),
            4,
            bytes(100 - 62) + struct.pack("<I", 100) * 400_000 + struct.pack("<I", 40 << 20) * 400_000 + bytes(50 << 20),
        ),
        "cannot be decoded",
    ),
    "tiff with as many strips as numbers go": (".tiff", lambda: tiff(SIZED + entry(273, 4, 0xFFFFFFFF, 8), 3), "ends early"),
    "tiff whose directory is itself": (".tiff", lambda: b"II*\0\0\0\0\0" + bytes(60), "has no picture|ends early"),
    "bmp over the limit": (
        ".bmp",
        lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 16_000, 16_000, 1, 24, 0, 0, 0, 0, 0, 0),
        "more than 100 million",
    ),
    "heic over the limit": (".heic", lambda: with_size(heic_file(drawn()), 16_000, 16_000), "more than 100 million"),
}


class Outcome(NamedTuple):
    seconds: float  # of a core's work
    num_bytes: int
    problem: str


def probe_bombs() -> None:
    """Prints what came of each."""
    print(json.dumps({name: probed(make(), suffix) for name, (suffix, make, _) in BOMBS.items()}))


def probed(content: bytes, suffix: str) -> Outcome:
    source, problem = folder_of(content, suffix), ""
    started = time.process_time()
    try:
        source.check()
        source.probe("0" * 64, Images())
    except BadVideo as error:
        problem = error.problem
    return Outcome(time.process_time() - started, peak_bytes(), problem)


def peak_bytes() -> int:
    """Of this process since it began to run this program: what `getrusage` says goes on from whoever started it."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    """From a process of its own, whose memory is what the bombs took, and what they are."""
    words = [sys.executable, "-c", "from tests.video.test_hostile_pictures import probe_bombs; probe_bombs()"]
    done = subprocess.run(words, check=True, timeout=200, stdout=subprocess.PIPE)
    return {name: Outcome(*found) for name, found in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_read_soon_or_is_one_line(name: str, outcomes: dict[str, Outcome]) -> None:
    seconds, num_bytes, problem = outcomes[name]
    assert seconds < MOST_SECONDS
    assert num_bytes < MOST_BYTES
    assert "\n" not in problem
    assert re.search(BOMBS[name][2] or "^$", problem), problem


SHORT = {  # headers that end before what is read from them, and numbers of kinds that there are not
    ".png": b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"\0\0\0\1") + chunk(b"IEND", b""),
    ".jpg": b"\xff\xd8\xff\xc0\0\2\xff\xd9",
    ".webp": b"RIFF\x0e\0\0\0WEBPVP8 \2\0\0\0\0\0",
    ".tiff": tiff(entry(256, 99, 1, 64) + entry(257, 2, 0, 64), 2),
    ".tif": tiff(entry(256, 11, 1, 0x7F800000) + entry(257, 11, 1, 64), 2),  # as wide as infinity
    ".bmp": b"BM" + bytes(20),
    ".heic": heic_file(drawn())[:12],
}


@pytest.mark.parametrize("suffix", SHORT)
def test_a_header_that_is_too_short_is_one_line(suffix: str) -> None:
    with pytest.raises(BadVideo, match=f"x{suffix} (is|has|ends|cannot)"):
        folder_of(SHORT[suffix], suffix).check()


WHOLE = {suffix: (picture_file(suffix, 6), stored(suffix, drawn())) for suffix in (".png", ".jpg", ".webp", ".tiff", ".bmp")}
WHOLE[".heic"] = (heic_file(drawn(), 6), heic_file(drawn()[:16, :16]))


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Cut off, with some bytes changed (more of them at the beginning, where the headers are), or with a piece taken out."""
    how, changed = random.integers(4), bytearray(content)
    if how == 0:
        return content[: random.integers(len(content))]
    if how == 1:
        first = random.integers(len(content))
        return content[:first] + content[first + random.integers(1, 40) :]
    for _ in range(random.integers(1, 8)):
        place = random.integers(min(len(content), 300 if how == 2 else len(content)))
        changed[place] = random.choice([0, 1, 0x7F, 0x80, 0xFF, random.integers(256)])
    return bytes(changed)


@pytest.mark.parametrize("suffix", WHOLE)
def test_what_is_damaged_is_read_or_is_one_line(suffix: str, tmp_path: Path) -> None:
    random, photo = np.random.default_rng(7), tmp_path / f"x{suffix}"
    num_read, problems = 0, set[str]()
    for number in range(NUM_DAMAGED):
        content = damaged(WHOLE[suffix][number % 2], random)
        source = folder_of(content, suffix)
        try:
            source.check()
            source.probe("0" * 64, Images())
            covered_anew(content, suffix)
            num_read += 1
        except BadVideo as error:
            problems.add(str(error))
        photo.write_bytes(content)
        try:
            read_photo(photo)
        except BadPhoto as error:
            problems.add(str(error))
    assert 0 < num_read < NUM_DAMAGED
    assert not [each for each in problems if "\n" in each]


def covered_anew(content: bytes, suffix: str) -> None:
    """As a picture with cover is written: what its file says goes into the new one."""
    kind = KINDS[suffix]
    if isinstance(kind, WrittenKind):
        assert decode(kind.carried(stored(suffix, drawn()), content), kind) is not None
