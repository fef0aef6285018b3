"""Whether a kind of container can hold what is to go into it: found out before any work, by beginning to write one in memory."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from tasks.errors import BadOutput, BadSetting
from tasks.video.contents import is_timecode_track
from tasks.video.encoders import EncoderSettings, check_encoder
from tasks.video.files import File
from tasks.video.info import FrameIndex, Tracks, VideoInfo
from tasks.video.join import FORMATS, clock_options, copied_of
from tasks.video.opening import open_source, picture_stream
from tasks.video.rest import add_copy, copied_packets, on_time

_NUM_PACKETS = 200  # some seconds of a film
_SUGGESTED = (".mkv", ".mp4", ".mov")
_COPIED = {"audio": "audio", "subtitle": "subtitles"}


def check_tracks(source: File | None, drop: Collection[Tracks]) -> None:
    """Raises BadSetting for a number that is no track of the source's, or its picture's."""
    numbers = [track for track in drop if isinstance(track, int)]
    if not numbers:
        return
    others, picture = _others(source)
    known = ", ".join(f"{number} ({kind})" for number, kind in others.items())
    for number in numbers:
        if number not in others:
            problem = "is the picture itself" if number == picture else "is no track that goes with the picture"
            raise BadSetting(f"drop {number}", problem, fix=f"choose from: {known}" if known else "leave it out: there is no other track")


def _others(source: File | None) -> tuple[Mapping[int, str], int | None]:
    """Kinds of the tracks that can be left out, by number, and the picture's number."""
    if source is None:
        return {}, None
    with open_source(source) as container:
        picture = picture_stream(container, source).index
        others: dict[int, str] = {
            each.index: each.type for each in container.streams if each.index != picture and not is_timecode_track(each)
        }
    return others, picture


def check_holds(source: File | None, location: str, container_format: str, settings: EncoderSettings, drop: Collection[Tracks]) -> None:
    """By the streams' headers alone: nothing has to be known of the source.

    Raises BadOutput where the container cannot hold a stream that is copied, BadSetting where it cannot hold the encoder's.
    """
    check_encoder(settings, container_format)
    if source is None:
        return
    with open_source(source) as container:
        copied = [stream for stream in container.streams if stream.type in _COPIED and stream.codec_context is not None]
        numbers = [stream.index for stream in copied if not {_COPIED[stream.type], stream.index} & {*drop}]
    _check(source, location, container_format, numbers, lambda name: _Trial(name, {}, lambda *_: iter(())))


def check_copies(source: File | None, location: str, container_format: str, info: VideoInfo, index: FrameIndex, begins: int | None) -> None:
    """By their first packets, at the times at which they are to be written; as for `join_segments`. Raises BadOutput."""
    if source is None:
        return

    def trial(name: str) -> _Trial:
        wanted = copied_of(source, info, index, name, begins)

        def packets(container: InputContainer, copies: dict[int, Stream]) -> Iterator[Packet[Any]]:
            found = islice(copied_packets(container, copies, wanted, source), _NUM_PACKETS)
            return on_time(found, location) if name == "avi" else found

        return _Trial(name, clock_options(name, info), packets)

    _check(source, location, container_format, info.copied_streams, trial)


class _Trial(NamedTuple):
    """What is written: a container with these options, and of its streams these packets."""

    container_format: str
    options: dict[str, str]
    packets: Callable[[InputContainer, dict[int, Stream]], Iterator[Packet[Any]]]


def _check(source: File, location: str, container_format: str, numbers: Sequence[int], trial: Callable[[str], _Trial]) -> None:
    if not numbers or _holds(source, numbers, trial(container_format)):
        return
    bad = next((number for number in numbers if not _holds(source, [number], trial(container_format))), numbers[-1])
    with open_source(source) as container:
        stream: Any = container.streams[bad]
        problem = f"a {container_format} file cannot hold the {stream.type} stream {bad} ({stream.codec.canonical_name})"
    endings = [ending for ending in _SUGGESTED if _holds(source, numbers, trial(FORMATS[ending]))]
    another = f"choose a name that ends in {' or '.join(endings)}, or " if endings else ""
    raise BadOutput(location, problem, fix=f"{another}leave the stream out with --drop {bad}")


def _holds(source: File, numbers: Sequence[int], trial: _Trial) -> bool:
    """Whether the streams can be written, and are what they were when they are read again."""
    written, kinds = io.BytesIO(), dict[int, str]()
    with open_source(source, guess_pts=True) as container:
        try:
            with av.open(written, "w", format=trial.container_format, container_options=trial.options) as output:
                copies = {number: add_copy(output, container, number) for number in numbers}
                output.start_encoding()
                for packet in trial.packets(container, copies):
                    kinds[packet.stream_index] = packet.stream.type
                    output.mux_one(packet)
        except (av.FFmpegError, ValueError):
            return False
    return not kinds or _are_known(written, kinds)


def _are_known(written: io.BytesIO, kinds: dict[int, str]) -> bool:
    """Whether streams are found again: mpegts writes whatever it is given, and calls it data where it has no name for it."""
    written.seek(0)
    with av.open(written) as container:
        found = {stream.index: stream.type for stream in container.streams if stream.codec_context is not None}
    return found.items() >= kinds.items()
