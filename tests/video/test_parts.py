"""From one moment to another: exactly these frames, the sound of the same stretch, and both as far apart as before."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import BadOutput, BadPick, BadSetting
from tasks.manifests import Video
from tasks.moments import frame_from
from tasks.places import source_of, target_of
from tasks.plan import make_plan
from tasks.results import ObjectStore
from tasks.selectors.time_and_place import Pick, TimeAndPlace
from tasks.video import EncoderSettings, as_planar
from tasks.video.forms import Rendered
from tasks.video.segments import Piece
from tasks.video.sources import Images

from .drawing import Clip, decoded, draw, packets

VFR = [0, 3000, 3100, 9000, 9001, 20000, 50000, 50003, 90000, 91000, 180000]


def video_of(path: Path) -> Video:
    info, index = source_of(str(path)).probe(None, Images())
    return Video(info=info, index_ref=ObjectStore().put("index", index.to_bytes()))


def write(path: Path, target_at: Path, video: Video) -> None:
    source = source_of(str(path))
    target = target_of(str(target_at), source)
    target.check_fits(source, video.info, video.index, video.begins)
    frames = (Rendered(number, frame, as_planar(frame)) for number, frame in video.frames(source, 0, video.info.num_frames - 1))
    segment = target_at.with_name("segment")
    assert target.form.write(frames, video.info, EncoderSettings(crf=4), segment) == video.info.num_frames
    with target.whole() as written:
        written.join([Piece(0, len(video.index) - 1, segment)], source, video.info, video.index, video.begins)
        written.keep()


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("0", 0),
        ("0f", 0),
        ("17f", 17),
        ("1", 25),  # 25 frames/s: frame 25 is shown at exactly 1 s
        ("1.001", 26),  # the next one after it
        ("1s", 25),
        ("0:01", 25),
        ("00:00:01.48", 37),
        ("99", 40),  # beyond the end
        ("99f", 40),
    ],
)
def test_moments(text: str, frame: int, tmp_path: Path) -> None:
    video = video_of(draw(tmp_path, Clip(num_frames=40)))
    assert frame_from(text, video.info, video.index) == frame


@pytest.mark.parametrize("value", ["soon", "-1", "1:2:3:4", "f", "1.5f", ""])
def test_what_is_no_moment(value: str) -> None:
    with pytest.raises(BadSetting, match="write a time, such as"):
        make_plan({"start": value})


@pytest.mark.parametrize(("value", "text"), [(62.5, "62.5"), (3, "3"), ("1500f", "1500f")])
def test_moments_in_a_plan(value: object, text: str) -> None:
    assert make_plan({"start": value}).start == text


STRETCHES = [  # from, to, first frame, frames
    ("1", "3", 25, 50),
    ("30f", "31f", 30, 1),  # one frame, between key frames
    ("1.48", None, 37, 63),  # to the end
    (None, "0.4", 0, 10),  # from the start
]


@pytest.mark.parametrize(("start", "end", "first", "count"), STRETCHES)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_exactly_these_frames_with_their_sound(
    name: str, start: str | None, end: str | None, first: int, count: int, tmp_path: Path
) -> None:
    path, target = draw(tmp_path, Clip(name, num_frames=100)), tmp_path / f"out{Path(name).suffix}"
    whole = video_of(path)
    part = whole.stretch(start, end, None)
    assert (part.info.num_frames, part.part_of.first) == (count, first)
    write(path, target, part)
    before, after = decoded(path), decoded(target)
    assert len(after) == count
    for one, other in zip(before[first : first + count], after, strict=True):
        assert np.abs(one.to_ndarray().astype(int) - other.to_ndarray().astype(int)).mean() < 2, "another frame"
    # The first frame is shown when the source's first one was, and everything is moved by the same time.
    step = Fraction(1, 25) * first
    times = [frame.pts * frame.time_base for frame in before[first : first + count]]
    assert [float(frame.pts * frame.time_base) for frame in after] == pytest.approx([float(time - step) for time in times], abs=1e-4)
    begins, ends = float(times[0]), float(times[0]) + count / 25
    wanted = [(time, content) for time, content in packets(path, "audio") if begins - 1e-6 <= time < ends - 1e-6]
    sound = packets(target, "audio")
    assert [content for _, content in sound] == [content for _, content in wanted]
    # Not a tick of the sound's own clock, or a millisecond where the container has no finer one.
    allowed = 1.01e-3 if name == "a.mkv" else 1.2e-5
    assert [time for time, _ in sound] == pytest.approx([time - float(step) for time, _ in wanted], abs=allowed)


def test_a_file_that_cannot_be_jumped_in(tmp_path: Path) -> None:
    path = draw(tmp_path, Clip("a.gif", codec="gif", pixel_format="bgr8", audio=None, options={}))
    write(path, tmp_path / "out.mkv", video_of(path).stretch("7f", "12f", None))
    for one, other in zip(decoded(path)[7:12], decoded(tmp_path / "out.mkv"), strict=True):
        colours = (each.to_ndarray(format="rgb24").astype(int) for each in (one, other))
        assert np.abs(np.subtract(*colours)).mean() < 25


def test_times_that_vary(tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(time_base=Fraction(1, 90000), pts=VFR))
    write(path, tmp_path / "out.mp4", video_of(path).stretch("4f", "9f", None))
    assert video_of(tmp_path / "out.mp4").index.pts.tolist() == [pts - VFR[4] for pts in VFR[4:9]]


def test_preview_counts_from_the_start(tmp_path: Path) -> None:
    video = video_of(draw(tmp_path, Clip(num_frames=100)))
    part = video.stretch("1", None, 0.5)
    assert (part.part_of.first, part.info.num_frames, part.info.duration_seconds) == (25, 13, pytest.approx(0.52))
    assert video.stretch(None, None, 60) == video
    assert video.stretch("0f", "100f", None) == video


@pytest.mark.parametrize(("start", "end"), [("4", None), ("100f", None), ("2", "2"), ("2", "1")])
def test_stretches_without_a_frame(start: str, end: str | None, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"beyond the video's end|leaves no frame"):
        video_of(draw(tmp_path, Clip(num_frames=100))).stretch(start, end, None)


def test_whoever_is_pointed_at_is_where_the_whole_has_them(tmp_path: Path) -> None:
    video = video_of(draw(tmp_path, Clip(num_frames=100))).stretch("1", "3", None)

    def frames(**when: float) -> list[int]:
        return TimeAndPlace(picks=(Pick(x=0, y=0, **when),)).frames(video.info, video.index, video.part)

    assert (frames(seconds=1.0), frames(seconds=2.99), frames(frame=30)) == ([0], [49], [5])
    for wrong in ({"seconds": 0.5}, {"seconds": 3.0}, {"frame": 24}, {"frame": 75}):
        with pytest.raises(BadPick, match=r"outside of the part that is worked on; choose a time from 1\.00 to 3\.00 s"):
            frames(**wrong)
    with pytest.raises(BadPick, match="beyond the video's end"):
        frames(seconds=4.0)


AVI = [
    Clip("a.mp4", audio="libmp3lame"),
    Clip("a.mp4"),
    Clip("a.avi", codec="mjpeg", pixel_format="yuvj420p", options={}, audio="pcm_s16le"),
    Clip("a.mkv", codec="ffv1", options={}, audio="pcm_s16le"),
]


@pytest.mark.parametrize("clip", AVI, ids=lambda clip: f"{clip.codec}, {clip.audio}")
def test_avi_has_all_frames_in_order_and_the_sound(clip: Clip, tmp_path: Path) -> None:
    path = draw(tmp_path, clip)
    write(path, tmp_path / "out.avi", video_of(path))
    before, after = decoded(path), decoded(tmp_path / "out.avi")
    assert len(before) == len(after)
    for one, other in zip(before, after, strict=True):
        assert np.abs(one.to_ndarray().astype(int) - other.to_ndarray().astype(int)).mean() < 3
    written = video_of(tmp_path / "out.avi")
    assert (written.info.frame_rate, set(np.diff(written.index.pts).tolist())) == (25, {1})
    sound, sound_after = packets(path, "audio"), packets(tmp_path / "out.avi", "audio")
    assert b"".join(content for _, content in sound).endswith(b"".join(content for _, content in sound_after))
    assert len(sound) - len(sound_after) <= 2, "only what comes before the first picture is left out"
    assert sound_after[0][0] == pytest.approx(next(time for time, _ in sound if time > -0.025), abs=0.03)


def test_avi_says_what_it_cannot_hold(tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(time_base=Fraction(1, 90000), pts=VFR))
    with pytest.raises(BadOutput, match=r"AVI has one frame rate throughout, and frame \d+ of this video.*\.mkv"):
        write(path, tmp_path / "out.avi", video_of(path))
