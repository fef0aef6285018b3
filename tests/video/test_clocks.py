"""Clocks that start again, leap, begin late or are not there: each frame comes through at its time, and sound with it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tasks.errors import BadSetting
from tasks.places import source_of
from tasks.video.clock import Clock, ClockJump, going_on
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.sources import Images
from tests.fakes import number_of, numbered_picture
from tests.video.clocks import one_after_the_other, packed_avi, record
from tests.video.rendering import rendered


def written(path: Path) -> dict[str, list[tuple[float, float]]]:
    """Times of showing and decoding of all packets, in seconds, by kind of stream, in their order in the file."""
    found: dict[str, list[tuple[float, float]]] = {}
    with av.open(path) as container:
        for packet in container.demux():
            if packet.size:
                times = (packet.pts, packet.dts if packet.dts is not None else packet.pts)
                found.setdefault(packet.stream.type, []).append(tuple(float(time * packet.time_base) for time in times))
    return found


def through(source: Path, target: Path) -> dict[str, list[tuple[float, float]]]:
    """What comes of a source, all of whose pictures are encoded; every frame shows its number."""
    info, index = probe_file(source)
    numbers = [number_of(frame.to_ndarray(format="bgr24")) for _, frame in read_frames(source, info, index, 0, len(index) - 1)]
    assert numbers == list(range(len(index)))
    rendered(source, target)
    return written(target)


def even(times: list[tuple[float, float]], rate: int = 25) -> bool:
    shown = np.sort([shown for shown, _ in times])
    return bool(np.allclose(np.diff(shown), 1 / rate, atol=0.0011))


def rising(times: list[tuple[float, float]]) -> bool:
    return bool(np.all(np.diff([decoded for _, decoded in times]) > 0))


@pytest.mark.parametrize("starts_seconds", [0, 0.02])  # then no two frames have the same time, though it is the same clock
@pytest.mark.parametrize("bframes", [0, 2])
def test_a_clock_that_starts_again_goes_on(starts_seconds: float, bframes: int, tmp_path: Path) -> None:
    first = record(tmp_path / "1.ts", 50, bframes=bframes, starts_seconds=10)
    again = record(tmp_path / "2.ts", 50, first_number=50, starts_seconds=10 + starts_seconds, bframes=bframes)
    source = one_after_the_other(tmp_path / "restart.ts", first, again)
    info, _ = probe_file(source)
    assert info.duration_seconds == pytest.approx(4, abs=0.001)
    assert [jump.frame for jump in info.jumps] == [50]
    assert info.warnings == ("the source's clock jumps back at frame 50 (12.00 s): what follows goes on from there",)
    for ending in ("mp4", "mkv", "ts"):
        pictures = through(source, tmp_path / f"out.{ending}")["video"]
        assert len(pictures) == 100
        assert even(pictures)


def test_sound_jumps_with_the_picture(tmp_path: Path) -> None:
    first = record(tmp_path / "1.ts", 50, starts_seconds=10, sound_starts_seconds=10)
    again = record(tmp_path / "2.ts", 50, first_number=50, starts_seconds=500, sound_starts_seconds=500.1)
    out = through(one_after_the_other(tmp_path / "leap.ts", first, again), tmp_path / "out.mp4")
    assert even(out["video"])
    assert rising(out["audio"])
    before, after = ([shown for shown, _ in out[kind] if shown >= limit] for kind, limit in (("video", 12 - 0.01), ("audio", 12 + 0.01)))
    assert after[0] - before[0] == pytest.approx(0.1 - 1024 / 48_000, abs=0.03), "as late as it was there"


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
def test_a_recording_that_begins_late_begins_at_once(ending: str, tmp_path: Path) -> None:
    source = record(tmp_path / "late.ts", 100, starts_seconds=30_000, sound_starts_seconds=30_000, bframes=2)
    out, there = through(source, tmp_path / f"out.{ending}"), written(source)
    assert 0 <= min(shown for times in out.values() for shown, _ in times) < 0.1
    assert max(shown for times in out.values() for shown, _ in times) < 4.05
    moved = [there[kind][0][0] - out[kind][0][0] for kind in ("video", "audio")]
    assert moved[0] == pytest.approx(moved[1], abs=0.0011), "all streams alike"
    assert even(out["video"])


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_sound_that_steps_back_does_not_end_the_work(ending: str, tmp_path: Path) -> None:
    first = record(tmp_path / "1.ts", 25, starts_seconds=1, sound_starts_seconds=1)
    again = record(tmp_path / "2.ts", 25, first_number=25, starts_seconds=2, sound_starts_seconds=1.944)
    source = one_after_the_other(tmp_path / "step.ts", first, again)
    out, there = through(source, tmp_path / f"out.{ending}"), written(source)
    assert sorted(out["video"])[0][0] == pytest.approx(1, abs=0.0011)
    assert even(out["video"])
    assert rising(out["audio"])
    (warning,) = probe_file(source)[0].warnings
    num_left_out = len(there["audio"]) - len(out["audio"])
    assert 0 < num_left_out <= 4
    assert warning == f"the sound of stream 1 goes back in time, first at 1.96 s: {num_left_out} packets whose time was over are left out"


def test_bare_pictures_come_as_fast_as_they_say(tmp_path: Path) -> None:
    source = record(tmp_path / "raw.h264", 120, container_format="h264", rate=30, bframes=2)
    info, _ = probe_file(source)
    assert (info.num_frames, info.frame_rate, info.duration_seconds) == (120, 30, pytest.approx(4, abs=0.001))
    assert even(through(source, tmp_path / "out.mp4")["video"], 30)


UNSAID = {"x265-params": "log-level=none:no-vui-timing-info=1"}
FILM = Fraction(24000, 1001)


@pytest.mark.parametrize(
    ("container", "codec", "options", "given", "rate", "warned"),
    [
        ("hevc", "libx265", UNSAID, None, Fraction(25), True),  # nobody says
        ("hevc", "libx265", UNSAID, Fraction(30), Fraction(30), False),
        ("hevc", "libx265", UNSAID, FILM, FILM, False),  # to the frame, not by 24
        ("hevc", "libx265", {"x265-params": "log-level=none"}, None, Fraction(30), False),  # the stream says
        ("h264", "libx264", {}, Fraction(50), Fraction(50), False),  # both say: the user knows
        ("m4v", "mpeg4", {}, FILM, FILM, False),  # FFmpeg has times for it, of its own making
        ("mpeg2video", "mpeg2video", {}, Fraction(50), Fraction(50), False),
    ],
)
def test_bare_pictures_come_as_fast_as_is_said(
    container: str, codec: str, options: dict[str, str], given: Fraction | None, rate: Fraction, warned: bool, tmp_path: Path
) -> None:
    path = tmp_path / f"raw.{container}"
    record(path, 60, container_format=container, rate=30, codec=codec, stream_options=options)
    info, index = source_of(str(path)).probe(None, Images(frame_rate=given))
    assert info.frame_rate == rate
    assert info.duration_seconds == pytest.approx(float(60 / rate), abs=0.001)
    assert np.allclose(index.pts * float(info.time_base), np.arange(60) / float(rate), atol=1e-4)
    said = "the stream does not say how fast its pictures come: 25 a second were assumed (--frame-rate N says otherwise)"
    assert info.warnings == ((said,) if warned else ())


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi"])
def test_what_has_times_takes_no_rate(container: str, tmp_path: Path) -> None:
    path = record(tmp_path / "film", 4, container_format=container)
    with pytest.raises(BadSetting, match="film: says itself when its pictures are shown; leave out --frame-rate"):
        probe_file(path, None, Fraction(25))


def test_an_avi_that_puts_frames_in_another_order_is_even(tmp_path: Path) -> None:
    source = record(tmp_path / "b.avi", 100, container_format="avi", bframes=2)
    assert probe_file(source)[0].duration_seconds == pytest.approx(4, abs=0.001)
    assert even(through(source, tmp_path / "out.mp4")["video"])


@pytest.mark.parametrize(
    ("times", "container", "mended"),
    [
        ([0, 4, 8, 0, 4], "mpegts", [0, 4, 8, 12, 16]),
        ([0, 4, 8, 5, 9], "mpegts", [0, 4, 8, 9, 10]),  # a little disorder: each frame stays near its time
        ([0, 4, 4, 12], "matroska", [0, 4, 5, 12]),
        ([0, 4, 2000, 2004], "mpegts", [0, 4, 8, 12]),
        ([0, 4, 2000, 2004], "matroska", [0, 4, 2000, 2004]),  # a picture that stands for 20 seconds
        ([], "mpegts", []),
    ],
)
def test_what_goes_on(times: list[int], container: str, mended: list[int]) -> None:
    assert going_on(times, 4, Fraction(1, 100) if max(times, default=0) > 100 else Fraction(1, 50), container)[0] == mended


def test_sound_without_a_jump_of_the_picture_goes_on_by_itself() -> None:
    clock, second = Clock((), "mpegts"), Fraction(1)
    assert [clock.moved(Fraction(time), second) for time in (5, 6, 0, 1)] == [0, 0, 7, 7]
    jump = ClockJump(frame=9, seconds=Fraction(7), moved_seconds=Fraction(29, 4))
    clock = Clock((jump,), "mpegts")
    assert [clock.moved(Fraction(time), second) for time in (5, 6, 0, 1)] == [0, 0, jump.moved_seconds, jump.moved_seconds]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_b_frames_packed_into_avi_are_shown_evenly(ending: str, tmp_path: Path) -> None:
    source = packed_avi(tmp_path / "packed.avi", 60)
    info, index = probe_file(source)
    assert (len(index), info.duration_seconds) == (60, pytest.approx(2.4, abs=0.001))
    assert even(through(source, tmp_path / f"out.{ending}")["video"])


def test_bare_mjpeg_is_read(tmp_path: Path) -> None:
    bare = record(tmp_path / "a.mjpeg", 50, codec="mjpeg", container_format="mjpeg", stream_options={"strict": "unofficial"})
    assert even(through(bare, tmp_path / "out.mp4")["video"])


def test_dv_is_read(tmp_path: Path) -> None:
    path = tmp_path / "tape.dv"
    with av.open(path, "w", format="dv") as container:
        stream = container.add_stream("dvvideo", rate=25, width=720, height=576, pix_fmt="yuv420p")
        for number in range(25):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, 720, 576), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    info, index = probe_file(path)
    assert (len(index), info.frame_rate, info.duration_seconds, info.field_order) == (25, 25, pytest.approx(1, abs=0.001), "top_first")
    assert even(through(path, tmp_path / "out.mp4")["video"])


def test_a_rate_is_one_that_an_encoder_can_be_told(tmp_path: Path) -> None:
    source = record(tmp_path / "a.nut", 6, container_format="nut", rate=90_000_000)
    rate = probe_file(source)[0].frame_rate
    assert rate <= 1000
    assert rate.denominator < 2**31
    rendered(source, tmp_path / "out.mkv")
