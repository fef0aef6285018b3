"""What besides the picture is in a source: what comes through, and what does not."""

from __future__ import annotations

import re

from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from tasks.video.info import AudioInfo, SubtitleInfo
from tasks.video.opening import is_attached_picture
from tasks.video.scan import Scan

# Written by muxers into every file, about the file and not about what it shows.
_BOILERPLATE = re.compile(
    r"major_brand|minor_version|compatible_brands|encoder|handler_name|vendor_id|language|duration(-\w+)?|rotate"
    r"|(bps|number_of_\w+|_statistics_\w+)(-\w+)?|variant_bitrate|metadatacreator|hasvideo|hasaudio",
    re.IGNORECASE,
)


def audio_of(container: InputContainer) -> tuple[AudioInfo, ...]:
    """The sound tracks that are copied."""
    return tuple(
        AudioInfo(
            index=stream.index,
            codec=stream.codec.canonical_name,
            channels=stream.codec_context.channels,
            sample_rate=stream.codec_context.sample_rate,
            language=stream.language,
        )
        for stream in container.streams.audio
        if stream.codec_context is not None
    )


def subtitles_of(container: InputContainer) -> tuple[SubtitleInfo, ...]:
    """The subtitle tracks that are copied."""
    return tuple(
        SubtitleInfo(index=stream.index, codec=stream.codec.canonical_name, language=stream.language)
        for stream in container.streams.subtitles
        if stream.codec_context is not None
    )


def dropped_of(container: InputContainer, picture: VideoStream, scan: Scan) -> tuple[str, ...]:
    """A line for each thing that will not come through; names only, for a value may be what must not be seen."""
    kept = {picture.index, *(one.index for one in audio_of(container)), *(one.index for one in subtitles_of(container))}
    lines = [_line_of(stream) for stream in container.streams if stream.index not in kept]
    lines += ["chapters"] if container.chapters() else []
    lines += [f"metadata: {key}" for key in container.metadata if not _BOILERPLATE.fullmatch(key)]
    for stream in container.streams:
        if stream.index in kept:
            lines += [f"metadata of stream {stream.index}: {key}" for key in stream.metadata if not _BOILERPLATE.fullmatch(key)]
    lines += [f"{scan.num_hidden} frames that an edit list hides"] if scan.num_hidden else []
    lines += [f"{scan.num_undecodable} frames before the first that can be decoded"] if scan.num_undecodable else []
    return tuple(lines)


def _line_of(stream: Stream) -> str:
    kind = "attached picture" if is_attached_picture(stream) else {"video": "second video"}.get(stream.type, stream.type)
    # A timecode track and the like have no codec, only a name.
    codec = stream.codec_context.codec.canonical_name if stream.codec_context is not None else getattr(stream, "name", None)
    return f"{kind} stream {stream.index}" + (f" ({codec})" if codec and stream.type != "attachment" else "")
