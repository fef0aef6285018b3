"""Frames from anywhere are the frames from the start."""

from __future__ import annotations

import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.errors import BadVideo
from tasks.video import as_planar, planes, probe_file, read_frames, to_decoded, to_upright, upright_bgr
from tasks.video.read import FirstFileReading
from tasks.video.thumbnails import thumbnail
from tasks.video.upright import boxes_to_decoded, boxes_to_upright

from .drawing import Clip, decoded, draw, picture
from .rendering import rendered

CLIPS = [
    Clip(),  # closed GOPs, B-frames
    Clip("a.mkv", num_frames=40, options={"x264-params": "open-gop=1:keyint=8:bframes=3"}),  # frames shown before their key frame
    Clip("b.mp4", num_frames=40, codec="libx265", options={"x265-params": "open-gop=1:keyint=8:bframes=4:log-level=none"}),  # RASL pictures
    Clip("a.mp4", num_frames=40, options={"g": "40", "bf": "3", "b-pyramid": "normal", "x264-params": "keyint=40"}),  # one long GOP
    Clip("a.ts", num_frames=60),  # seeks by guessing
    Clip("a.avi", codec="mpeg4", audio="mp3", options={"g": "8", "bf": "2"}),  # no pts
    Clip("b.avi", codec="mjpeg", pixel_format="yuvj420p", audio="mp3", options={}),  # a frame left out
    Clip("a.gif", codec="gif", pixel_format="bgr8", audio=None, options={}),  # no key frames but the first
    Clip("a.mov", time_base=Fraction(1, 1000), pts=[-200 + 40 * n for n in range(20)]),  # the key frame is hidden by an edit list
    Clip("c.mp4", time_base=Fraction(1, 90000), pts=[45000 + 3600 * n for n in range(20)]),  # starts late
    Clip("a.mkv", num_frames=30, options={"x264-params": "intra-refresh=1:keyint=10"}),  # key frames that are none
]


def samples(frame):
    return [plane.samples.copy() for plane in planes(as_planar(frame))]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: f"{clip.codec}-{clip.name}")
def test_from_any_first_the_same_pixels(tmp_path, clip):
    path = draw(tmp_path, clip)
    info, index = probe_file(path)
    reference = [samples(frame) for frame in decoded(path)][: len(index)]
    last = len(index) - 1
    for first in range(len(index)):
        got = list(read_frames(path, info, index, first, min(last, first + 2)))
        assert [number for number, _ in got] == list(range(first, min(last, first + 2) + 1))
        for number, frame in got:
            assert frame.pts == index.pts[number]
            assert same(samples(frame), reference[number]), number


def test_a_stretch_outside_is_the_callers_mistake(tmp_path):
    path = draw(tmp_path, Clip())
    info, index = probe_file(path)
    for first, last in [(-1, 3), (0, 24), (5, 4)]:
        with pytest.raises(ValueError, match="24"):
            read_frames(path, info, index, first, last)


@pytest.mark.parametrize("how", ["close", "break", "raise", "never begun", "to the end"])
def test_no_thread_is_left(tmp_path, how):
    path = draw(tmp_path, Clip(num_frames=80))
    info, index = probe_file(path)
    frames = read_frames(path, info, index, 0, 79)
    if how == "close":
        next(frames)
        frames.close()
    elif how == "break":
        for _ in frames:
            break
    elif how == "raise":
        with pytest.raises(ZeroDivisionError):
            sum(1 / (3 - number) for number, _ in frames)
    elif how == "to the end":
        assert len(list(frames)) == 80
    del frames
    assert not [thread for thread in threading.enumerate() if thread.name == "read-frames"]


def test_a_damaged_frame_is_named(tmp_path):
    path = draw(tmp_path, Clip(num_frames=40, audio=None, options={"g": "1", "crf": "10"}))
    info, index = probe_file(path)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    path.write_bytes(content)
    with pytest.raises(BadVideo, match=r"clip\.mp4: frame \d+ is missing or damaged; "):
        list(read_frames(path, info, index, 0, 39))


def test_a_file_that_shrank_since(tmp_path):
    path = draw(tmp_path, Clip(num_frames=40, container_options={"movflags": "faststart"}))
    info, index = probe_file(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(BadVideo, match="frame "):
        list(read_frames(path, info, index, 0, 39))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_upright_picture_and_points_agree(rotation, mirrored):
    frame = picture(3, 96, 64)
    plain = upright_bgr(frame, 0)
    turned = upright_bgr(frame, rotation, mirrored=mirrored)
    assert turned.shape == ((96, 64, 3) if rotation in (90, 270) else (64, 96, 3))
    for x, y in [(0, 0), (95, 0), (17, 40)]:
        centre = to_upright(np.array([x + 0.5, y + 0.5]), 96, 64, rotation, mirrored)
        assert np.array_equal(turned[int(centre[1]), int(centre[0])], plain[y, x])
        assert np.allclose(to_decoded(centre, 96, 64, rotation, mirrored), [x + 0.5, y + 0.5])
    boxes = np.array([[1, 2, 30, 20], [50, 10, 96, 64]], np.float32)
    upright = boxes_to_upright(boxes, 96, 64, rotation, mirrored)
    assert np.all(upright[:, 2:] > upright[:, :2])
    assert np.allclose(boxes_to_decoded(upright, 96, 64, rotation, mirrored), boxes)


UNTURNED = np.arange(12).reshape(3, 4)
SHOWN = [
    # counter-clockwise, then mirrored left to right and upside down, as a player shows it
    (0, False, False, UNTURNED),
    (-90, False, False, np.rot90(UNTURNED, -1)),  # a phone held upright
    (180, False, False, UNTURNED[::-1, ::-1]),
    (90, False, False, np.rot90(UNTURNED, 1)),
    (0, True, False, UNTURNED[:, ::-1]),  # a selfie
    (0, False, True, UNTURNED[::-1]),
    (-90, True, False, np.rot90(UNTURNED, -1)[:, ::-1]),
    (90, True, False, np.rot90(UNTURNED, 1)[:, ::-1]),
    (20, False, False, UNTURNED),  # no quarter: the nearest
    (-80, False, False, np.rot90(UNTURNED, -1)),
]


@pytest.mark.parametrize(("degrees", "hflip", "vflip", "expected"), SHOWN)
def test_a_display_matrix_is_followed_as_players_do(tmp_path, degrees, hflip, vflip, expected):
    """The numbers of a small grid, each a block of grey, land where the tag says; and tag and pixels stay as they are."""
    path = draw(tmp_path, Clip(width=64, height=48, rotation_degrees=degrees, hflip=hflip, vflip=vflip, draws=grid))
    info, index = probe_file(path)
    frame = next(read_frames(path, info, index, 0, 0))[1]
    upright = upright_bgr(frame, info.rotation_degrees, mirrored=info.mirrored)
    found = np.round(upright[8::16, 8::16, 1] / 20).astype(int)
    assert np.array_equal(found, expected)
    left, top = to_upright(np.array([24.0, 8.0]), *info.turn)  # the middle of the block 1
    assert found[int(top) // 16, int(left) // 16] == 1


def grid(number, width, height, pixel_format):
    grey = np.kron(UNTURNED * 20, np.ones((16, 16))).astype(np.uint8)
    return av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, 2), "rgb24").reformat(format=pixel_format)


def test_upright_size_is_that_of_the_upright_picture():
    assert upright_bgr(picture(0, 96, 64), 90, (32, 48)).shape == (48, 32, 3)


def test_a_picture_that_changes_its_size_is_refused(tmp_path):
    """As recordings of calls do: boxes would mean other places in it, and the faces there would be shown."""
    path = tmp_path / "call.webm"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        container.start_encoding()
        for first, size in ((0, (96, 64)), (6, (192, 128))):
            encoder = av.CodecContext.create("libvpx-vp9", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size, "yuv420p", Fraction(1, 25)
            frames = [picture(number, *size) for number in range(6)]
            for number, frame in enumerate([*frames, None]):
                if frame is not None:
                    frame.pts, frame.time_base = first + number, Fraction(1, 25)
                for packet in encoder.encode(frame):
                    packet.stream, packet.time_base = stream, Fraction(1, 25)
                    container.mux_one(packet)
    info, index = probe_file(path)
    with pytest.raises(BadVideo, match="changes its size: frame 6 has 192x128 pixels, the first one 96x64"):
        list(read_frames(path, info, index, 0, len(index) - 1))


@pytest.mark.parametrize("matrix", [8, 12, 14])  # YCgCo, and two that follow from the primaries
def test_colours_that_cannot_be_converted_are_looked_at_all_the_same(tmp_path, matrix):
    source = draw(tmp_path, Clip("in.mp4", colours=(1, 9, 16, matrix), num_frames=10))
    info, index, _ = rendered(source, tmp_path / "out.mp4")
    assert info.colour_matrix == matrix
    reading = FirstFileReading(source, info, index, 0, 9)
    assert {thumbnail(one.frame, (48, 27)).shape for one in reading} == {(27, 48, 3)}
    assert all(upright_bgr(frame, 90).shape == (96, 64, 3) for _, frame in read_frames(source, info, index, 0, 9))
    assert probe_file(tmp_path / "out.mp4")[0].colour_matrix == matrix, "the result says it"
