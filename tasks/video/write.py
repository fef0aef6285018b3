"""Encoding a stretch of video: as the source is in everything but what was changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import av
from av.codec import Codec
from av.codec.codec import find_best_pix_fmt_of_list
from av.video.stream import VideoStream
from pydantic import Field

from tasks.method import Settings
from tasks.video.info import VideoInfo
from tasks.video.planes import as_planar, planar_format
from tasks.video.tags import put_tags
from tasks.video.target import open_target

Encoder = Literal["libx264", "libx265", "libvpx-vp9", "libsvtav1", "prores_ks", "ffv1"]
Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]

# Anything else becomes H.264, which plays everywhere.
_SAME_FAMILY: dict[str, Encoder] = {
    "hevc": "libx265",
    "vp8": "libvpx-vp9",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
    "prores": "prores_ks",
    "ffv1": "ffv1",
}
_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")


class EncoderSettings(Settings):
    """How the picture is encoded again."""

    codec: Literal["auto"] | Encoder = "auto"
    """auto takes the source's family: H.264, HEVC, VP9, AV1, ProRes or FFV1; H.264 for anything else"""
    preset: Preset = "veryfast"
    """how much time is spent on a smaller file; ProRes and FFV1 have no use for it"""
    crf: int = Field(18, ge=0, le=51)
    """quality on x264's scale: 0 is lossless or close to it, 18 hard to tell from the source, 51 the worst; other encoders get its equal"""
    threads: int = Field(4, ge=1, le=64)
    """part of the result: the bytes depend on it, so that they do not depend on the machine"""


def encode_segment(
    frames: Iterable[av.VideoFrame], info: VideoInfo, settings: EncoderSettings, target: Path, *, reorder: bool = True
) -> int:
    """Encode frames into a file of their own, to be joined later, and say how many there were.

    The file is NUT, whose clock is as fine as wanted (ProRes, which it does not know, goes into mov); it starts with a key frame and refers
    to nothing outside. Times that are negative start at zero in it: `join_segments` puts them back. Without `reorder`, frames are
    stored in the order in which they are shown. Raises BadOutput or NoSpace where it
    cannot be written, ValueError where a frame has no time.
    """
    num_frames = 0
    shift = 0
    is_prores = encoder_of(info, settings) == "prores_ks"
    clock = {"video_track_timescale": str(info.time_base.denominator)} if is_prores else {}
    with open_target(target, "mov" if is_prores else "nut", clock) as output:
        stream: VideoStream | None = None
        for frame in frames:
            if frame.pts is None:
                raise ValueError(f"frame {num_frames} of the segment has no pts")
            picture = as_planar(frame)
            if stream is None:
                stream = _add_stream(output.container, picture, info, settings)
                if not reorder:
                    stream.codec_context.max_b_frames = 0
                shift = max(0, -frame.pts)
            # The decoder's picture types would be taken for wishes.
            picture.pict_type = 0
            picture.pts = frame.pts + shift
            output.mux(stream.encode(picture))
            num_frames += 1
        if stream is not None:
            output.mux(stream.encode(None))
    return num_frames


def encoder_of(info: VideoInfo, settings: EncoderSettings) -> Encoder:
    """The encoder that is used for a source."""
    return _SAME_FAMILY.get(info.codec, "libx264") if settings.codec == "auto" else settings.codec


def _add_stream(container: av.container.OutputContainer, picture: av.VideoFrame, info: VideoInfo, settings: EncoderSettings) -> VideoStream:
    name = encoder_of(info, settings)
    # It has no option to be silent, and would write to standard error.
    os.environ.setdefault("SVT_LOG", "1")
    stream = container.add_stream(name, rate=info.frame_rate, options=_options(name, settings))
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = picture.width, picture.height
    stream.pix_fmt = _pixel_format(name, picture.format.name)
    stream.time_base = info.time_base
    context = stream.codec_context
    context.time_base = info.time_base
    put_tags(context, info)
    context.thread_count = settings.threads
    return stream


def _pixel_format(encoder: str, picture_format: str) -> str:
    """The source's own format where the encoder knows it, otherwise the nearest that loses least."""
    wanted = planar_format(picture_format)
    known = [one.name for one in Codec(encoder, "w").video_formats or []]
    for name in (wanted, wanted.replace("yuvj", "yuv")):
        if name in known:
            return name
    best, _ = find_best_pix_fmt_of_list(known, wanted)
    return best.name if best is not None else "yuv420p"


def _options(encoder: Encoder, settings: EncoderSettings) -> dict[str, str]:
    """Options of one encoder for the same wish, none of which leaves anything to the number of cores."""
    crf, preset, threads = settings.crf, settings.preset, settings.threads
    effort = _PRESETS.index(preset)
    match encoder:
        case "libx264":
            return {"preset": preset, "crf": str(crf), "x264-params": "cpu-independent=1:open-gop=0"}
        case "libx265":
            fixed = f"pools={threads}:frame-threads=2:lookahead-slices=0:open-gop=0:log-level=none"
            lossless = ":lossless=1" if crf == 0 else ""
            return {"preset": preset, "crf": str(crf), "x265-params": fixed + lossless}
        case "libvpx-vp9":
            # Its scale ends at 63, and alternate reference frames are packed with the frame that shows them.
            speed = {"deadline": "good", "cpu-used": str(max(0, 6 - effort)), "row-mt": "0", "tile-columns": "2"}
            return {"crf": str(round(crf * 63 / 51)), "b": "0", "lossless": str(int(crf == 0)), **speed}
        case "libsvtav1":
            return {"preset": str(12 - effort), "crf": str(max(1, round(crf * 63 / 51))), "svtav1-params": f"lp={min(threads, 6)}"}
        case "prores_ks":
            return {"profile": "auto", "vendor": "apl0"}
        case "ffv1":
            return {"level": "3", "slices": "4", "slicecrc": "1", "g": "1"}
