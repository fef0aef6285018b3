"""Draws the video files that these tests need, with PyAV alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np


@dataclass(frozen=True)
class Clip:
    """What to draw; the defaults are a short, plain mp4 with B-frames and sound."""

    name: str = "clip.mp4"
    codec: str = "libx264"
    num_frames: int = 24
    width: int = 96
    height: int = 64
    pixel_format: str = "yuv420p"
    rate: Fraction = Fraction(25)
    time_base: Fraction | None = None
    pts: Sequence[int] | None = None
    """in units of the time base; None: evenly, from 0"""
    options: dict[str, str] = field(default_factory=lambda: {"g": "8", "bf": "2", "crf": "10"})
    audio: str | None = "aac"
    audio_tracks: int = 1
    rotation_degrees: int = 0
    """counter-clockwise, as FFmpeg counts"""
    hflip: bool = False
    vflip: bool = False
    sample_aspect: Fraction | None = None
    colours: tuple[int, int, int, int] | None = None
    """range, primaries, transfer, matrix, as FFmpeg numbers them"""
    metadata: dict[str, str] = field(default_factory=dict)
    cover: bool = False
    chapters: bool = False
    second_video: bool = False
    subtitles: str | None = None
    container_options: dict[str, str] = field(default_factory=dict)
    container_format: str | None = None
    layout: str = "stereo"
    draws: Callable[..., av.VideoFrame] | None = None
    """number, width, height, pixel format to a picture; None: `picture`"""


def picture(number: int, width: int, height: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """A smooth background with a block that moves, different in every frame."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([(x * 2 + number * 3) % 256, (y * 3 + number) % 256, np.full_like(x, (number * 9) % 256)], axis=-1).astype(np.uint8)
    left = (number * 4) % max(1, width - 16)
    rgb[8:24, left : left + 16] = (250, 30, 60)
    return av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=pixel_format)


def textured(number: int, width: int, height: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """Coarse and fine grain that moves, with noise of its own in every frame: what cameras see, and what encoders find hard."""
    grain = np.random.default_rng(0).normal(0, 1, (2, height * 2, width * 2)).astype(np.float32)
    fine, coarse = cv2.GaussianBlur(grain[0], (0, 0), 1.2) * 60, cv2.GaussianBlur(grain[1], (0, 0), 12) * 400
    part = (slice(number * 2, number * 2 + height), slice(number * 3, number * 3 + width))
    noise = np.random.default_rng(number + 1).normal(0, 2, (height, width))
    grey = np.clip(120 + (fine + coarse)[part] + noise, 0, 255).astype(np.uint8)
    rgb = np.stack([grey, (grey * 0.8 + 20).astype(np.uint8), 255 - grey], axis=-1)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24").reformat(format=pixel_format)


def draw(folder: Path, clip: Clip) -> Path:
    """The clip as a file in the folder."""
    path = folder / clip.name
    with av.open(str(path), "w", format=clip.container_format, container_options=clip.container_options) as container:
        container.metadata.update(clip.metadata)
        video = _video(container, clip)
        second = _video(container, clip) if clip.second_video else None
        tracks = [_audio(container, clip) for _ in range(clip.audio_tracks if clip.audio else 0)]
        cover = _cover(container) if clip.cover else None
        if clip.chapters:
            container.set_chapters([{"id": 1, "start": 0, "end": 500, "time_base": Fraction(1, 1000), "metadata": {"title": "At home"}}])
        container.start_encoding()
        if cover is not None:
            container.mux(_still(cover))
        _fill(container, clip, [video, *([second] if second else [])], tracks)
    return path


def _video(container, clip):
    stream = container.add_stream(clip.codec, rate=clip.rate, options=dict(clip.options))
    stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, clip.pixel_format
    context = stream.codec_context
    context.time_base = clip.time_base or 1 / clip.rate
    stream.time_base = context.time_base
    if clip.sample_aspect:
        context.sample_aspect_ratio = clip.sample_aspect
    if clip.colours:
        context.color_range, context.color_primaries, context.color_trc, context.colorspace = clip.colours
    if clip.rotation_degrees or clip.hflip or clip.vflip:
        stream.set_display_rotation(clip.rotation_degrees, clip.hflip, clip.vflip)
    return stream


def _audio(container, clip):
    stream = container.add_stream(clip.audio, rate=48000)
    stream.codec_context.layout = clip.layout
    stream.metadata["language"] = "nor"
    return stream


def _cover(container):
    stream = container.add_stream("mjpeg", rate=1)
    stream.width, stream.height, stream.pix_fmt = 32, 32, "yuvj420p"
    stream.disposition = av.stream.Disposition.attached_pic
    return stream


def _still(stream):
    frame = picture(0, 32, 32, "yuvj420p")
    frame.pts = 0
    return [*stream.encode(frame), *stream.encode(None)]


def _fill(container, clip, videos, tracks):
    time_base = clip.time_base or 1 / clip.rate
    step = 1 / (clip.rate * time_base)
    times = clip.pts or [round(number * step) for number in range(clip.num_frames)]
    samples_done = 0
    for number, pts in enumerate(times):
        for video in videos:
            frame = (clip.draws or picture)(number, clip.width, clip.height, clip.pixel_format)
            frame.pts, frame.time_base = pts, time_base
            container.mux(video.encode(frame))
        until = int((pts - times[0] + step) * time_base * 48000)
        while tracks and samples_done < until:
            for track in tracks:
                container.mux(track.encode(tone(samples_done, layout=clip.layout)))
            samples_done += 1024
    for stream in (*videos, *tracks):
        container.mux(stream.encode(None))


def tone(start: int, num_samples: int = 1024, layout: str = "stereo") -> av.AudioFrame:
    """A quiet tone of 440 Hz, the same in all channels."""
    wave = (np.sin(np.arange(start, start + num_samples) * 2 * np.pi * 440 / 48000) * 0.2).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave] * av.AudioLayout(layout).nb_channels), format="fltp", layout=layout)
    frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
    return frame


def with_titles(path: Path, target: Path) -> Path:
    """The same film, its first picture and sound, with subtitles behind them."""
    words = target.with_suffix(".srt")
    words.write_text("1\n00:00:00,100 --> 00:00:00,500\nGod dag\n\n")
    with av.open(str(path)) as film, av.open(str(words)) as titles, av.open(str(target), "w") as container:
        sources = [film.streams.video[0], film.streams.audio[0], titles.streams.subtitles[0]]
        copies = {id(one): container.add_stream_from_template(one, opaque=True) for one in sources}
        for one in sources:
            for packet in one.container.demux(one):
                if packet.size:
                    packet.stream = copies[id(one)]
                    container.mux(packet)
            if one.container is film:
                film.seek(0)
    return target


def packets(path: Path, kind: str = "video") -> list[tuple[float, bytes]]:
    """Time in seconds and payload of each packet of the first stream of a kind, those for the decoder's start included."""
    with av.open(str(path)) as container:
        stream = next(one for one in container.streams if one.type == kind)
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in container.demux(stream) if packet.size]


def decoded(path: Path) -> list[av.VideoFrame]:
    """All frames, read plainly from the start."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))
