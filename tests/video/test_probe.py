"""What `probe_file` finds, and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.errors import BadVideo
from tasks.video import FrameIndex, VideoInfo, probe_file
from tasks.video.upright import rotation_of

from .drawing import Clip, decoded, draw, tone

X265 = {"x265-params": "keyint=8:log-level=none"}

CLIPS = [
    (Clip(), 24, True),  # the usual: B-frames, AAC
    (Clip("a.mkv"), 24, True),  # a clock of milliseconds
    (Clip("a.ts", num_frames=40), 40, True),  # times start anywhere, no index
    (Clip("a.mp4", rate=Fraction(30000, 1001)), 24, True),  # 29.97 is not 29
    (Clip("a.mp4", time_base=Fraction(1, 90000), pts=[0, 3000, 3100, 9000, 9001, 20000, 90000, 180000]), 8, True),  # variable rate
    (Clip("a.mkv", codec="libx265", pixel_format="yuv420p10le", options=X265), 24, True),  # 10 bit
    (Clip("a.avi", codec="mpeg4", audio="mp3"), 24, False),  # B-frames in AVI: packets have no pts
    (Clip("a.h264", audio=None, container_format="h264"), 24, False),  # no container, no times at all
    (Clip("a.gif", codec="gif", pixel_format="bgr8", audio=None, options={}), 24, False),  # each frame builds on the one before
    (
        Clip("a.webm", codec="libvpx", audio="libopus", options={"auto-alt-ref": "1", "lag-in-frames": "10"}),
        24,
        False,
    ),  # packets that show nothing
    (Clip("a.webm", codec="libvpx-vp9", audio="libopus", options={}), 24, True),  # hidden frames inside packets
    (Clip("a.mp4", num_frames=1), 1, True),  # a single picture
    (Clip("a.mp4", container_options={"movflags": "frag_keyframe+empty_moov"}), 24, True),  # a header that counts nothing
]


@pytest.mark.parametrize(("clip", "num_frames", "seekable"), CLIPS, ids=lambda value: getattr(value, "name", ""))
def test_every_frame_is_found(tmp_path, clip, num_frames, seekable):
    info, index = probe_file(draw(tmp_path, clip))
    assert (info.num_frames, len(index), info.seekable) == (num_frames, num_frames, seekable)
    assert np.all(np.diff(index.pts) > 0)
    assert info.frame_rate == clip.rate or clip.pts is not None
    assert info.width, info.height == (clip.width, clip.height)
    if clip.audio:
        assert [(one.channels, one.sample_rate) for one in info.audio] == [(2, 48000)]


@pytest.mark.parametrize("clip", [clip for clip, _, seekable in CLIPS if seekable], ids=lambda clip: clip.name)
def test_times_are_those_of_a_plain_decoder(tmp_path, clip):
    path = draw(tmp_path, clip)
    assert probe_file(path)[1].pts.tolist() == [frame.pts for frame in decoded(path)]


def test_info_survives_json_and_index_bytes(tmp_path):
    info, index = probe_file(draw(tmp_path, Clip(rate=Fraction(30000, 1001), sample_aspect=Fraction(4, 3))))
    text = info.model_dump_json()
    assert '"30000/1001"' in text
    assert str(tmp_path) not in text
    assert VideoInfo.model_validate_json(text) == info
    again = FrameIndex.from_bytes(index.to_bytes())
    assert np.array_equal(again.pts, index.pts)
    assert np.array_equal(again.is_key, index.is_key)
    assert [again.index_of(int(index.pts[5])), again.index_of(int(index.pts[5]) + 1), again.index_of(10**9)] == [5, None, None]


def test_equal_bytes_elsewhere_give_equal_info(tmp_path):
    path = draw(tmp_path, Clip())
    other = tmp_path / "http:other|name%03d.mp4"  # a name that FFmpeg would take for an address or a pattern
    other.write_bytes(path.read_bytes())
    assert probe_file(path)[0] == probe_file(other)[0]


@pytest.mark.parametrize(
    ("counterclockwise", "hflip", "expected"),
    [
        (0, False, 0),  # nothing said
        (-90, False, 90),  # a phone held upright
        (180, False, 180),  # upside down
        (90, False, 270),  # the other way
        (0, True, 0),  # mirrored, head up: FFmpeg's own angle says 180
    ],
)
def test_rotation(tmp_path, counterclockwise, hflip, expected):
    info, _ = probe_file(draw(tmp_path, Clip(rotation_degrees=counterclockwise, hflip=hflip)))
    assert info.rotation_degrees == expected
    assert (info.display_matrix is not None) == bool(counterclockwise or hflip)


def test_rotation_of_an_odd_angle_is_the_nearest_quarter():
    assert rotation_of([60000, 26000, 0, -26000, 60000, 0, 0, 0, 1 << 30]) == 0


def test_what_will_not_come_through_is_named_but_not_quoted(tmp_path):
    clip = Clip(cover=True, chapters=True, second_video=True, metadata={"location": "+60.3+5.3/", "comment": "x"})
    info, _ = probe_file(draw(tmp_path, clip))
    assert "chapters" in info.dropped
    assert "metadata: location" in info.dropped
    assert any(line.startswith("attached picture") for line in info.dropped)
    assert any(line.startswith("second video") for line in info.dropped)
    assert any(line.startswith("data stream") for line in info.dropped)  # mp4 keeps chapter titles in one
    assert "60.3" not in str(info.dropped)


def test_an_edit_list_hides_frames_which_are_not_counted(tmp_path):
    info, index = probe_file(draw(tmp_path, Clip("a.mov", time_base=Fraction(1, 1000), pts=[-200 + 40 * n for n in range(20)])))
    assert len(index) == 15
    assert index.pts[0] == 0
    assert "5 frames that an edit list hides" in info.dropped


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def text(folder):
    (folder / "a.mp4").write_text("This is not a video.\n" * 50)
    return folder / "a.mp4"


def playlist(folder, content):
    draw(folder, Clip("real.mp4"))
    (folder / "a.mp4").write_text(content)
    return folder / "a.mp4"


def audio_only(folder):
    with av.open(str(folder / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        container.mux(stream.encode(tone(0)))
        container.mux(stream.encode(None))
    return folder / "a.mp4"


def no_frames(folder):
    with av.open(str(folder / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return folder / "a.mkv"


def garbage(folder):
    path = draw(folder, Clip("a.mkv", audio=None))
    content = bytearray(path.read_bytes())
    content[700:-200] = bytes(len(content) - 900)
    path.write_bytes(content)
    return path


def empty(folder):
    (folder / "a.mp4").touch()
    return folder / "a.mp4"


def moov_first(folder, share):
    return cut(draw(folder, Clip(num_frames=100, container_options={"movflags": "faststart"})), share)


REFUSED = [
    (lambda folder: folder / "none.mp4", "no such file"),
    (lambda folder: folder, "is a folder"),
    (empty, "is empty"),
    (text, "cannot be read"),  # text renamed
    (lambda folder: playlist(folder, "#EXTM3U\n#EXTINF:1,\nreal.mp4\n#EXT-X-ENDLIST\n"), "cannot be read"),  # hls names other files
    (lambda folder: playlist(folder, "ffconcat version 1.0\nfile real.mp4\n"), "cannot be read"),  # so does concat
    (audio_only, "no video stream (only audio)"),
    (no_frames, "cannot be read"),  # a header and nothing after it
    (garbage, ""),  # a header, and then noise
    (lambda folder: cut(draw(folder, Clip()), 0.6), "cannot be read"),  # moov is at the end, and gone
    (lambda folder: moov_first(folder, 0.4), "ends early"),  # moov promises more than twice what there is
    (lambda folder: cut(draw(folder, Clip("a.mkv", num_frames=100)), 0.3), "ends early"),
    (lambda folder: cut(draw(folder, Clip("a.avi", codec="mpeg4", audio=None, num_frames=100)), 0.3), "ends early"),
]
CUT = [
    lambda folder: moov_first(folder, 0.7),
    lambda folder: moov_first(folder, 0.99),  # only the last packets are gone
    lambda folder: cut(draw(folder, Clip("a.mkv", num_frames=100)), 0.6),
    lambda folder: cut(draw(folder, Clip("a.mkv", num_frames=100)), 0.97),
    lambda folder: cut(draw(folder, Clip("a.avi", codec="mpeg4", audio=None, num_frames=100)), 0.7),
]


@pytest.mark.parametrize("make", CUT)
def test_what_was_cut_off_is_said(tmp_path, make):
    info, index = probe_file(make(tmp_path))
    assert info.cut_off.startswith("ends early: ")
    assert info.cut_off in info.warnings
    assert 50 <= len(index) <= 100


@pytest.mark.parametrize(("make", "problem"), REFUSED)
def test_bad_input_is_one_clear_line(tmp_path, make, problem):
    path = make(tmp_path)
    with pytest.raises(BadVideo) as caught:
        probe_file(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert problem in line
    assert "\n" not in line
    assert caught.value.fix


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("wide.y4m", b"YUV4MPEG2 W20000 H64 F25:1 Ip A1:1 C420jpeg\nFRAME\n" + bytes(20000 * 96)),  # a whole frame, only too wide
        ("bomb.gif", b"GIF89a" + bytes([255] * 4) + bytes([0x70, 0, 0, 0x3B])),  # 65,535 pixels each way in 14 bytes
    ],
)
def test_absurd_sizes_are_refused_before_decoding(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadVideo, match="outside 1 to 16384"):
        probe_file(tmp_path / name)
