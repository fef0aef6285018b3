"""Small recordings of every kind that is read, whose frames carry their numbers, and what goes wrong with recordings."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from tests.fakes import numbered_picture

RATE = 25
SIZE = (192, 96)
_GROUP = 25
_SOUND_RATE, _SOUND_FRAME = 48_000, 1024
_TS_PACKET = 188
# ISO/IEC 14496-2, 6.2.5: a P picture (01) of the same second (0), at a time of 5 bits, that is not coded (0).
_NOTHING = b"\x00\x00\x01\xb6" + 0b01_0_1_00000_1_0_01111.to_bytes(2, "big")
_X265 = "log-level=none:scenecut=0:pools=none"
_ALWAYS: dict[str, dict[str, str]] = {
    "libx264": {"sc_threshold": "0", "b_strategy": "0"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "12", "svtav1-params": "lp=1"},
    "mjpeg": {"strict": "unofficial"},
}
_MUXER_OPTIONS = {"mpegts": {"mpegts_copyts": "1", "mpegts_flags": "initial_discontinuity"}}


@dataclass(frozen=True)
class Recording:
    """What to draw: the kind of file by its ending, the picture's encoder, the sound's (None for none)."""

    ending: str
    codec: str = "libx264"
    sound: str | None = "aac"
    container_format: str | None = None
    pixel_format: str = "yuv420p"
    num_frames: int = 75
    first_number: int = 0
    starts_seconds: float = 0
    sound_starts_seconds: float | None = None
    """None: with the picture"""
    bframes: int = 0
    size: tuple[int, int] = SIZE
    times: tuple[float, ...] | None = None
    """of the frames, in seconds; None: evenly"""
    turn_degrees: int = 0
    options: dict[str, str] = field(default_factory=dict)
    """of the muxer"""

    @property
    def shown(self) -> list[float]:
        """When each frame is shown, since the first."""
        return list(self.times or (number / RATE for number in range(self.num_frames)))

    def draw(self, folder: Path, name: str = "source") -> Path:
        path = folder / f"{name}.{self.ending}"
        muxer = self.container_format or _FORMATS.get(self.ending)
        options = _MUXER_OPTIONS.get(muxer or "", {}) | self.options
        with av.open(str(path), "w", format=muxer, container_options=options) as container:
            unit = Fraction(1, 1000) if self.times else Fraction(1, RATE)
            picture = self._picture(container, unit)
            sound = container.add_stream(self.sound, rate=_SOUND_RATE) if self.sound else None
            if sound:
                sound.layout = "stereo" if self.sound != "pcm_s16le" else "mono"  # type: ignore[attr-defined]
            container.start_encoding()
            packets = [*self._pictures(picture, unit), *(self._heard(sound) if sound else ())]
            for packet in sorted(packets, key=lambda one: (one.dts if one.dts is not None else one.pts or 0) * one.time_base):
                container.mux(packet)
        return path

    def _picture(self, container: av.container.OutputContainer, unit: Fraction) -> av.VideoStream:
        options = {"g": str(_GROUP), "bf": str(self.bframes)} | _ALWAYS.get(self.codec, {})
        if self.codec == "libx265":
            options["x265-params"] = f"{_X265}:keyint={_GROUP}:bframes={self.bframes}"
        stream = container.add_stream(self.codec, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *self.size, self.pixel_format
        stream.codec_context.time_base = unit
        stream.codec_context.bit_rate = 2_000_000
        if self.turn_degrees:
            stream.set_display_rotation(self.turn_degrees)
        return stream  # type: ignore[no-any-return]

    def _pictures(self, stream: av.VideoStream, unit: Fraction) -> Iterator[av.Packet]:
        noise = np.random.default_rng(self.first_number)
        for number, seconds in enumerate(self.shown):
            drawn = numbered_picture(self.first_number + number, *self.size)
            below = drawn[self.size[1] // 2 :]
            below[:] = noise.integers(60, 190, (*below.shape[:2], 1))  # so that no packet is small
            frame = av.VideoFrame.from_ndarray(drawn, format="bgr24").reformat(format=self.pixel_format)
            frame.pts, frame.time_base = round((self.starts_seconds + seconds) / unit), unit
            yield from stream.encode(frame)
        yield from stream.encode(None)

    def _heard(self, stream: av.AudioStream) -> Iterator[av.Packet]:
        starts = self.starts_seconds if self.sound_starts_seconds is None else self.sound_starts_seconds
        seconds = self.shown[-1] + 1 / RATE
        resampler = av.AudioResampler(
            stream.codec_context.format, stream.codec_context.layout, _SOUND_RATE, stream.codec_context.frame_size
        )
        for number in range(round(seconds * _SOUND_RATE) // _SOUND_FRAME):
            tone = np.sin(np.arange(_SOUND_FRAME) * 0.06 + number).astype(np.float32)[None] / 4
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate, frame.time_base = _SOUND_RATE, Fraction(1, _SOUND_RATE)
            frame.pts = round(starts * _SOUND_RATE) + _SOUND_FRAME * number
            for one in resampler.resample(frame):
                yield from stream.encode(one)
        yield from stream.encode(None)


_FORMATS = {"ts": "mpegts", "mkv": "matroska", "mpg": "mpeg", "m4v": "m4v", "y4m": "yuv4mpegpipe", "h264": "h264", "hevc": "hevc"}


def one_after_the_other(*recordings: Recording) -> Callable[[Path], Path]:
    """As a recorder goes on in the same file."""

    def draw(folder: Path) -> Path:
        parts = [one.draw(folder, f"part{number}") for number, one in enumerate(recordings)]
        path = folder / f"source.{recordings[0].ending}"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path

    return draw


def changed(recording: Recording, change: Callable[[Path, bytes], bytes]) -> Callable[[Path], Path]:
    """The recording with other bytes."""

    def draw(folder: Path) -> Path:
        path = recording.draw(folder)
        path.write_bytes(change(path, path.read_bytes()))
        return path

    return draw


def trimmed(seconds: float) -> Callable[[Path, bytes], bytes]:
    """As a phone trims: all frames stay in an mp4, and its edit lists show the first ones."""

    def change(_: Path, content: bytes) -> bytes:
        result = bytearray(content)
        at = content.find(b"mvhd")
        (scale,) = struct.unpack(">I", content[at + 16 : at + 20])
        at = content.find(b"elst")
        while at > 0:
            result[at + 12 : at + 16] = struct.pack(">I", int(seconds * scale))
            at = content.find(b"elst", at + 4)
        return bytes(result)

    return change


def behind(trailer: bytes) -> Callable[[Path, bytes], bytes]:
    return lambda _, content: content + trailer


def cut(share: float) -> Callable[[Path, bytes], bytes]:
    return lambda _, content: content[: int(share * len(content))]


def half_lost(number: int) -> Callable[[Path, bytes], bytes]:
    """Half of a frame is zeros, as on a bad memory card."""

    def change(path: Path, content: bytes) -> bytes:
        with av.open(str(path)) as container:
            packets = [(packet.pts or 0, packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
        _, at, size = sorted(packets)[number]
        return content[: at + size // 2] + bytes(size - size // 2) + content[at + size :]

    return change


def packets_lost(share: float, count: int) -> Callable[[Path, bytes], bytes]:
    """Of a transport stream, some of those that hold the picture."""

    def change(_: Path, content: bytes) -> bytes:
        packets = [content[at : at + _TS_PACKET] for at in range(0, len(content), _TS_PACKET)]
        shown = [number for number, packet in enumerate(packets) if packet[1] & 31 == 1 and packet[2] == 0]
        first = int(share * len(shown))
        gone = set(shown[first : first + count])
        return b"".join(packet for number, packet in enumerate(packets) if number not in gone)

    return change


def other_sizes(ending: str, codec: str, sizes: Sequence[tuple[int, int]], frames: int) -> Callable[[Path], Path]:
    """As a call is recorded: so many frames of each size, each with an encoder of its own."""

    def draw(folder: Path) -> Path:
        path = folder / f"source.{ending}"
        with av.open(str(path), "w") as container:
            stream = Recording(ending, codec, size=sizes[0])._picture(container, Fraction(1, RATE))
            container.start_encoding()
            for part, size in enumerate(sizes):
                encoder = av.CodecContext.create(codec, "w")
                encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = *size, "yuv420p", Fraction(1, RATE)
                encoder.bit_rate = 2_000_000
                for number in [*range(frames), None]:
                    frame = None
                    if number is not None:
                        drawn = numbered_picture(frames * part + number, *size)
                        frame = av.VideoFrame.from_ndarray(drawn, format="bgr24").reformat(format="yuv420p")
                        frame.pts, frame.time_base = frames * part + number, encoder.time_base
                    for packet in encoder.encode(frame):
                        packet.stream, packet.time_base = stream, encoder.time_base
                        container.mux_one(packet)
        return path

    return draw


def packed_avi(folder: Path) -> Path:
    """As DivX wrote it: a B-frame is in the packet of the frame that it refers to, and a packet that says nothing stands in its place."""
    plain = Recording("avi", "mpeg4", sound=None, bframes=1).draw(folder, "plain")
    path = folder / "source.avi"
    with av.open(str(plain)) as before, av.open(str(path), "w") as after:
        source = before.streams.video[0]
        stream = after.add_stream_from_template(source)
        packets = [packet for packet in before.demux(source) if packet.size]
        contents = [bytes(packet) for packet in packets]
        contents[0] = contents[0].replace(b"\x00\x00\x01\xb6", b"\x00\x00\x01\xb2DivX503b1393p\x00\x00\x01\xb6", 1)
        is_b = [content[content.index(b"\x00\x00\x01\xb6") + 4] >> 6 == 2 for content in contents]
        written = []
        for content, (b_now, b_next), following in zip(contents, pairwise([*is_b, False]), [*contents[1:], b""], strict=True):
            written.append(_NOTHING if b_now else content + following if b_next else content)
        for number, content in enumerate(written):
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, RATE), stream, packets[number].is_keyframe
            after.mux_one(packet)
    return path
