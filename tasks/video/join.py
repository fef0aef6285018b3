"""One file of encoded stretches, with the source's sound and subtitles, packet by packet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from heapq import merge
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.errors import BadOutput
from tasks.video.avi import counted
from tasks.video.files import File, WritableFile
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.metadata import MetadataKey, put_metadata
from tasks.video.muxer import open_target
from tasks.video.opening import open_source
from tasks.video.rest import Copied, add_copies, copied_packets, on_time, refused
from tasks.video.segments import Fitting, Piece, check_copied, first_of, pictures_of, pieces_of, times_of, told_by
from tasks.video.splicing import Splice
from tasks.video.tags import put_tags

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".ts": "mpegts", ".nut": "nut", ".avi": "avi"}
_LARGEST_TIMESCALE = 2**31 - 1
_LATEST_START_SECONDS = 10


def join_segments(
    encoded: Sequence[Piece],
    source: File | None,
    info: VideoInfo,
    index: FrameIndex,
    target: Path | WritableFile,
    *,
    begins: int | None = None,
    keep: Iterable[MetadataKey] = (),
) -> None:
    """Write `target`: encoded pictures at the source's times, the source's own packets where there are none, its sound and subtitles.

    What was not encoded must be whole groups of the index. Nothing else of the source comes through, but the timecode of the first frame
    and the metadata that `keep` names. Where its times are negative, all streams start later by the same time, and earlier where
    its clock was far on when it began. Where the index is of a
    part of the source, `begins` is when its first picture is shown in the target, in units of the source's time base: all streams are
    moved by the same time, and packets of sound and subtitles come through that begin within the part. A source without a file (a folder
    of pictures) has no sound. Raises BadOutput where the container that the target's name asks for cannot hold a stream, NoSpace where the
    disk is full, ValueError where the pieces do not fit the index.
    """
    container_format = container_format_of(target)
    copied = copied_of(source, info, index, container_format, begins)
    shift = round(copied.shift_seconds / info.time_base)
    if container_format == "avi":
        info, index = counted(info, index)
        shift = 0
    pieces = pieces_of(encoded, index)
    times = times_of(pieces, source, info, index)
    check_copied(pieces, source, info, index)
    with _opened(source) as rest, open_target(target, container_format, clock_options(container_format, info)) as output:
        told = told_by(encoded)
        with first_of(encoded) as segment:
            template = segment.streams.video[0] if segment else _picture_of(rest, info)
            picture = _add_picture(output.container, template, info, target)
        fitted: Fitting = _as_it_is
        if any(piece.path is None for piece in pieces):
            splice = Splice(_picture_of(rest, info), told, info)
            picture.codec_context.extradata = splice.record
            fitted = splice.fitted
        copies = add_copies(output.container, rest, info.copied_streams, target) if rest else {}
        if rest:
            put_metadata(output.container, rest, copies, keep)
        if info.timecode:
            # FFmpeg makes a track of it in mp4 and mov, and a tag in Matroska.
            picture.metadata["timecode"] = info.timecode
        pictures = pictures_of(pieces, source, info, index, times + shift, picture, fitted)
        others = copied_packets(rest, copies, copied, source) if rest and source else iter(())
        if container_format == "avi":
            others = on_time(others, target)
        output.mux(merge(pictures, others, key=_decoding_seconds))


def copied_of(source: File | None, info: VideoInfo, index: FrameIndex, container_format: str, begins: int | None) -> Copied:
    """Which packets of sound and subtitles come through, and when; as for `join_segments`."""
    first = _start(source, info, index, container_format) if begins is None else begins
    first_seconds = int(index.pts[0]) * info.time_base
    shift_seconds = -first_seconds if container_format == "avi" else (max(0, first) - int(index.pts[0])) * info.time_base
    end_seconds = first_seconds + Fraction(info.duration_seconds).limit_denominator(10**9)
    return Copied(shift_seconds, None if begins is None else first_seconds, end_seconds, info.jumps)


def _start(source: File | None, info: VideoInfo, index: FrameIndex, container_format: str) -> int:
    """When the first picture is shown in the target: as in the source, unless its clock was far on already when it began.

    A recording of a broadcast begins hours into its clock, where a player of anything but a transport stream would wait for it as long.
    """
    first = int(index.pts[0])
    if source is None or container_format == "mpegts" or first * info.time_base <= _LATEST_START_SECONDS:
        return first
    with open_source(source) as container:
        begins = Fraction(container.start_time or 0, av.time_base)
    return first - min(first, math.floor(begins / info.time_base))


def container_format_of(target: Path | WritableFile) -> str:
    """FFmpeg's name of the container that a file's ending asks for. Raises BadOutput for an ending that is not known."""
    container_format = FORMATS.get(target.suffix.lower())
    if container_format is None:
        raise BadOutput(target, "is not named as a kind of video that is written", fix=f"end it in {', '.join(FORMATS)}")
    return container_format


def clock_options(container_format: str, info: VideoInfo) -> dict[str, str]:
    """Options that keep the source's clock: its unit for the pictures, and one in which the starts of all streams can be told."""
    if container_format not in ("mp4", "mov"):
        return {"mpegts": {"mpegts_copyts": "1"}, "nut": {}}.get(container_format, {"avoid_negative_ts": "disabled"})
    ticks = info.time_base.denominator
    common = math.lcm(ticks, *(audio.sample_rate for audio in info.audio))
    return {"video_track_timescale": str(ticks), "movie_timescale": str(common if common <= _LARGEST_TIMESCALE else ticks)}


def _add_picture(container: OutputContainer, template: VideoStream, info: VideoInfo, target: object) -> VideoStream:
    try:
        stream = container.add_stream_from_template(template, opaque=True)
    except ValueError as error:
        raise refused(target, container, "video", template.codec.canonical_name) from error
    # ProRes has its profile nowhere else.
    template_tag = template.codec_context.codec_tag if template.codec.canonical_name == "prores" else None
    put_tags(stream.codec_context, info)
    stream.time_base = info.time_base
    stream.set_display_matrix(info.display_matrix)
    if stream.codec_context.codec.canonical_name == "hevc" and container.format.name in ("mp4", "mov"):
        # All parameter sets are in the header, and Apple's players take no other tag.
        stream.codec_context.codec_tag = "hvc1"
    if template_tag:
        stream.codec_context.codec_tag = template_tag
    return stream


def _picture_of(container: InputContainer | None, info: VideoInfo) -> VideoStream:
    assert container is not None
    stream = container.streams[info.stream_index]
    assert isinstance(stream, VideoStream)
    return stream


def _as_it_is(packet: Packet[Any], _: bool) -> Packet[Any]:
    return packet


@contextmanager
def _opened(source: File | None) -> Iterator[InputContainer | None]:
    if source is None:
        yield None
        return
    with open_source(source, guess_pts=True) as container:
        yield container


def _decoding_seconds(packet: Packet[Any]) -> Fraction:
    return Fraction(packet.dts or 0) * packet.time_base
