"""Files that end in a way of their own, and results that cannot hold what a source has: found before any work, or taken as they are."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tasks.errors import BadOutput, BadVideo
from tasks.places import source_of, target_of
from tasks.video.probe import check_opens, probe_file
from tasks.video.targets import VideoTarget
from tests.video.clocks import record
from tests.video.rendering import rendered

MP4 = {"container_format": "mp4", "starts_seconds": 0}


def trimmed(path: Path, shown_seconds: float) -> Path:
    """As a phone trims: all frames stay in the file, and its edit list shows the first ones."""
    content = bytearray(path.read_bytes())
    at = content.find(b"mvhd")
    (scale,) = struct.unpack(">I", content[at + 16 : at + 20])
    at = content.find(b"elst")
    assert at > 0
    while at > 0:
        content[at + 12 : at + 16] = struct.pack(">I", int(shown_seconds * scale))
        at = content.find(b"elst", at + 4)
    path.write_bytes(content)
    return path


def test_a_clip_that_was_trimmed_at_its_end_is_whole(tmp_path: Path) -> None:
    source = trimmed(record(tmp_path / "trim.mp4", 100, sound_starts_seconds=0, **MP4), 2.5)
    info, index = probe_file(source)
    assert len(index) == 63
    assert info.duration_seconds == pytest.approx(2.5, abs=0.021)


@pytest.mark.parametrize(
    "behind", [b"\x05\x03" * 400 + (1000).to_bytes(4, "little") * 2 + b"8db42d694ccc418790edff439fe026bf", b"\0" * 5000]
)
def test_bytes_behind_the_last_box_do_not_matter(behind: bytes, tmp_path: Path) -> None:
    """As action cameras write them."""
    source = record(tmp_path / "trailer.mp4", 50, **MP4)
    source.write_bytes(source.read_bytes() + behind)
    info, index = probe_file(source)
    assert (len(index), info.duration_seconds) == (50, pytest.approx(2, abs=0.001))


def test_a_file_that_was_cut_still_ends_early(tmp_path: Path) -> None:
    source = record(tmp_path / "cut.mp4", 50, options={"movflags": "faststart"}, **MP4)
    source.write_bytes(source.read_bytes()[:-300])
    assert "ends early" in probe_file(source)[0].cut_off


@pytest.mark.parametrize("name", ["x 100%d.mp4", "%03d.mkv", "a%d"])
def test_a_number_sign_in_a_videos_name_is_a_part_of_it(name: str, tmp_path: Path) -> None:
    source = source_of(str(record(tmp_path / "in.mp4", 2, **MP4)))
    if name == "a%d":
        with pytest.raises(BadOutput, match="pattern for no kind of picture"):
            target_of(str(tmp_path / name), source)
    else:
        assert isinstance(target_of(str(tmp_path / name), source), VideoTarget)


@pytest.mark.parametrize(("ending", "holds"), [(".ts", False), (".avi", False), (".nut", False), (".mp4", True), (".mkv", True)])
def test_a_turn_is_not_lost_without_a_word(ending: str, holds: bool, tmp_path: Path) -> None:
    source = record(tmp_path / "in.mp4", 4, **MP4)
    info, index = probe_file(source)
    info = info.model_copy(update={"display_matrix": (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30), "rotation_degrees": 90})
    target = target_of(str(tmp_path / f"out{ending}"), source_of(str(source)))
    if holds:
        target.check_fits(source_of(str(source)), info, index, None)
    else:
        with pytest.raises(BadOutput, match="turned"):
            target.check_fits(source_of(str(source)), info, index, None)


def with_edits(path: Path, count: int) -> Path:
    """Its edit list in place of the one entry that it has, as only an attacker writes it."""
    content = path.read_bytes()
    at = content.find(b"elst") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    entries = b"".join(struct.pack(">IiHH", 2, number % 40, 1, 0) for number in range(count))
    longer = struct.pack(">I4sII", 16 + len(entries), b"elst", 0, count) + entries
    changed = bytearray(content[:at] + longer + content[at + size :])
    for name in (b"edts", b"trak", b"moov"):
        head = content.rfind(name, 0, at) - 4
        changed[head : head + 4] = (int.from_bytes(content[head : head + 4], "big") + len(longer) - size).to_bytes(4, "big")
    path.write_bytes(changed)
    return path


def with_tracks(path: Path, count: int) -> Path:
    with av.open(path, "w") as container:
        streams = [container.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p") for _ in range(count)]
        for stream in streams:
            frame = av.VideoFrame(16, 16, "yuv420p")
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: with_edits(record(folder / "a.mp4", 50, **MP4), 20_000), "an edit list of 20000 entries"),
        (lambda folder: with_tracks(folder / "a.mp4", 300), "300 tracks"),
    ],
    ids=["edits", "tracks"],
)
def test_what_would_take_minutes_is_refused_at_once(make: Callable[[Path], Path], says: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    before = time.process_time()
    for look in (check_opens, probe_file):
        with pytest.raises(BadVideo, match=says):
            look(path)
    assert time.process_time() - before < 2


def test_a_few_edits_are_taken(tmp_path: Path) -> None:
    check_opens(with_edits(record(tmp_path / "a.mp4", 50, **MP4), 20))


def test_a_nut_does_not_begin_before_0(tmp_path: Path) -> None:
    """The first picture is decoded before that, where it refers to others; NUT knows no times before 0, and wrote others."""
    source = record(tmp_path / "in.nut", 20, container_format="nut", sound_starts_seconds=0)
    _, index, _ = rendered(source, tmp_path / "out.nut")
    pts = probe_file(tmp_path / "out.nut")[1].pts
    assert pts[0] >= 0
    assert np.array_equal(np.diff(pts), np.diff(index.pts))
