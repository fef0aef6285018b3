"""What comes of recordings of every kind, sound and flawed, when a face in their middle is covered.

    python -m tests.benchmarks.sources [--only WORD] [--json OUT.json]

Each is drawn, goes through the flow (the face is told by a file, so that nobody has to find it), and is compared with its result: every
frame by the number that it shows, its time, all packets of sound, the turn, what the report warns of, and whether Chromium plays it, where
one is on the path. The exit status is 1 where a line is not right.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console

from tests.benchmarks.recordings import (
    RATE,
    SIZE,
    Recording,
    behind,
    changed,
    cut,
    half_lost,
    one_after_the_other,
    other_sizes,
    packed_avi,
    packets_lost,
    trimmed,
)
from tests.benchmarks.running import Bench, bench
from tests.benchmarks.tables import table_of
from tests.fakes import number_of

Row = dict[str, Any]

_WRITTEN = ("mp4", "m4v", "mov", "mkv", "webm", "ts", "nut", "avi")
_PLAYED = ("mp4", "webm", "mov", "mkv")
_CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_CHROMIUM_OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]
_PLAY = """(name) => new Promise((done) => {
    const video = document.createElement("video");
    video.muted = true;
    video.onended = () => done({error: null, end: video.currentTime});
    video.onerror = () => done({error: video.error.message || `code ${video.error.code}`, end: video.currentTime});
    video.src = name;
    video.play().catch(() => {});
})"""
_STRAY_SECONDS = 0.05  # an encoder of sound begins a little early, and AVI counts in frames
_DAMAGED = re.compile(r"\(frames (\d+) to (\d+)\)|\(frame (\d+)\)")


@dataclass(frozen=True)
class Case:
    """A recording, and what is to come of it.

    numbers: of the frames that are to come through; None: from the first on, as many as there are, but not all and not less than half
    shown: when each frame of the recording is shown, in seconds
    lost_sound: how many packets of sound may be missing
    warns: patterns of all that is warned of
    sound_begins: when sound begins, in seconds since the first picture
    """

    kind: str
    flaw: str
    draw: Callable[[Path], Path]
    shown: Sequence[float]
    numbers: Sequence[int] | None
    ending: str
    lost_sound: int = 0
    warns: tuple[str, ...] = ()
    sound_begins: float = 0


def _case(recording: Recording, flaw: str = "none", change: Callable[..., Any] | None = None, **more: Any) -> Case:
    given: Row = {
        "kind": f"{recording.ending}, {recording.codec.removeprefix('lib')}",
        "draw": changed(recording, change) if change else recording.draw,
        "shown": recording.shown,
        "numbers": range(recording.num_frames),
        "ending": recording.ending if recording.ending in _WRITTEN else "mp4",
        "warns": _NOT_WRITTEN.get(recording.codec, ()),
    }
    return Case(**(given | {"flaw": flaw} | more))


_NOT_WRITTEN = {"libvpx": ("vp8 becomes vp9",), "gif": ("RGB as it was, rounded",), "apng": ("apng becomes hevc",)}
_PLAIN = [
    *(Recording("mp4", codec) for codec in ("libx264", "libx265", "libsvtav1", "mpeg4", "libvpx-vp9")),
    *(Recording("mov", codec) for codec in ("libx264", "libx265")),
    Recording("mov", "prores_ks", "pcm_s16le", pixel_format="yuv422p10le"),
    Recording("mov", "mjpeg", "pcm_s16le", pixel_format="yuvj420p"),
    *(Recording("mkv", codec, "libopus") for codec in ("libx264", "libx265", "libsvtav1", "libvpx", "libvpx-vp9", "mpeg4")),
    Recording("mkv", "ffv1", "flac"),
    Recording("mkv", "mpeg2video", "ac3"),
    *(Recording("webm", codec, "libopus") for codec in ("libvpx", "libvpx-vp9", "libsvtav1")),
    *(Recording("ts", codec, sound) for codec, sound in (("libx264", "aac"), ("libx265", "aac"), ("mpeg2video", "mp2"))),
    *(Recording("avi", codec, "pcm_s16le") for codec in ("mpeg4", "libx264")),
    Recording("avi", "mjpeg", "pcm_s16le", pixel_format="yuvj420p"),
    Recording("nut", "mpeg4", "libmp3lame"),
    Recording("flv"),
    Recording("mpg", "mpeg2video", "mp2"),
    Recording("mxf", "mpeg2video", "pcm_s16le"),
    Recording("ogg", "libvpx", "libopus", container_format="ogg"),
    Recording("h264", sound=None),
    Recording("hevc", "libx265", None),
    Recording("m4v", "mpeg4", None, container_format="m4v"),
    Recording("ivf", "libvpx-vp9", None),
    Recording("gif", "gif", None, pixel_format="bgr8"),
    Recording("apng", "apng", None, pixel_format="rgb24"),
    Recording("y4m", "wrapped_avframe", None),
]
_UNEVEN = tuple(float(one) for one in np.cumsum([0, *(0.02 + 0.03 * (number % 4) for number in range(74))]).round(3))
_CUT = ("ends early", "damaged")
_FASTSTART = {"movflags": "faststart"}
_NEGATIVE = {"avoid_negative_ts": "disabled"}


def _even(num_frames: int) -> list[float]:
    return [number / RATE for number in range(num_frames)]


def cases() -> list[Case]:
    """All of them."""
    again = Recording("ts", starts_seconds=500, first_number=50, num_frames=50)
    two = Recording("ts", starts_seconds=10, num_frames=50)
    before = Recording("ts", starts_seconds=1, num_frames=25)
    step = Recording("ts", starts_seconds=2, sound_starts_seconds=1.944, first_number=25, num_frames=25)
    restarts = partial(Case, "ts, x264", "clock restarts", one_after_the_other(two, again), _even(100), range(100))
    steps = partial(Case, "ts, x264", "sound steps back", one_after_the_other(before, step), _even(50), range(50))
    sizes = other_sizes("webm", "libvpx-vp9", (SIZE, (384, 192), SIZE), 10)
    return [
        *(_case(recording) for recording in _PLAIN),
        *(_case(Recording(ending, bframes=2), "B-frames") for ending in ("mp4", "mov", "mkv", "ts")),
        _case(Recording("avi", "mpeg4", "libmp3lame", bframes=2), "B-frames"),
        _case(Recording("mp4", "libx265", bframes=2), "B-frames"),
        _case(Recording("h264", sound=None, bframes=2), "B-frames"),
        _case(Recording("mpg", "mpeg2video", "mp2", bframes=2), "B-frames"),
        Case("avi, mpeg4", "packed B-frames", packed_avi, _even(75), range(75), "avi"),
        *(_case(Recording("ts", starts_seconds=30_000, bframes=2), "late clock", ending=ending) for ending in ("mp4", "mkv", "ts")),
        _case(Recording("mkv", starts_seconds=5), "late clock"),
        *(restarts(ending, lost_sound=4, warns=("the source's clock jumps",)) for ending in ("mp4", "mkv", "ts")),
        *(steps(ending, lost_sound=4, warns=("goes back",)) for ending in ("mp4", "mkv")),
        # The edit lists of an mp4 hide what is before 0: frames are left out, sound is copied and hidden again.
        _case(Recording("mp4", starts_seconds=-1, options=_NEGATIVE), "negative start", numbers=range(25, 75), sound_begins=-1),
        _case(Recording("mkv", starts_seconds=-1, options=_NEGATIVE), "negative start"),
        # Sound that begins before the picture moves that on, and the place is empty.
        _case(Recording("avi", "mpeg4", "libmp3lame"), "a frame left out", shown=[0, *_even(76)[2:]], ending="mkv"),
        _case(Recording("mp4"), "trimmed by an edit list", trimmed(2), numbers=range(50), lost_sound=48),
        _case(Recording("mov", bframes=2), "trimmed by an edit list", trimmed(2), numbers=range(50), lost_sound=48),
        *(_case(Recording("mp4"), "bytes behind the last box", behind(trailer)) for trailer in (bytes(5000), b"\x05\x03" * 400)),
        *(_case(Recording(ending, turn_degrees=turn), f"turned {turn}") for ending, turn in (("mp4", 90), ("mov", 270), ("mkv", 180))),
        _case(Recording("mp4", options=_FASTSTART), "cut off", cut(0.8), numbers=None, lost_sound=141, warns=_CUT),
        _case(Recording("mkv"), "cut off", cut(0.8), numbers=None, lost_sound=141, warns=("ends early",)),
        _case(Recording("ts"), "cut off", cut(0.8), numbers=None, lost_sound=141, warns=_CUT),
        *(_case(Recording("mp4", codec), "a frame is half lost", half_lost(40), warns=("damaged",)) for codec in ("libx264", "libx265")),
        _case(Recording("mkv", bframes=2), "a frame is half lost", half_lost(40), warns=("damaged",)),
        _case(Recording("ts"), "packets are lost", packets_lost(0.6, 3), warns=("damaged",)),
        Case("webm, vpx-vp9", "other sizes", sizes, _even(30), range(30), "webm", warns=("the picture has another size from ",)),
        *(_case(Recording(ending, times=_UNEVEN), "variable rate") for ending in ("mp4", "mov", "mkv", "ts")),
        _case(Recording("webm", "libvpx-vp9", "libopus", size=(191, 95)), "odd size"),
        _case(Recording("avi", "mpeg4", "pcm_s16le", size=(191, 95)), "odd size"),
        _case(Recording("mkv", "ffv1", "flac", size=(191, 95)), "odd size"),
    ]


@dataclass(frozen=True)
class Seen:
    """What a player finds in a file: each frame's number and time in seconds, sound, turn."""

    numbers: list[int]
    seconds: list[float]
    sound: list[bytes]
    sound_begins: float | None
    """since the first picture"""
    turn: int


def seen_in(path: Path) -> Seen:
    numbers, seconds, sound, begins, turn = [], [], list[bytes](), None, 0
    with av.open(str(path)) as container:
        for frame in (frame for packet in container.demux(video=0) for frame in _decoded(packet)):
            numbers.append(number_of(frame.to_ndarray(format="bgr24")))
            seconds.append(frame.time if frame.time is not None else len(seconds) / RATE)
            turn = frame.rotation
    with av.open(str(path)) as container:
        for packet in container.demux() if container.streams.audio else ():
            if packet.size and packet.stream.type == "audio":
                sound.append(bytes(packet))
                begins = float(packet.pts * packet.time_base) if begins is None else begins
    return Seen(numbers, seconds, sound, None if begins is None else begins - seconds[0], turn)


def _decoded(packet: av.Packet) -> list[av.VideoFrame]:
    try:
        return packet.decode()  # type: ignore[return-value]
    except av.FFmpegError:
        return []  # of a damaged source; in a result the frame is missed


def wrong_with(case: Case, source: Seen, result: Seen, warnings: Sequence[str]) -> list[str]:
    """What is not as it should be."""
    wrong = []
    numbers = range(len(result.numbers)) if case.numbers is None else case.numbers
    if case.numbers is None and not len(case.shown) / 2 < len(result.numbers) < len(case.shown):
        wrong.append("not as many frames as are there")
    covered = {frame for found in map(_spans, warnings) for first, last in found for frame in range(first, last + 1)}
    if len(result.numbers) != len(numbers):
        wrong.append(f"{len(result.numbers)} frames, not {len(numbers)}")
    else:
        others = [place for place, number in enumerate(numbers) if place not in covered and result.numbers[place] != number]
        wrong += [f"other frames, first at {others[0]}"] if others else []
        expected = np.array([case.shown[number] for number in numbers])
        stray = np.abs(np.array(result.seconds) - result.seconds[0] - expected + expected[0]).max()
        wrong += [f"times are off by {stray:.3f} s"] if stray > 0.0021 else []
    wrong += [] if result.seconds[0] >= 0 else ["begins before 0"]
    wrong += _wrong_with_sound(case, source, result)
    wrong += [f"turned {result.turn}, not {source.turn}"] if result.turn != source.turn else []
    missing = [pattern for pattern in case.warns if not any(re.search(pattern, warning) for warning in warnings)]
    wrong += [f"does not say: {pattern}" for pattern in missing]
    wrong += [f"says: {warning}" for warning in warnings if not any(re.search(pattern, warning) for pattern in case.warns)]
    return wrong


def _wrong_with_sound(case: Case, source: Seen, result: Seen) -> list[str]:
    lost = len(source.sound) - len(result.sound)
    if b"".join(source.sound) != b"".join(result.sound):  # bare samples may be cut otherwise
        kept = iter(source.sound)
        # What a transport stream has before each packet of AAC, 7 bytes, is said once elsewhere.
        if not all(packet in (one, one[7:]) for packet in result.sound for one in [_next_like(packet, kept)]):
            return ["sound that is not the source's"]
        if lost > case.lost_sound:
            return [f"{lost} packets of sound are lost"]
    if result.sound_begins is not None and abs(result.sound_begins - case.sound_begins) > _STRAY_SECONDS:
        return [f"sound begins {result.sound_begins:.2f} s after the picture, not {case.sound_begins:.2f}"]
    return []


def _next_like(packet: bytes, packets: Iterator[bytes]) -> bytes:
    """The next one that ends as it does, after those that are left out."""
    return next((one for one in packets if one.endswith(packet)), b"")


def _spans(warning: str) -> Iterator[tuple[int, int]]:
    for first, last, only in _DAMAGED.findall(warning):
        yield int(first or only), int(last or only)


def measure(case: Case, folder: Path, place: Bench, faces: Path, plays: Callable[[Path], str | None]) -> Row:
    """A line of the table."""
    from tasks.plan import make_plan

    row: Row = {"source": case.kind, "flaw": case.flaw, "to": case.ending, "plays": None, "warnings": []}
    path, target = case.draw(folder), folder / f"out.{case.ending}"
    plan = make_plan(
        {
            "find_shots": {"finder": {"method": "none"}},
            "find_faces": {"detector": {"method": "centerface"}, "recogniser": {"method": "none"}},
            "sequences": {"path": str(faces)},
        }
    )
    started = time.perf_counter()
    try:
        report, row["seconds"] = place.run(path, target, plan)
    except Exception as error:  # one that is not explained is the worst line of the table
        return row | {"seconds": time.perf_counter() - started, "wrong": [f"{type(error).__name__}: {error}"]}
    source, result = seen_in(path), seen_in(target)
    wrong = wrong_with(case, source, result, report.warnings)
    played = plays(target) if case.ending in _PLAYED else None
    row |= {"frames": [len(source.numbers), len(result.numbers)], "sound": [len(source.sound), len(result.sound)], "turn": result.turn}
    row |= {"duration": [_duration(source), _duration(result)], "covered": report.num_covered_frames, "copied": report.num_copied_frames}
    wrong += [f"Chromium: {played}"] if played not in (None, "yes", "no codec") else []
    return row | {"warnings": list(report.warnings), "plays": played, "wrong": wrong}


def _duration(seen: Seen) -> float:
    return round(seen.seconds[-1] - seen.seconds[0] + 1 / RATE, 3)


@contextmanager
def _player(folder: Path) -> Iterator[Callable[[Path], str | None]]:
    """Says whether Chromium plays a file to its end; None where there is no Chromium."""
    if _CHROMIUM is None:
        yield lambda _: None
        return
    from playwright.sync_api import sync_playwright

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "page.html").write_text("<html></html>")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_CHROMIUM_OPTIONS)
            page = browser.new_page()
            page.set_default_timeout(60_000)
            page.goto(f"http://127.0.0.1:{server.server_port}/page.html")

            def plays(path: Path) -> str:
                said = page.evaluate(_PLAY, f"/{path.relative_to(folder)}")
                if said["error"]:
                    return (
                        "no codec" if re.search("DEMUXER_ERROR_NO_SUPPORTED_STREAMS|code 4|not supported", said["error"]) else said["error"]
                    )
                return "yes"

            yield plays
            browser.close()
    finally:
        server.shutdown()
        server.server_close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="in a recording's kind or flaw")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console, rows = Console(width=None if sys.stdout.isatty() else 170), list[Row]()
    with tempfile.TemporaryDirectory(prefix="veil-sources-", ignore_cleanup_errors=True) as name, bench() as place:
        folder = Path(name)
        faces = folder / "faces.json"
        boxes = [{"bbox": [88, 50, 112, 74, frame], "feat": []} for frame in range(18, 23)]
        faces.write_text(json.dumps([boxes]))
        with _player(folder) as plays:
            for number, case in enumerate(one for one in cases() if options.only in f"{one.kind} {one.flaw}"):
                console.print(f"{number + 1}: {case.kind}, {case.flaw}", highlight=False)
                here = folder / str(number)
                here.mkdir()
                rows.append(measure(case, here, place, faces, plays))
                shutil.rmtree(here)
    show(rows, console)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))
    return 1 if any(row["wrong"] for row in rows) else 0


def show(rows: Sequence[Row], console: Console) -> None:
    columns = ["source", "flaw", "to", "warned of", "right", "frames", "seconds", "sound", "turn", "covered", "copied", "plays", "took"]
    console.print(table_of(f"{len(rows)} recordings", columns, [_line(row) for row in rows], num_left=5))
    for row in rows:
        for wrong in row["wrong"]:
            console.print(f"{row['source']} to {row['to']}, {row['flaw']}: {wrong}", highlight=False, markup=False)


def _line(row: Row) -> list[str]:
    head = [row["source"], row["flaw"], row["to"]]
    warned = "\n".join(warning[:40] for warning in row["warnings"]) or "-"
    right = "NO" if row["wrong"] else "yes"
    if "frames" not in row:
        return [*head, warned, right, *("-",) * 7, f"{row['seconds']:.1f} s"]
    pairs = [" > ".join(str(one) for one in row[what]) for what in ("frames", "duration", "sound")]
    return [
        *head,
        warned,
        right,
        *pairs,
        str(row["turn"]),
        str(row["covered"]),
        str(row["copied"]),
        row["plays"] or "-",
        f"{row['seconds']:.1f} s",
    ]


if __name__ == "__main__":
    sys.exit(main())
