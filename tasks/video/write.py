"""Encoding a stretch of video: as the source is in everything but what was changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from tasks.video.encoders import Encoder, EncoderSettings, Encoding, choose_encoding
from tasks.video.info import VideoInfo
from tasks.video.muxer import open_target
from tasks.video.planes import as_planar, in_colour
from tasks.video.tags import put_tags

_FULL = 2
_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_FIELDS_FIRST = {"top_first": "tff=1", "bottom_first": "bff=1"}
_PRORES_PROFILES = {"Proxy": "proxy", "LT": "lt", "Standard": "standard", "HQ": "hq", "4444": "4444", "XQ": "4444xq"}
# A source of one of these is meant for players that take no more.
_X264_PROFILES = {"Baseline": "baseline", "Constrained Baseline": "baseline", "Main": "main"}


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
    encoding = choose_encoding(info, settings)
    is_prores = encoding.encoder == "prores_ks"
    clock = {"video_track_timescale": str(info.time_base.denominator)} if is_prores else {}
    with open_target(target, "mov" if is_prores else "nut", clock) as output:
        stream: VideoStream | None = None
        for frame in frames:
            if frame.pts is None:
                raise ValueError(f"frame {num_frames} of the segment has no pts")
            picture = _as_written(frame, encoding)
            if stream is None:
                stream = _add_stream(output.container, picture, info, encoding)
                if not reorder:
                    stream.codec_context.max_b_frames = 0
                shift = max(0, -frame.pts)
            # The decoder's picture types would be taken for wishes.
            picture.pict_type = 0
            picture.pts = frame.pts + shift
            output.mux(_in_time(stream.encode(picture)))
            num_frames += 1
        if stream is not None:
            output.mux(_in_time(stream.encode(None)))
    return num_frames


def _in_time(packets: Iterable[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Packets that are decoded no later than they are shown.

    x265, on a busy machine, at times says otherwise of a stretch that is shorter than its delay. `join_segments` counts these times anew.
    """
    for packet in packets:
        if packet.dts is not None and packet.pts is not None and packet.dts > packet.pts:
            packet.dts = packet.pts
        yield packet


def encoder_of(info: VideoInfo, settings: EncoderSettings) -> Encoder:
    """The encoder that is used for a source."""
    return choose_encoding(info, settings).encoder


def _as_written(frame: av.VideoFrame, encoding: Encoding) -> av.VideoFrame:
    """The picture in the encoder's pixel format. Samples are moved, not rescaled, where both formats are of a kind."""
    picture = as_planar(frame)
    wanted = encoding.pixel_format
    if picture.format.name.startswith("gray") and not wanted.startswith("gray"):
        picture = in_colour(picture)
    if picture.format.name == wanted:
        return picture
    if encoding.encoder == "prores_ks" and picture.color_range == _FULL:
        return picture.reformat(format=wanted, src_color_range="JPEG", dst_color_range="MPEG")
    if picture.format.is_rgb == VideoFormat(wanted, 8, 8).is_rgb:
        colour_range = _FULL if picture.format.is_rgb else picture.color_range
        return picture.reformat(format=wanted, src_color_range=colour_range or None, dst_color_range=colour_range or None)
    # As `put_tags` says it.
    return picture.reformat(format=wanted, dst_colorspace="ITU709", dst_color_range="MPEG")


def _add_stream(container: av.container.OutputContainer, picture: av.VideoFrame, info: VideoInfo, encoding: Encoding) -> VideoStream:
    # It has no option to be silent, and would write to standard error.
    os.environ.setdefault("SVT_LOG", "1")
    stream = container.add_stream(encoding.encoder, rate=info.frame_rate, options=encoder_options(encoding, info))
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = picture.width, picture.height
    stream.pix_fmt = encoding.pixel_format
    stream.time_base = info.time_base
    context = stream.codec_context
    context.time_base = info.time_base
    put_tags(context, info)
    context.thread_count = encoding.threads
    return stream


def encoder_options(encoding: Encoding, info: VideoInfo) -> dict[str, str]:
    """Options of one encoder for the same wish, none of which leaves anything to the number of cores."""
    crf, threads = encoding.crf, encoding.threads
    effort = _PRESETS.index(encoding.preset)
    match encoding.encoder:
        case "libx264":
            params = ["cpu-independent=1", "open-gop=0", *_light(info, "mastering-display", "cll")]
            params += [_FIELDS_FIRST[info.field_order]] if encoding.interlaced else []
            options = {"preset": encoding.preset, "crf": str(crf), "x264-params": ":".join(params)} | _x264_profile(encoding, info)
        case "libx265":
            params = [f"pools={threads}", "frame-threads=2", "lookahead-slices=0", "open-gop=0", "log-level=none"]
            params += [*_light(info, "master-display", "max-cll"), *(["lossless=1"] if crf == 0 else [])]
            options = {"preset": encoding.preset, "crf": str(crf), "x265-params": ":".join(params)}
        case "libvpx-vp9":
            # Its scale ends at 63, and alternate reference frames are packed with the frame that shows them.
            speed = {"deadline": "good", "cpu-used": str(max(0, 6 - effort)), "row-mt": "0", "tile-columns": "2"}
            options = {"crf": str(round(crf * 63 / 51)), "b": "0", "lossless": str(int(crf == 0)), **speed}
        case "libsvtav1":
            params = [f"lp={min(threads, 6)}", *_light(info, "mastering-display", "content-light", decimals=True)]
            options = {"preset": str(10 - effort), "crf": str(max(1, round(crf * 63 / 51))), "svtav1-params": ":".join(params)}
        case "prores_ks":
            options = {"profile": _prores_profile(encoding, info), "vendor": "apl0"}
        case "ffv1":
            options = {"level": "3", "slicecrc": "1", "g": "1"}
        case "h264_nvenc" | "hevc_nvenc" | "av1_nvenc":
            # Constant quality without a cap; 0 is a mode of its own.
            quality = {"tune": "lossless"} if crf == 0 else {"rc": "vbr", "cq": str(crf), "b": "0"}
            options = {"preset": f"p{1 + effort * 6 // 8}", "forced-idr": "1", **quality}
    return options | ({"flags": "+ildct+ilme"} if encoding.interlaced else {})


def _light(info: VideoInfo, screen: str, light: str, *, decimals: bool = False) -> list[str]:
    """HDR side data as parameters of these names."""
    display = info.mastering_display
    said = [f"{screen}={display.as_decimals() if decimals else display.as_integers()}"] if display else []
    return [*said, f"{light}={info.content_light}"] if info.content_light else said


def _x264_profile(encoding: Encoding, info: VideoInfo) -> dict[str, str]:
    profile = _X264_PROFILES.get(info.profile or "") if info.codec == "h264" else None
    # Lossless is a profile of its own, and so is all but 8-bit 4:2:0; Baseline has no fields.
    plain = encoding.crf > 0 and encoding.pixel_format in ("yuv420p", "yuvj420p") and not encoding.interlaced
    return {"profile": profile} if profile and plain else {}


def _prores_profile(encoding: Encoding, info: VideoInfo) -> str:
    profile = _PRORES_PROFILES.get(info.profile or "", "auto") if info.codec == "prores" else "hq"
    fits = profile.startswith("4444") == encoding.pixel_format.startswith("yuv444")
    return profile if fits else "auto"
