"""What reading, blurring and writing cost, beside the same work without any of it: bare decoding and encoding with the same settings.

    python -m tests.benchmarks.video [--parts render copy images memory] [--minutes 1 60] [--json OUT.json]

render  two faces covered throughout, 1080p30, against a bare transcode; the blur alone, a frame
copy    cover in one of ten groups of pictures, against a bare transcode of all
memory  peak of a whole job at 4K, and of 720p videos of several lengths
images  a folder of 1,800 pictures in and out, against FFmpeg's own PNG round trip

Both sides of a ratio run in turn, in one process; the figure is the median of the ratios of neighbours.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from rich.console import Console

from tasks.copying import stretches_of
from tasks.covering import covered_frames
from tasks.plan import BlurFaces
from tasks.segments import Segment
from tasks.tracks import Cover
from tasks.tracks import Shot as Stretch
from tasks.video import encode_segment, join_segments, probe_file, read_frames
from tasks.video.encoders import choose_encoding
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.segments import Piece
from tasks.video.write import encoder_options
from tests.benchmarks.image_folders import measure as measure_images
from tests.benchmarks.image_folders import show as show_images
from tests.benchmarks.looping import repeat
from tests.benchmarks.processes import VEIL, surroundings, watch
from tests.benchmarks.tables import table_of
from tests.clips import Actor, Pose, Script, Shot, draw_clip, talking_head_script

FULL_HD, UHD = (1920, 1080), (3840, 2160)
GROUP_FRAMES = 30
MOST_RENDER_RATIO, MOST_COPY_RATIO, MOST_BLUR_MILLISECONDS = 1.25, 0.35, 1.0
MOST_UHD_MIB, MOST_GROWTH_PERCENT = 2048.0, 10.0
SETTINGS = BlurFaces()


def draw_source(folder: Path, seconds: float) -> Path:
    """1080p30, H.264 with a key frame a second."""
    drawn, loop, source = folder / "drawn.mp4", folder / "loop.mp4", folder / "source.mp4"
    draw_clip(talking_head_script(4.0), drawn, size=FULL_HD, audio=False)
    with av.open(str(drawn)) as before, av.open(str(loop), "w") as after:
        options = {"preset": "medium", "crf": "20", "g": str(GROUP_FRAMES), "x264-params": "open-gop=0"}
        stream = after.add_stream("libx264", rate=30, options=options)
        stream.width, stream.height, stream.pix_fmt = *FULL_HD, "yuv420p"
        for frame in before.decode(video=0):
            frame.pict_type = 0
            after.mux(stream.encode(frame))
        after.mux(stream.encode(None))
    repeat(loop, source, seconds)
    return source


def two_faces(frames: np.ndarray[Any, np.dtype[np.int64]]) -> Cover:
    """Two faces of 100 and 140 pixels, as in a conversation, that move through the picture."""
    x = 300 + 400 * (1 + np.sin(frames / 40))
    left = np.stack([x, x * 0 + 200, x + 100, x * 0 + 330], 1)
    right = np.stack([1500 - x / 2, x * 0 + 500, 1640 - x / 2, x * 0 + 680], 1)
    boxes = np.stack([left, right], 1).reshape(-1, 4).astype(np.float32)
    return Cover(np.repeat(frames, 2), boxes, np.tile(np.array([0, 1]), len(frames)))


def bare_transcode(source: Path, target: Path, info: VideoInfo) -> None:
    """Decoding and encoding with Veil's own settings, and nothing else."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        encoding = choose_encoding(info, SETTINGS.encoder)
        stream = after.add_stream(encoding.encoder, rate=info.frame_rate, options=encoder_options(encoding, info))
        stream.width, stream.height, stream.pix_fmt = info.width, info.height, info.pixel_format
        stream.codec_context.thread_count = SETTINGS.encoder.threads
        before.streams.video[0].thread_type = "AUTO"
        for frame in before.decode(video=0):
            frame.pict_type = 0
            after.mux(stream.encode(frame))
        after.mux(stream.encode(None))


def veil_render(source: Path, target: Path, info: VideoInfo, index: FrameIndex, cover: Cover, *, copying: bool) -> int:
    """As the stage and the join do it; returns how many frames were encoded."""
    whole = Segment(shots=(Stretch(first=0, last=len(index) - 1, visible_first=0, visible_last=len(index) - 1),))
    pieces = []
    for number, stretch in enumerate(stretches_of([whole], index, np.unique(cover.frames), copying=copying)[0]):
        piece = Piece(stretch.first, stretch.last, target.with_name(f"{number}.nut"))
        frames = read_frames(source, info, index, stretch.first, stretch.last)
        encode_segment(covered_frames(frames, cover, SETTINGS.blur), info, SETTINGS.encoder, piece.path)
        pieces.append(piece)
    join_segments(pieces, source, info, index, target)
    return sum(piece.num_frames for piece in pieces)


def in_turn(repeats: int, first: Callable[[], object], second: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Seconds of each run of both, one after the other."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(repeats):
        for call, noted in zip((first, second), seconds, strict=True):
            started = time.perf_counter()
            call()
            noted.append(time.perf_counter() - started)
    return seconds


def ratio_row(what: str, bare: list[float], veil: list[float], most: float, num_frames: int) -> dict[str, Any]:
    ratio = median(ours / theirs for ours, theirs in zip(veil, bare, strict=True))
    return {"what": what, "bare_seconds": bare, "veil_seconds": veil, "ratio": ratio, "most": most, "num_frames": num_frames}


def measure_rendering(folder: Path, seconds: float, repeats: int, parts: Sequence[str]) -> list[dict[str, Any]]:
    source = draw_source(folder, seconds)
    info, index = probe_file(source)
    rows = []
    bare, target = folder / "bare.mp4", folder / "veil.mp4"
    frames = np.arange(len(index))
    if "render" in parts:
        cover = two_faces(frames)
        times = in_turn(
            repeats, lambda: bare_transcode(source, bare, info), lambda: veil_render(source, target, info, index, cover, copying=False)
        )
        rows.append(ratio_row("two faces in every frame", *times, MOST_RENDER_RATIO, len(index)))
        rows.append(blur_row(source, info, index, cover))
    if "copy" in parts:
        cover = two_faces(frames[frames // GROUP_FRAMES % 10 == 4])
        times = in_turn(
            repeats, lambda: bare_transcode(source, bare, info), lambda: veil_render(source, target, info, index, cover, copying=True)
        )
        rows.append(ratio_row("cover in one of ten groups", *times, MOST_COPY_RATIO, len(index)))
    return rows


def blur_row(source: Path, info: VideoInfo, index: FrameIndex, cover: Cover, num_frames: int = 60) -> dict[str, Any]:
    """Of decoded frames that lie ready."""
    frames = list(read_frames(source, info, index, 0, min(num_frames, len(index)) - 1))
    started = time.perf_counter()
    for _ in covered_frames(frames, cover, SETTINGS.blur):
        pass
    milliseconds = 1000 * (time.perf_counter() - started) / len(frames)
    return {"what": "the blur alone, two faces", "milliseconds": milliseconds, "most": MOST_BLUR_MILLISECONDS, "num_frames": len(frames)}


def now_and_then_script() -> Script:
    """A minute in which somebody is there for six seconds: what surveillance and lectures are like."""
    visitor = Actor("collins", (Pose(0, 0.3, 0.45, 0.12), Pose(6, 0.6, 0.45, 0.12)))
    return Script((Shot(6, background=6, layers=(visitor,)), Shot(54, background=3, pan=0.001)))


def measure_memory(folder: Path, minutes: Sequence[float], console: Console) -> list[dict[str, Any]]:
    """A row a job: ten seconds of 4K, then 720p of each length."""
    loop = folder / "loop720.mp4"
    draw_clip(now_and_then_script(), loop)
    uhd_loop = folder / "loop4k.mp4"
    draw_clip(talking_head_script(2.0), uhd_loop, size=UHD, frame_rate=Fraction(30))
    rows = []
    for name, clip, seconds in [
        ("4K, 10 s", uhd_loop, 10.0),
        *((f"720p, {length:g} min", loop, 60 * length) for length in sorted(minutes)),
    ]:
        place = folder / name
        place.mkdir()
        num_frames = repeat(clip, place / "source.mp4", seconds)
        console.print(f"{name}: {num_frames} frames ...")
        found = watch([*VEIL, "blur", str(place / "source.mp4"), "-o", str(place / "out.mp4")], surroundings(place))
        rows.append({"what": name, "num_frames": num_frames} | asdict(found))
        console.print(found.last_words, markup=False)
    return rows


def show(found: dict[str, Any], console: Console) -> None:
    """The tables of what was measured."""
    rendering = found.get("rendering", [])
    if ratios := [row for row in rendering if "ratio" in row]:
        columns = ["", "bare transcode", "Veil", "ratio", "at most", ""]
        console.print(table_of("1080p30, x264 veryfast", columns, list(map(_ratio_line, ratios)), num_left=1))
    for row in (row for row in rendering if "milliseconds" in row):
        said = f"{row['milliseconds']:.2f} ms a frame, at most {row['most']:g}: {_said(row['milliseconds'], row['most'])}"
        console.print(f"{row['what']}: {said}")
    if images := found.get("images"):
        show_images(images, console)
    if memory := found.get("memory"):
        columns = ["video", "frames", "exit status", "program, peak", "server, peak", "frames/s"]
        console.print(table_of("Memory of whole jobs", columns, list(map(_memory_line, memory)), num_left=1))
        console.print(f"4K: at most {MOST_UHD_MIB:g} MiB: {_said(memory[0]['program_peak_mib'], MOST_UHD_MIB)}")
    if len(memory := found.get("memory", [])) > 2:
        growth = 100 * (memory[-1]["program_peak_mib"] / memory[1]["program_peak_mib"] - 1)
        console.print(f"720p: growth {growth:+.1f} %, at most {MOST_GROWTH_PERCENT:g} %: {_said(growth, MOST_GROWTH_PERCENT)}")


def _ratio_line(row: dict[str, Any]) -> list[str]:
    seconds = [f"{median(row[name]):.2f} s" for name in ("bare_seconds", "veil_seconds")]
    return [row["what"], *seconds, f"{row['ratio']:.3f}", f"{row['most']:g}", _said(row["ratio"], row["most"])]


def _memory_line(row: dict[str, Any]) -> list[str]:
    peaks = [f"{row[name]:.0f} MiB" for name in ("program_peak_mib", "server_peak_mib")]
    return [row["what"], str(row["num_frames"]), str(row["status"]), *peaks, f"{row['num_frames'] / row['seconds']:.1f}"]


def _said(value: float, most: float) -> str:
    return "holds" if value <= most else "BROKEN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a command failed."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="veil-video-", ignore_cleanup_errors=True) as scratch:
        if {"render", "copy"} & set(options.parts):
            found["rendering"] = measure_rendering(Path(scratch), options.seconds, options.repeats, options.parts)
        if "images" in options.parts:
            found["images"] = measure_images(options.pictures)
        if "memory" in options.parts:
            found["memory"] = measure_memory(Path(scratch), options.minutes, console)
    show(found, console)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return int(any(row["status"] for row in found.get("memory", [])))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.video", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ["render", "copy", "images", "memory"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of the 1080p clip")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=1800, help="in the folder")
    parser.add_argument("--minutes", nargs="+", type=float, default=[1.0, 60.0], help="lengths of the 720p clips")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
