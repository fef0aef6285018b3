"""Damaged recordings: what decodes comes through at its time, and each place that is damaged is known, with all that refers to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tasks.errors import BadVideo
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.probe import check_opens, probe_file
from tasks.video.read import FirstFileReading, read_frames
from tests.fakes import number_of
from tests.video.clocks import one_after_the_other, record

Span = tuple[int, int]
FRAMES, GROUP, PACKET = 100, 25, 188


def mp4(folder: Path, codec: str = "libx264", bframes: int = 0) -> Path:
    always = {"libx265": {"x265-params": "log-level=none:bframes=0:scenecut=0"}, "libx264": {"sc_threshold": "0", "b_strategy": "0"}}
    options = {"container_format": "mp4", "options": {"movflags": "faststart"}}
    return record(folder / "a.mp4", FRAMES, codec=codec, bframes=bframes, stream_options=always.get(codec), noisy=True, **options)


def packets(path: Path) -> list[tuple[int, int, int]]:
    """Place, size and number in order of presentation of each packet of the picture, in order of decoding."""
    with av.open(path) as container:
        found = [(packet.pos or 0, packet.size, packet.pts or 0) for packet in container.demux(video=0) if packet.size]
    shown = sorted(pts for _, _, pts in found)
    return [(place, size, shown.index(pts)) for place, size, pts in found]


def lost(path: Path, frame: int, keep: int = 0) -> Path:
    """Half of a frame's bytes are zeros, as on a bad memory card; or all but the first `keep`."""
    content = bytearray(path.read_bytes())
    place, size = next((place, size) for place, size, number in packets(path) if number == frame)
    first = keep or size // 2
    content[place + first : place + size] = bytes(size - first)
    path.write_bytes(content)
    return path


def half_a_jpeg(folder: Path) -> Path:
    path = record(folder / "a.avi", 40, codec="mjpeg", container_format="avi", stream_options={"strict": "unofficial"})
    content = bytearray(path.read_bytes())
    place, size, _ = packets(path)[20]
    begin = content.index(b"\xff\xd8", place)
    content[begin + size // 2 : begin + size] = bytes(size - size // 2)
    path.write_bytes(content)
    return path


def stream_packets(content: bytes) -> list[int]:
    """Places of a transport stream's packets that hold the picture."""
    return [place for place in range(0, len(content), PACKET) if content[place + 1] & 31 == 1 and content[place + 2] == 0]


def without_packets(folder: Path, share: float, count: int) -> Path:
    path = record(folder / "a.ts", FRAMES)
    content = path.read_bytes()
    place = stream_packets(content)[int(share * len(stream_packets(content)))]
    path.write_bytes(content[:place] + content[place + count * PACKET :])
    return path


def without_a_frame(folder: Path) -> Path:
    """All packets of one small frame are lost: what is left decodes, and refers to another picture than it should."""
    path = record(folder / "a.ts", FRAMES)
    content = path.read_bytes()
    begins = [place for place in stream_packets(content) if content[place + 1] & 64]
    path.write_bytes(content[: begins[60]] + content[begins[61] :])
    return path


def counter_jumps(folder: Path, frame: int) -> Path:
    path = record(folder / "a.ts", FRAMES)
    content = bytearray(path.read_bytes())
    begins = [place for place in stream_packets(content) if content[place + 1] & 64]
    for place in stream_packets(content):
        if place >= begins[frame]:
            content[place + 3] = content[place + 3] & 0xF0 | (content[place + 3] + 5) & 0x0F
    path.write_bytes(content)
    return path


def two_parts(folder: Path) -> Path:
    first = record(folder / "1.ts", 50, starts_seconds=1)
    return one_after_the_other(folder / "a.ts", first, record(folder / "2.ts", 50, first_number=50, starts_seconds=3))


def cut(path: Path, share: float, past: int = 0) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share) // PACKET * PACKET + past])
    return path


DAMAGED: list[tuple[str, Callable[[Path], Path], Span | None]] = [
    ("half a frame", lambda folder: lost(mp4(folder), 60), (60, 74)),
    ("half a frame, B-frames", lambda folder: lost(mp4(folder, bframes=2), 65), (63, 74)),
    ("half a frame of HEVC, whose decoder says nothing", lambda folder: lost(mp4(folder, "libx265"), 60), (60, 74)),
    ("half a frame of VP9, whose decoder says nothing", lambda folder: lost(mp4(folder, "libvpx-vp9"), 60), (60, 74)),
    ("a key frame", lambda folder: lost(mp4(folder), 50, keep=5), (50, 74)),
    ("the last frame", lambda folder: lost(mp4(folder), 99, keep=5), (99, 99)),
    ("half a JPEG", half_a_jpeg, (20, 20)),
    ("packets of a transport stream", lambda folder: without_packets(folder, 0.6, 3), None),
    ("a frame of a transport stream", without_a_frame, None),
]


def first_reading(path: Path) -> tuple[VideoInfo, FrameIndex, FirstFileReading]:
    check_opens(path)
    info, index = probe_file(path)
    reading = FirstFileReading(path, info, index, 0, len(index) - 1)
    assert [one.number for one in reading] == list(range(len(index)))
    return info, index, reading


@pytest.mark.parametrize(("make", "expected"), [row[1:] for row in DAMAGED], ids=[row[0] for row in DAMAGED])
def test_damage_and_what_refers_to_it(make: Callable[[Path], Path], expected: Span | None, tmp_path: Path) -> None:
    path = make(tmp_path)
    info, index, reading = first_reading(path)
    assert len(reading.damaged) == 1
    first, last = reading.damaged[0]
    assert expected in (None, (first, last))
    assert last + 1 == len(index) or index.is_key[last + 1], "what refers to damage ends at a key frame"
    known = info.model_copy(update={"damaged": reading.damaged})
    for begin in (0, first, last):  # from anywhere, all frames at their times
        frames = list(read_frames(path, known, index, begin, len(index) - 1))
        assert [number for number, _ in frames] == list(range(begin, len(index)))
        assert [frame.pts for _, frame in frames] == index.pts[begin:].tolist()
        away = [(number, frame) for number, frame in frames if not first - 1 <= number <= last and path.suffix != ".ts"]
        assert all(number_of(frame.to_ndarray(format="bgr24")) == number for number, frame in away)


@pytest.mark.parametrize("frame", [40, 50, 60])  # in a group, at its begin, in the next one
def test_a_counter_that_jumps_is_no_damage(frame: int, tmp_path: Path) -> None:
    info, index, reading = first_reading(counter_jumps(tmp_path, frame))
    assert (len(index), reading.damaged, info.warnings) == (FRAMES, (), ())


def test_two_recordings_in_one_file_are_whole(tmp_path: Path) -> None:
    _, index, reading = first_reading(two_parts(tmp_path))
    assert (len(index), reading.damaged) == (FRAMES, ())


@pytest.mark.parametrize(
    ("make", "num_frames", "says"),
    [
        (lambda folder: cut(record(folder / "a.ts", FRAMES), 0.9, past=100), 85, "ends early: inside of a packet"),
        (lambda folder: cut(mp4(folder), 0.8), 60, "frames are there"),
        (lambda folder: cut(record(folder / "a.mkv", FRAMES, container_format="matroska"), 0.7), 50, "bytes are there"),
    ],
    ids=["ts", "mp4", "mkv"],
)
def test_what_is_there_of_a_recording_that_was_cut(make: Callable[[Path], Path], num_frames: int, says: str, tmp_path: Path) -> None:
    info, index, reading = first_reading(make(tmp_path))
    assert num_frames < len(index) < FRAMES
    assert says in info.cut_off
    assert f"({info.duration_seconds:.2f} s)" in info.cut_off
    assert info.cut_off in info.warnings
    assert all(first >= len(index) - 2 for first, _ in reading.damaged), "only where it was cut"


def test_less_than_half_of_a_recording_is_refused(tmp_path: Path) -> None:
    path = mp4(tmp_path)
    path.write_bytes(path.read_bytes()[: packets(path)[30][0]])
    with pytest.raises(BadVideo, match=r"ends early: only \d+ of 100 frames are there; "):
        probe_file(path)


def test_damage_that_nobody_knew_of_is_an_error(tmp_path: Path) -> None:
    path = lost(mp4(tmp_path), 60)
    info, index = probe_file(path)
    with pytest.raises(BadVideo, match="frame 60 is missing or damaged"):
        list(read_frames(path, info, index, 0, FRAMES - 1))


def test_pictures_of_another_size_are_brought_to_the_first_one(tmp_path: Path) -> None:
    path = call(tmp_path / "call.webm", ((96, 64), (192, 128), (64, 96)))
    info, index, _ = first_reading(path)
    known = info.model_copy(update={"resized": ((6, 17),)})
    frames = [frame.to_ndarray(format="rgb24") for _, frame in read_frames(path, known, index, 0, 17)]
    assert {frame.shape for frame in frames} == {(64, 96, 3)}
    assert np.abs(frames[2].astype(int) - frames[8]).mean() < 12, "the same picture, scaled"
    assert frames[14][:, :16].max() < 30, "a bar"
    assert frames[14][:, 40:56].mean() > 60, "and the picture in the middle"


def call(path: Path, sizes: tuple[tuple[int, int], ...]) -> Path:
    """A call's recording, six frames of each size."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libvpx-vp9", rate=25)
        stream.width, stream.height, stream.pix_fmt = *sizes[0], "yuv420p"
        container.start_encoding()
        for part, (width, height) in enumerate(sizes):
            encoder = av.CodecContext.create("libvpx-vp9", "w")
            encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", 1 / stream.average_rate
            for number in [*range(6), None]:
                frame = None
                if number is not None:
                    grey = np.linspace(80, 220, width).astype(np.uint8)[None].repeat(height, 0)
                    frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
                    frame.pts, frame.time_base = 6 * part + number, encoder.time_base
                for packet in encoder.encode(frame):
                    packet.stream, packet.time_base = stream, encoder.time_base
                    container.mux_one(packet)
    return path


def read_part(path: Path, first: int, last: int) -> tuple[Span, ...]:
    info, index = probe_file(path)
    reading = FirstFileReading(path, info, index, first, last)
    assert [one.number for one in reading] == list(range(first, last + 1))
    return reading.damaged


def test_a_part_knows_of_damage_before_it_and_of_none_beyond(tmp_path: Path) -> None:
    path = lost(mp4(tmp_path), 60)
    assert read_part(path, 62, FRAMES - 1) == ((62, 74),), "what it begins with refers to it"
    assert read_part(path, 40, 65) == ((60, 65),)
    assert read_part(path, 75, FRAMES - 1) == ()


def test_a_part_knows_of_damage_that_is_shown_after_it_and_decoded_before(tmp_path: Path) -> None:
    assert read_part(lost(mp4(tmp_path, bframes=2), 65), 0, 64) == ((63, 64),)


def test_a_part_of_a_transport_stream_knows_what_was_lost_in_it(tmp_path: Path) -> None:
    path = without_a_frame(tmp_path)
    ((_, end),) = read_part(path, 0, FRAMES - 2)
    ((begin, _),) = read_part(path, 52, FRAMES - 2)  # read from the key frame before it on
    assert read_part(path, 52, FRAMES - 2) == ((begin, end),)
    assert 55 < begin < 62


def test_damage_in_a_bare_stream_goes_on_through_its_own_group(tmp_path: Path) -> None:
    options = {"x265-params": "log-level=none:bframes=3:scenecut=0:keyint=25:min-keyint=25:open-gop=0"}
    path = record(tmp_path / "a.hevc", FRAMES, codec="libx265", container_format="hevc", stream_options=options, noisy=True)
    content = bytearray(path.read_bytes())
    keys = [
        place for place in range(len(content) - 5) if content[place : place + 3] == b"\0\0\1" and content[place + 3] >> 1 & 63 in (19, 20)
    ]
    content[keys[2] + 300 : keys[2] + 700] = bytes(400)
    path.write_bytes(content)
    covered = {frame for first, last in read_part(path, 0, FRAMES - 1) for frame in range(first, last + 1)}
    assert covered >= set(range(50, 75))


def test_a_packet_that_is_lost_within_a_picture_of_hevc_is_damage(tmp_path: Path) -> None:
    options = {"x265-params": "log-level=none:bframes=0:scenecut=0:keyint=25"}
    path = record(tmp_path / "a.ts", FRAMES, codec="libx265", stream_options=options, noisy=True)
    content = path.read_bytes()
    place = next(place for place in stream_packets(content)[len(content) // PACKET // 2 :] if not content[place + 1] & 64)
    path.write_bytes(content[:place] + content[place + PACKET :])
    assert read_part(path, 0, FRAMES - 1), "its decoder says nothing"


def test_a_gradual_refresh_does_not_end_at_what_calls_itself_a_key_frame(tmp_path: Path) -> None:
    options = {"x264-params": "intra-refresh=1:keyint=25:bframes=0"}
    path = lost(record(tmp_path / "a.mkv", FRAMES, container_format="matroska", stream_options=options, noisy=True), 60)
    ((first, last),) = read_part(path, 0, FRAMES - 1)
    assert first == 60
    assert last >= 85


def test_zeros_in_a_cameras_own_messages_are_no_damage(tmp_path: Path) -> None:
    path = mp4(tmp_path)
    sloppy = tmp_path / "sloppy.mp4"
    with av.open(path) as source, av.open(sloppy, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                message = b"\x06\x05\x20" + bytes(32) + b"\x80"
                with_message = av.Packet(len(message).to_bytes(4, "big") + message + bytes(packet))
                with_message.pts, with_message.dts, with_message.time_base = packet.pts, packet.dts, packet.time_base
                with_message.is_keyframe, with_message.stream = packet.is_keyframe, stream
                target.mux(with_message)
    assert read_part(sloppy, 0, FRAMES - 1) == ()


def test_stuffing_takes_no_time(tmp_path: Path) -> None:
    path = record(tmp_path / "a.h264", 10, container_format="h264", noisy=True)
    path.write_bytes(path.read_bytes().replace(b"\0\0\0\1", bytes(200_000) + b"\0\0\0\1"))
    before = time.process_time()
    assert read_part(path, 0, 9) == ()
    assert time.process_time() - before < 5
