"""Recordings whose clocks are not those of a film: written packet by packet, each frame with its number in the picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.fakes import numbered_picture

RATE = 25


def record(
    path: Path,
    num_frames: int,
    *,
    first_number: int = 0,
    starts_seconds: float = 0,
    bframes: int = 0,
    sound_starts_seconds: float | None = None,
    container_format: str = "mpegts",
    rate: int = RATE,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    stream_options: dict[str, str] | None = None,
    noisy: bool = False,
) -> Path:
    """Writes numbered frames that begin at a time of the container's clock; with sound of the same length where that has a beginning.

    Noisy frames are larger, each of them.
    """
    noise = np.random.default_rng(1)
    always = {"mpegts_copyts": "1", "mpegts_flags": "initial_discontinuity"} if container_format == "mpegts" else {}
    with av.open(path, "w", format=container_format, container_options=always | (options or {})) as container:
        picture = container.add_stream(codec, rate=rate, options={"g": "25", "bf": str(bframes)} | (stream_options or {}))
        picture.width, picture.height, picture.pix_fmt = 192, 96, "yuv420p"
        unit = Fraction(1, 90_000 if container_format == "mpegts" else rate)
        picture.codec_context.time_base = unit
        sound = container.add_stream("aac", rate=48_000, layout="mono") if sound_starts_seconds is not None else None
        packets = []
        for number in range(num_frames):
            drawn = numbered_picture(first_number + number)
            if noisy:
                drawn[48:] = noise.integers(0, 255, drawn[48:].shape)
            frame = av.VideoFrame.from_ndarray(drawn, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = round((starts_seconds + number / rate) / unit), unit
            packets += picture.encode(frame)
        packets += picture.encode(None)
        if sound is not None:
            first = round((sound_starts_seconds or 0) * 48_000)
            for number in range(num_frames * 48_000 // rate // 1024):
                tone = np.sin(np.arange(1024) * 0.06).astype(np.float32)[None] / 4
                heard = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                heard.sample_rate, heard.pts, heard.time_base = 48_000, first + 1024 * number, Fraction(1, 48_000)
                packets += sound.encode(heard)
            packets += sound.encode(None)
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            container.mux(packet)
    return path


def one_after_the_other(target: Path, *parts: Path) -> Path:
    """As a recorder goes on in the same file."""
    target.write_bytes(b"".join(part.read_bytes() for part in parts))
    return target


def packed_avi(path: Path, num_frames: int) -> Path:
    """As DivX and XviD wrote B-frames into AVI: together with the frame that they need, and an empty one in their own place."""
    encoder = av.CodecContext.create("mpeg4", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base, encoder.framerate = 192, 96, "yuv420p", Fraction(1, RATE), RATE
    encoder.max_b_frames, encoder.gop_size, encoder.options, encoder.bit_rate = 1, 25, {"b_strategy": "0"}, 1_000_000
    units: list[bytes] = []
    for number in [*range(num_frames), None]:
        frame = None
        if number is not None:
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, encoder.time_base
        units += [bytes(packet) for packet in encoder.encode(frame)]
    with av.open(path, "w", format="avi") as container:
        stream = container.add_stream("mpeg4", rate=RATE, width=192, height=96, pix_fmt="yuv420p")
        stream.codec_context.codec_tag, stream.time_base = "XVID", encoder.time_base
        container.start_encoding()
        for place, (content, is_key) in enumerate(_packed(units, encoder.extradata or b"")):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.time_base, packet.is_keyframe = stream, place, place, encoder.time_base, is_key
            container.mux(packet)
    return path


_PICTURE, _GROUP, _SEQUENCE = b"\0\0\1\xb6", b"\0\0\1\xb3", b"\0\0\1\x20"
_PACKS = b"\0\0\1\xb2DivX503b1393p"


def _packed(units: list[bytes], header: bytes) -> list[tuple[bytes, bool]]:
    kinds = ["IPBS"[unit[unit.index(_PICTURE) + 4] >> 6] for unit in units]
    assert "B" in kinds
    nothing = _PICTURE + bytes([0b01_0_1_0000, 0b0_1_0_01111])  # a picture that is not coded; its time has five bits at 25 a second
    packed: list[tuple[bytes, bool]] = []
    place = 0
    while place < len(units):
        unit, is_key = units[place], kinds[place] == "I"
        if is_key:
            at = unit.find(_GROUP) if _GROUP in unit else unit.index(_PICTURE)
            unit = (header if place == 0 and _SEQUENCE not in unit else b"") + unit[:at] + _PACKS + unit[at:]
        if kinds[place] != "B" and kinds[place + 1 : place + 2] == ["B"]:
            packed += [(unit + units[place + 1], is_key), (nothing, False)]
            place += 1
        else:
            packed.append((unit, is_key))
        place += 1
    return packed
