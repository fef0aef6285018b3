"""What besides the picture is in a source: what comes through, and what does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, cast

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tasks.video.info import AudioInfo, LostTrack, SubtitleInfo
from tasks.video.messages import UNREGISTERED, is_understood
from tasks.video.opening import is_attached_picture
from tasks.video.scan import Scan
from tasks.video.timecode import is_timecode

# Written by muxers into every file, about the file and not about what it shows.
_BOILERPLATE = re.compile(
    r"major_brand|minor_version|compatible_brands|encoder|handler_name|vendor_id|language|duration(-\w+)?|rotate|timecode"
    r"|(bps|number_of_\w+|_statistics_\w+)(-\w+)?|variant_bitrate|metadatacreator|hasvideo|hasaudio|alpha_mode",
    re.IGNORECASE,
)
_BESIDE_THE_PICTURE = {
    "DYNAMIC_HDR_PLUS": "HDR10+ (light levels scene by scene)",
    "DOVI_RPU_BUFFER": "Dolby Vision's second layer",
    "DOVI_METADATA": "Dolby Vision's second layer",
    "DYNAMIC_HDR_VIVID": "HDR Vivid (light levels scene by scene)",
    "ICC_PROFILE": "an ICC profile",
    "SPHERICAL": "that the picture is a sphere (360 degrees)",
    "SEI_UNREGISTERED": "an encoder's or camera's own data inside the picture's stream",
    "AFD": "which part of the picture matters (AFD)",
    "AMBIENT_VIEWING_ENVIRONMENT": "the light of the room that the film was graded in",
}
_REPEATED_FIELDS_LOOKED_FOR = 60  # packets; a telecine repeats a field in every fifth


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


def lost_of(container: InputContainer, picture: VideoStream) -> tuple[LostTrack, ...]:
    """The tracks that play and are not copied: further cameras, and what there is no decoder for."""
    shown = [each for each in container.streams.video if each.index != picture.index and not is_attached_picture(each)]
    heard = [each for each in container.streams.audio if each.codec_context is None]
    read = [each for each in container.streams.subtitles if each.codec_context is None]
    kinds: tuple[tuple[Any, str, Sequence[Stream]], ...] = (
        ("video", "a second camera track", shown),
        ("audio", "sound of a kind that is not known", heard),
        ("subtitles", "subtitles of a kind that is not known", read),
    )
    return tuple(
        LostTrack(index=each.index, kind=kind, what=f"{what} ({_numbered(each)})") for kind, what, tracks in kinds for each in tracks
    )


def timecode_of(container: InputContainer, picture: VideoStream) -> str | None:
    """The timecode of the first frame: the picture's own, its file's, or that of a track for it."""
    streams = [picture, *(stream for stream in container.streams if stream.type == "data")]
    for metadata in [*(stream.metadata for stream in streams), container.metadata]:
        found = {key.lower(): value for key, value in metadata.items()}.get("timecode")
        if found and is_timecode(found):
            return found
    return None


def repeats_fields(packets: Iterable[Packet[VideoStream]], picture: VideoStream) -> bool:
    """Whether an MPEG-2 stream asks the player to show fields a second time (a soft telecine)."""
    return picture.codec.canonical_name == "mpeg2video" and any(
        _repeats_a_field(bytes(packet)) for packet in islice(packets, _REPEATED_FIELDS_LOOKED_FOR)
    )


def dropped_of(container: InputContainer, picture: VideoStream, scan: Scan) -> tuple[str, ...]:
    """A line for each thing that will not come through; names only, for a value may be what must not be seen."""
    kept = {picture.index, *(one.index for one in audio_of(container)), *(one.index for one in subtitles_of(container))}
    lines = [_line_of(stream) for stream in container.streams if stream.index not in kept and not is_timecode_track(stream)]
    lines += ["chapters"] if container.chapters() else []
    lines += [f"metadata: {key}" for key in container.metadata if not _BOILERPLATE.fullmatch(key)]
    for stream in container.streams:
        if stream.index in kept:
            lines += [f"metadata of stream {stream.index}: {key}" for key in stream.metadata if not _BOILERPLATE.fullmatch(key)]
    lines += _beside_the_picture(scan)
    lines += [f"{scan.num_hidden} frames that an edit list hides"] if scan.num_hidden else []
    lines += [f"{scan.num_undecodable} frames before the first that can be decoded"] if scan.num_undecodable else []
    return tuple(lines)


def _beside_the_picture(scan: Scan) -> list[str]:
    if scan.first_frame is None:
        return []
    # PyAV's annotations take this container for a plain dict.
    side_data = {one.type.name: bytes(one) for one in cast(Any, scan.first_frame.side_data)}
    names = [name for name in _BESIDE_THE_PICTURE if name in side_data and not _is_encoders_own(name, side_data[name])]
    lines = list(dict.fromkeys(_BESIDE_THE_PICTURE[name] for name in names))
    if num_strange := sum(number for strange, number in scan.strange.items() if strange - set(names)):
        lines.append(f"data beside the picture in the picture's own stream (in {num_strange} packets)")
    lines += ["data behind what the picture's decoder is told"] if scan.hides_in_header else []
    return lines + (["transparency"] if any(one.is_alpha for one in scan.first_frame.format.components) else [])


def _is_encoders_own(name: str, content: bytes) -> bool:
    """x264 and x265 sign every film with their settings."""
    return name == "SEI_UNREGISTERED" and is_understood(UNREGISTERED, content)


def is_timecode_track(stream: Stream) -> bool:
    """Whether all that a track has is the first frame's timecode."""
    return stream.type == "data" and "timecode" in {key.lower() for key in stream.metadata}


def _repeats_a_field(packet: bytes) -> bool:
    """ISO/IEC 13818-2, 6.2.3.1: repeat_first_field in the picture coding extension."""
    place = packet.find(b"\x00\x00\x01\xb5")
    while 0 <= place < len(packet) - 8:
        if packet[place + 4] >> 4 == 8:
            return bool(packet[place + 7] & 2)
        place = packet.find(b"\x00\x00\x01\xb5", place + 4)
    return False


def _numbered(stream: Stream) -> str:
    codec = _codec_of(stream)
    return f"stream {stream.index}" + (f", {codec}" if codec else "")


def _codec_of(stream: Stream) -> str | None:
    # A timecode track and the like have no codec, only a name.
    return stream.codec_context.codec.canonical_name if stream.codec_context is not None else getattr(stream, "name", None)


def _line_of(stream: Stream) -> str:
    kind = "attached picture" if is_attached_picture(stream) else {"video": "second video"}.get(stream.type, stream.type)
    codec = _codec_of(stream)
    return f"{kind} stream {stream.index}" + (f" ({codec})" if codec and stream.type != "attachment" else "")
