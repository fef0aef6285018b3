"""How fast a folder of pictures goes in and out, beside FFmpeg's own round trip through the same pictures.

    python -m tests.benchmarks.image_folders [--frames 1800] [--json FILE]

A folder of drawn 720p PNGs goes through the rendering path: probed, the pictures in a tenth of the frames decoded, covered and encoded, the
others cleaned and copied, and the whole put in place. The round trip decodes every PNG and encodes every PNG, with FFmpeg through PyAV and
its own settings, one after the other, and writes the files.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from rich.console import Console

from tasks.blurs.ways import Pixelate
from tasks.covering import covered_frames
from tasks.places import source_of, target_of
from tasks.tracks import Cover
from tasks.video.forms import Rendered
from tasks.video.picture_folder import PictureFolder
from tasks.video.segments import Piece
from tasks.video.sources import Images
from tests.benchmarks.tables import table_of

SIZE = (1280, 720)
SHARE_COVERED = 0.1
RUN_FRAMES = 6  # covered frames come in runs; short ones, so that fewer frames give the same share
_FACES = np.array([[300, 200, 420, 350], [800, 240, 900, 370]], np.float32)


def draw(folder: Path, num_frames: int) -> None:
    """A moving, slightly noisy room: its PNGs are as large as those of footage."""
    random = np.random.default_rng(0)
    room = cv2.resize(random.integers(0, 256, (24, 60, 3)).astype(np.uint8), (SIZE[0] + 400, SIZE[1]), interpolation=cv2.INTER_CUBIC)
    grain = random.integers(0, 2, (SIZE[1] + 64, SIZE[0] + 64, 3)).astype(np.uint8)
    for number in range(num_frames):
        left, x, y = number % 400, *random.integers(0, 64, 2)
        picture = cv2.add(room[:, left : left + SIZE[0]], grain[y : y + SIZE[1], x : x + SIZE[0]])
        cv2.imwrite(str(folder / f"img{number:07d}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def cover_of(num_frames: int) -> Cover:
    """Two faces in a tenth of the frames."""
    period = round(RUN_FRAMES / SHARE_COVERED)
    frames = np.array([number for number in range(num_frames) if number % period < RUN_FRAMES], np.int64)
    return Cover(np.repeat(frames, 2), np.tile(_FACES, (len(frames), 1)), np.tile(np.arange(2), len(frames)))


def through_veil(folder: Path, out: Path, cover: Cover) -> dict[str, float]:
    """Seconds of probing, of rendering what is covered, and of putting the folder together."""
    started = time.perf_counter()
    source = source_of(str(folder))
    assert isinstance(source, PictureFolder)
    target = target_of(str(out), source)
    info, index = source.probe("0" * 64, Images())
    probed = time.perf_counter()
    covered = sorted(set(cover.frames.tolist()))
    segment = out.with_name("segment")
    num_frames = len(index)
    waiting: list[tuple[int, av.VideoFrame]] = []

    def noted() -> Iterator[tuple[int, av.VideoFrame]]:
        for each in source.some(info, index, covered):
            waiting.append(each)
            yield each

    target.form.write((Rendered(*waiting.pop(0), frame) for frame in covered_frames(noted(), cover, Pixelate())), info, source, segment)
    rendered = time.perf_counter()
    with target.whole() as written:
        written.join([Piece(0, num_frames - 1, segment)], source, info, index, None)
        written.keep()
    joined = time.perf_counter()
    return {"probe": probed - started, "render": rendered - probed, "join": joined - rendered, "whole": joined - started}


def through_ffmpeg(folder: Path, out: Path) -> float:
    """Seconds of decoding every picture and encoding it again."""
    out.mkdir()
    started = time.perf_counter()
    for path in sorted(folder.iterdir()):
        frame = av.CodecContext.create("png", "r").decode(av.Packet(path.read_bytes()))[0]
        encoder = av.CodecContext.create("png", "w")
        encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = frame.width, frame.height, frame.format.name, Fraction(1, 25)
        frame.pts = 0
        (out / path.name).write_bytes(b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]))
    return time.perf_counter() - started


def measure(num_frames: int) -> dict[str, Any]:
    """Both ways over the same folder, and how the times compare."""
    with tempfile.TemporaryDirectory(prefix="veil-bench-") as place:
        folder = Path(place) / "in"
        folder.mkdir()
        draw(folder, num_frames)
        cover = cover_of(num_frames)
        veil = through_veil(folder, Path(place) / "out", cover)
        ffmpeg = through_ffmpeg(folder, Path(place) / "ffmpeg")
        num_copied = sum((folder / path.name).read_bytes() == path.read_bytes() for path in (Path(place) / "out").iterdir())
        return {
            "frames": num_frames,
            "size": SIZE,
            "covered_frames": cover.num_frames,
            "copied_frames": num_copied,
            "megabytes": round(sum(path.stat().st_size for path in folder.iterdir()) / 1e6, 1),
            "cores": os.cpu_count(),
            "veil_seconds": {name: round(seconds, 2) for name, seconds in veil.items()},
            "ffmpeg_seconds": round(ffmpeg, 2),
            "ratio": round(veil["whole"] / ffmpeg, 3),
        }


def show(found: dict[str, Any], console: Console) -> None:
    """The table of what was measured."""
    whole = found["ffmpeg_seconds"]
    rows = [[name, f"{seconds:.1f} s", f"{seconds / whole:.2f}"] for name, seconds in found["veil_seconds"].items()]
    rows.append(["FFmpeg's round trip", f"{whole:.1f} s", "1.00"])
    title = f"{found['frames']} PNGs of {SIZE[0]}x{SIZE[1]}, {found['covered_frames']} with cover, {found['copied_frames']} copied"
    console.print(table_of(title, ["part", "time", "of FFmpeg's"], rows, num_left=1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1800)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.frames)
    show(found, Console())
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
