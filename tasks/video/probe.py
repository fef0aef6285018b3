"""What a video file holds, found in one pass over its packets; broken files are found out here, not halfway through a job."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from tasks.errors import BadSetting, BadVideo
from tasks.video.boxes import check_counts
from tasks.video.clock import ClockJump
from tasks.video.contents import audio_of, dropped_of, lost_of, repeats_fields, subtitles_of, timecode_of
from tasks.video.decoding import decodable, readable
from tasks.video.files import File, num_bytes_of, sha256_of
from tasks.video.hdr import content_light_of, mastering_display_of
from tasks.video.info import ColourRange, FieldOrder, FrameIndex, VideoInfo
from tasks.video.opening import check_file, open_source, picture_stream, skip_other_streams
from tasks.video.quality import LOSSLESS_CODECS, source_quantiser
from tasks.video.scan import HIGHEST_RATE, PATIENCE_PACKETS, RAW, Scan, rate_of, said_rate, scan_frames, scan_packets
from tasks.video.upright import is_mirrored, rotation_of
from tasks.video.whole import DAMAGED, missing_of

# Their frames build on all frames before them, or have packets that show nothing: only decoding tells what is shown.
_FINEST_RATE = 1 << 20  # denominator that encoders can still be told
_ONLY_DECODING_TELLS = {"gif", "apng", "vp8"}
_RANGES: dict[int, ColourRange] = {1: "limited", 2: "full"}


def check_opens(path: File) -> None:
    """Reads the first frame, and no more: raises BadVideo at once for most of what is no video."""
    _check_counts(path)
    with open_source(path) as container:
        stream = picture_stream(container, path)
        packets = islice(readable(container.demux(stream), path), PATIENCE_PACKETS)
        frames = (frame for packet in packets for frame in decodable(stream, packet))
        if next(frames, None) is None:
            raise BadVideo(path, f"not one of its first frames can be decoded ({stream.codec.canonical_name})", fix=DAMAGED)


def probe_file(path: File, content_hash: str | None = None, frame_rate: Fraction | None = None) -> tuple[VideoInfo, FrameIndex]:
    """What the file holds, and its frames; raises BadVideo where it is no video that can be decoded, or most of it is missing.

    `content_hash` is the file's SHA-256 where it is known already: computing it reads the whole file once more. `frame_rate` is that of
    bare pictures, whatever they say themselves; BadSetting is raised for a file that says when each is shown.
    """
    _check_counts(path)
    with open_source(path) as container:
        stream = picture_stream(container, path)
        if frame_rate and container.format.name not in RAW:
            raise BadSetting(path, "says itself when its pictures are shown", fix="leave out --frame-rate (images.frame_rate)")
        if "mp4" in container.format.name:
            # Elsewhere, the times of all streams tell whether the file is whole.
            skip_other_streams(container, stream)
        scan = scan_packets(container, stream, path)
        cut_off = missing_of(scan, container, stream, path)
        seekable = scan.codec not in _ONLY_DECODING_TELLS and scan.has_unique_pts and not frame_rate
    if not seekable:
        with open_source(path, guess_pts=True) as container:
            scan_frames(container, picture_stream(container, path), scan, path, frame_rate)
    index = scan.index()
    if scan.first_frame is None or len(index) == 0:
        raise BadVideo(path, "has no frames", fix=DAMAGED)
    with open_source(path) as container:
        stream = picture_stream(container, path)
        repeats = repeats_fields(readable(container.demux(stream), path), stream)
    with open_source(path) as container:
        info = _describe(path, container, scan, content_hash, frame_rate, seekable=seekable)
    if cut_off:
        cut_off = f"{cut_off} ({info.duration_seconds:.2f} s)"
        info = info.model_copy(update={"cut_off": cut_off, "warnings": (cut_off, *info.warnings)})
    if repeats:
        info = info.model_copy(update={"dropped": (*info.dropped, "marks that repeat fields (soft telecine); each frame's time is kept")})
    return info, index


def _check_counts(path: File) -> None:
    if isinstance(path, Path):
        check_file(path)
    check_counts(path)


def _describe(
    path: File, container: InputContainer, scan: Scan, content_hash: str | None, given_rate: Fraction | None, *, seekable: bool
) -> VideoInfo:
    frame = scan.first_frame
    assert frame is not None
    pts = scan.index().pts
    duration_seconds = (int(pts[-1]) + max(scan.last_duration, 1) - int(pts[0])) * scan.time_base
    matrix = _display_matrix(frame)
    stream = picture_stream(container, path)
    context = stream.codec_context
    side_data = {one.type.name: bytes(one) for one in cast(Any, frame.side_data)}
    quantiser = source_quantiser(container, stream, path)
    return VideoInfo(
        content_hash=content_hash or sha256_of(path),
        num_bytes=num_bytes_of(path),
        container=container.format.name,
        stream_index=stream.index,
        codec=scan.codec,
        profile=context.profile,
        pixel_format=frame.format.name,
        width=frame.width,
        height=frame.height,
        frame_rate=given_rate or rate_of(stream) or min(len(pts) / duration_seconds, HIGHEST_RATE).limit_denominator(_FINEST_RATE),
        time_base=scan.time_base,
        num_frames=len(pts),
        duration_seconds=float(duration_seconds),
        rotation_degrees=rotation_of(matrix),
        mirrored=is_mirrored(matrix),
        display_matrix=matrix,
        sample_aspect=stream.sample_aspect_ratio or Fraction(1),
        field_order=_field_order(frame, context.field_order),
        mastering_display=mastering_display_of(side_data),
        content_light=content_light_of(side_data),
        closed_captions="A53_CC" in side_data,
        stereoscopic="STEREO3D" in side_data,
        timecode=timecode_of(container, stream),
        lossless=scan.codec in LOSSLESS_CODECS or (quantiser == 0 and str(context.profile).startswith("High 4:4:4")),
        quantiser=quantiser,
        bits_per_pixel=8 * scan.num_bytes / (max(1, scan.num_packets) * frame.width * frame.height),
        colour_range=_RANGES.get(frame.color_range or context.color_range, "unspecified"),
        colour_primaries=_said(frame.color_primaries, context.color_primaries),
        colour_transfer=_said(frame.color_trc, context.color_trc),
        colour_matrix=_said(frame.colorspace, context.colorspace),
        reorder_frames=scan.reorder_frames,
        seekable=seekable,
        jumps=scan.jumps,
        warnings=(*_said_of_rate(stream, given_rate), *map(_said_of, scan.jumps), *_said_of_sound(scan)),
        audio=audio_of(container),
        subtitles=subtitles_of(container),
        lost=lost_of(container, stream),
        dropped=dropped_of(container, stream, scan),
    )


def _field_order(frame: av.VideoFrame, by_stream: int) -> FieldOrder:
    """FFmpeg numbers the orders: 2 and 4 show the top field first, 3 and 5 the bottom one; 0 and 1 are unknown and progressive."""
    if by_stream in (3, 5):
        return "bottom_first"
    return "top_first" if by_stream in (2, 4) or frame.interlaced_frame else "progressive"


def _said_of_rate(stream: VideoStream, given_rate: Fraction | None) -> list[str]:
    if given_rate or stream.container.format.name not in RAW or said_rate(stream):
        return []
    return [f"the stream does not say how fast its pictures come: {rate_of(stream)} a second were assumed (--frame-rate N says otherwise)"]


def _said_of_sound(scan: Scan) -> list[str]:
    return [
        f"the sound of stream {number} goes back in time, first at {float(times.first_over):.2f} s: "
        f"{times.num_over} packets whose time was over are left out"
        for number, times in sorted(scan.sound.items())
        if times.num_over
    ]


def _said_of(jump: ClockJump) -> str:
    how = "back" if jump.moved_seconds > 0 else "forward"
    return f"the source's clock jumps {how} at frame {jump.frame} ({float(jump.seconds):.2f} s): what follows goes on from there"


def _said(by_frame: int, by_stream: int) -> int:
    # 2 is "unspecified": the container may know what the frames do not say.
    return int(by_frame) if by_frame != 2 else int(by_stream)


def _display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    # PyAV's annotations take this container for a plain dict.
    found = [bytes(one) for one in cast(Any, frame.side_data) if one.type.name == "DISPLAYMATRIX"]
    return tuple(np.frombuffer(found[0], "<i4").tolist()) if found else None
