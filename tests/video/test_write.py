"""The file that comes out is the source, picture by picture, packet by packet."""

from __future__ import annotations

import errno
import os
from fractions import Fraction

import av
import numpy as np
import pytest
from pydantic import ValidationError

from tasks.errors import BadOutput, NoSpace
from tasks.video import EncoderSettings, as_planar, encode_segment, join_segments, planes, probe_file, read_frames, target
from tasks.video.segments import Piece
from tasks.video.write import _in_time, encoder_of

from .drawing import Clip, decoded, draw, packets, with_titles

X265 = {"x265-params": "keyint=8:log-level=none"}
DEFAULTS = EncoderSettings()
VFR = [0, 3000, 3100, 9000, 9001, 20000, 50000, 50003, 90000, 91000, 180000]


def render(path, target, borders=(), settings=DEFAULTS):
    """The source encoded in segments that start at 0 and at the borders, and joined; its own info and index."""
    info, index = probe_file(path)
    starts = [0, *borders]
    segments = []
    for number, (first, stop) in enumerate(zip(starts, [*borders, len(index)], strict=True)):
        segments.append(Piece(first, stop - 1, target.with_name(f"{target.name}.{number}")))
        frames = (frame for _, frame in read_frames(path, info, index, first, stop - 1))
        assert encode_segment(frames, info, settings, segments[-1].path) == stop - first
    join_segments(segments, path, info, index, target)
    return info, index


KEPT = [
    (Clip(), ".mp4"),  # the usual
    (Clip("a.mp4", rate=Fraction(30000, 1001)), ".mp4"),  # 29.97
    (Clip("a.mp4", time_base=Fraction(1, 90000), pts=VFR), ".mp4"),  # gaps of 1 and of 89,000
    (Clip("a.mp4", time_base=Fraction(1, 90000), pts=VFR), ".mov"),
    (Clip("a.mp4", time_base=Fraction(1, 90000), pts=[45000 + 3600 * n for n in range(20)]), ".mp4"),  # starts half a second late
    (Clip("a.mkv"), ".mkv"),  # milliseconds
    (Clip("a.mkv", rate=Fraction(24000, 1001)), ".mp4"),  # a jittering clock of milliseconds
    (Clip("a.ts", num_frames=40), ".mp4"),  # starts at 0.08 s
    (Clip("a.ts", num_frames=40), ".ts"),
    (Clip("a.mkv", codec="libx265", pixel_format="yuv420p10le", options=X265), ".mkv"),  # 10 bit
    (Clip("a.mp4", codec="libx265", options=X265), ".mp4"),
    (Clip("a.webm", codec="libvpx-vp9", audio="libopus", options={"g": "8"}), ".webm"),
    (Clip("a.mp4", codec="libsvtav1", options={"preset": "10"}), ".mp4"),
    (Clip("a.mov", codec="prores_ks", pixel_format="yuv422p10le", options={}, audio="pcm_s16le"), ".mov"),
    (Clip("a.mkv", codec="ffv1", pixel_format="yuv444p", options={}, audio="flac"), ".mkv"),
    (Clip("a.mp4", pixel_format="yuvj420p", colours=(2, 1, 1, 1)), ".mp4"),  # full range
    (Clip("a.mp4", width=95, height=63, pixel_format="yuv444p"), ".mp4"),  # odd sizes
    (Clip("a.mp4", num_frames=1), ".mp4"),
]


@pytest.mark.parametrize("share", [[], [0.3, 0.7], [0.05, 0.5, 0.55]], ids=["one segment", "three", "odd sizes"])
@pytest.mark.parametrize(("clip", "suffix"), KEPT, ids=lambda value: getattr(value, "name", value))
def test_every_time_and_every_sound_packet_is_kept(tmp_path, clip, suffix, share):
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    num_frames = probe_file(path)[0].num_frames
    borders = sorted({max(1, round(part * num_frames)) for part in share if num_frames > 3})
    info, index = render(path, target, borders)
    after, times = probe_file(target)
    assert after.time_base == info.time_base
    assert times.pts.tolist() == index.pts.tolist()
    assert (after.codec, after.pixel_format, after.width, after.height) == (info.codec, info.pixel_format, info.width, info.height)
    assert after.frame_rate == info.frame_rate or clip.pts or path.suffix != suffix
    assert after.duration_seconds == pytest.approx(info.duration_seconds, abs=0.002)
    assert len(decoded(target)) == len(index)
    sound, sound_after = packets(path, "audio"), packets(target, "audio")
    # A millisecond where the clock itself changes, otherwise not a tick.
    assert [time for time, _ in sound_after] == pytest.approx([time for time, _ in sound], abs=1e-9 if path.suffix == suffix else 1e-3)
    if path.suffix != ".ts" or suffix == ".ts":
        # (mp4 holds AAC without the header of each packet that transport streams have.)
        assert [payload for _, payload in sound_after] == [payload for _, payload in sound]


def test_borders_do_not_show(tmp_path):
    """Lossless encoding: every sample is the decoder's, whichever segment it went through."""
    path, target = draw(tmp_path, Clip()), tmp_path / "out.mkv"
    render(path, target, [1, 2, 11], EncoderSettings(codec="ffv1"))
    for one, other in zip(decoded(path), decoded(target), strict=True):
        for before, after in zip(planes(one), planes(as_planar(other)), strict=True):
            assert np.array_equal(before.samples, after.samples)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_shape_turn_and_colours_are_kept(tmp_path, suffix):
    clip = Clip(rotation_degrees=-90, sample_aspect=Fraction(4, 3), colours=(1, 9, 16, 9))
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    info, _ = render(path, target, [9])
    after, _ = probe_file(target)
    for name in ("rotation_degrees", "sample_aspect", "colour_range", "colour_primaries", "colour_transfer", "colour_matrix"):
        assert getattr(after, name) == getattr(info, name), name
    assert (after.rotation_degrees, after.sample_aspect, after.colour_transfer) == (90, Fraction(4, 3), 16)
    assert after.display_matrix == info.display_matrix


def test_mirroring_is_kept(tmp_path):
    path, target = draw(tmp_path, Clip(hflip=True)), tmp_path / "out.mp4"
    info, _ = render(path, target)
    assert probe_file(target)[0].display_matrix == info.display_matrix


def test_the_rest_is_gone(tmp_path):
    secret = "+60.3913+5.3221/"
    clip = Clip(cover=True, chapters=True, second_video=True, metadata={"location": secret, "title": "At home", "comment": "Bergen"})
    path, target = draw(tmp_path, clip), tmp_path / "out.mp4"
    assert all(word in path.read_bytes() for word in (b"loci", b"Bergen", b"At home"))
    render(path, target, [9])
    assert probe_file(target)[0].dropped == ()
    content = target.read_bytes()
    for word in (b"loci", b"60.3913", b"Bergen", b"At home", b"Lavf"):
        assert word not in content
    with av.open(str(target)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        assert container.chapters() == []
        assert container.streams.audio[0].language == "nor"


def test_several_sound_tracks(tmp_path):
    path, target = draw(tmp_path, Clip(audio_tracks=2)), tmp_path / "out.mkv"
    info, _ = render(path, target)
    assert [one.language for one in probe_file(target)[0].audio] == ["nor", "nor"] == [one.language for one in info.audio]


def test_subtitles_are_copied_where_the_container_can_hold_them(tmp_path):
    path = with_titles(draw(tmp_path, Clip("a.mkv")), tmp_path / "with.mkv")
    info, _ = render(path, tmp_path / "out.mkv")
    assert [one.codec for one in info.subtitles] == ["subrip"]
    assert packets(tmp_path / "out.mkv", "subtitle") == packets(path, "subtitle")
    with pytest.raises(BadOutput, match=r"cannot hold the subtitle stream 2 \(subrip\); choose a name that ends in \.mkv"):
        render(path, tmp_path / "out.mp4")


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9", "ffv1"])
def test_the_same_bytes_every_time(tmp_path, codec):
    path = draw(tmp_path, Clip(num_frames=40, width=320, height=240))
    for name in ("one.mkv", "two.mkv"):
        render(path, tmp_path / name, [13], EncoderSettings(codec=codec))
    assert (tmp_path / "one.mkv").read_bytes() == (tmp_path / "two.mkv").read_bytes()


def test_mp4_has_the_same_bytes_too(tmp_path):
    path = draw(tmp_path, Clip())
    for name in ("one.mp4", "two.mp4"):
        render(path, tmp_path / name, [13])
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()


def test_a_gif_becomes_a_film(tmp_path):
    path = draw(tmp_path, Clip("a.gif", codec="gif", pixel_format="bgr8", audio=None, options={}))
    _, index = render(path, tmp_path / "out.mp4", [7])
    assert probe_file(tmp_path / "out.mp4")[1].pts.tolist() == index.pts.tolist()


def test_auto_takes_the_sources_family(tmp_path):
    info, _ = probe_file(draw(tmp_path, Clip()))
    for codec, encoder in [("h264", "libx264"), ("hevc", "libx265"), ("vp9", "libvpx-vp9"), ("av1", "libsvtav1"), ("mpeg4", "libx264")]:
        assert encoder_of(info.model_copy(update={"codec": codec}), EncoderSettings()) == encoder


def test_settings_are_an_allow_list():
    for wrong in ({"codec": "libx264 -f null"}, {"preset": "placebo"}, {"crf": 52}, {"crf": -1}, {"threads": 0}, {"options": "x"}):
        with pytest.raises(ValidationError):
            EncoderSettings(**wrong)


def test_segments_that_do_not_fit(tmp_path):
    path = draw(tmp_path, Clip(options={"g": "100"}))  # one group
    info, index = probe_file(path)
    settings = EncoderSettings()
    halves = [Piece(0, 11, tmp_path / "a.nut"), Piece(12, 23, tmp_path / "b.nut")]
    for half, used in zip(halves, (settings, EncoderSettings(preset="medium")), strict=True):
        encode_segment((frame for _, frame in read_frames(path, info, index, half.first, half.last)), info, used, half.path)
    for pieces, problem in [
        ([halves[0]], "frames 12 to 23 are not encoded"),  # not groups of the source: they would be shown uncovered
        ([Piece(0, 23, halves[0].path)], "12 frames where 24 belong"),
        (halves, "different settings"),
        ([halves[0], Piece(6, 23, halves[1].path)], "encoded twice"),
        ([*halves, Piece(24, 30, halves[1].path)], "too many"),
    ]:
        with pytest.raises(ValueError, match=problem):
            join_segments(pieces, path, info, index, tmp_path / "out.mp4")


def test_targets_that_cannot_be_written(tmp_path):
    path = draw(tmp_path, Clip(num_frames=4))
    info, index = probe_file(path)
    segment = tmp_path / "s.nut"
    encode_segment((frame for _, frame in read_frames(path, info, index, 0, 3)), info, DEFAULTS, segment)
    (tmp_path / "folder.mp4").mkdir()
    for name, problem in [
        ("out.gif", "not named as"),  # no sound, no times
        ("out", "not named as"),
        ("folder.mp4", "is a directory"),
        ("none/out.mp4", "no such file or directory"),
        ("out.webm", "cannot hold"),  # H.264
    ]:
        with pytest.raises(BadOutput, match=problem):
            join_segments([Piece(0, 3, segment)], path, info, index, tmp_path / name)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_full_disk_is_said_so(tmp_path, capfd, monkeypatch):
    """Behind a link, for a device that is always full has no name of its own here."""
    monkeypatch.setattr(target, "_following_no_link", os.open)
    path = draw(tmp_path, Clip())
    info, index = probe_file(path)
    for name in ("s.nut", "out.mp4"):
        (tmp_path / name).symlink_to("/dev/full")
    with pytest.raises(NoSpace, match=r"s\.nut: the disk is full; "):
        encode_segment((frame for _, frame in read_frames(path, info, index, 0, 23)), info, EncoderSettings(), tmp_path / "s.nut")
    encode_segment((frame for _, frame in read_frames(path, info, index, 0, 23)), info, EncoderSettings(), tmp_path / "t.nut")
    with pytest.raises(NoSpace) as caught:
        join_segments([Piece(0, 23, tmp_path / "t.nut")], path, info, index, tmp_path / "out.mp4")
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert capfd.readouterr().err == ""


def test_no_packet_is_decoded_after_it_is_shown():
    """As x265 at times says of a stretch shorter than its delay, which no container takes."""
    packets_said = [(0, 1), (40, 41), (120, 80), (80, None)]
    said = []
    for pts, dts in packets_said:
        packet = av.Packet(b"x")
        packet.pts, packet.dts = pts, dts
        said.append(packet)
    assert [(packet.pts, packet.dts) for packet in _in_time(said)] == [(0, 0), (40, 40), (120, 80), (80, None)]
