"""The source's sound and subtitles, packet by packet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from tasks.errors import BadOutput
from tasks.video.avi import KEEPS_TIMES, LATEST_SOUND_SECONDS
from tasks.video.clock import Clock, ClockJump
from tasks.video.decoding import readable
from tasks.video.files import File
from tasks.video.headers import clean_header

_SEEK_BACK_SECONDS = 20  # further than sound and pictures of one time lie apart in a file
_HOLDS_ALL = "choose a name that ends in .mkv"


class Copied(NamedTuple):
    """Which packets of sound and subtitles come through, and by how much they are moved; where the picture's clock was set anew."""

    shift_seconds: Fraction
    first_seconds: Fraction | None
    """in the source; None where all of it comes through"""
    end_seconds: Fraction
    jumps: tuple[ClockJump, ...] = ()


def add_copy(container: OutputContainer, source: InputContainer, stream_index: int) -> Stream:
    """A stream for the packets of one of the source's; raises ValueError where the container has none of that kind."""
    template: Any = source.streams[stream_index]
    stream: Stream = container.add_stream_from_template(template)
    if template.language:
        stream.metadata["language"] = template.language
    stream.disposition = template.disposition
    stream.codec_context.extradata = clean_header(template.codec.canonical_name, template.codec_context.extradata)
    return stream


def add_copies(container: OutputContainer, source: InputContainer, stream_indices: Iterable[int], target: object) -> dict[int, Stream]:
    """Streams for packets of the source's, by their places there; raises BadOutput where the container has none of their kind."""
    copies = {}
    for number in stream_indices:
        try:
            copies[number] = add_copy(container, source, number)
        except ValueError as error:
            template: Any = source.streams[number]
            raise refused(target, container, f"{template.type} stream {number}", template.codec.canonical_name) from error
    return copies


def refused(target: object, container: OutputContainer, what: str, codec: str) -> BadOutput:
    """What to say of a stream that a container has no place for."""
    return BadOutput(target, f"a {container.format.name} file cannot hold the {what} ({codec})", fix=_HOLDS_ALL)


def copied_packets(source: InputContainer, copies: dict[int, Stream], wanted: Copied, path: File) -> Iterator[Packet[Any]]:
    """The source's packets of the copied streams, as far as there are any, as packets of their copies; of a part, those that begin in it.

    Raises BadVideo where the source's file, `path`, cannot be read.
    """
    going_on = set(copies)
    clocks = {number: Clock(wanted.jumps, source.format.name) for number in copies}
    latest: dict[int, int] = {}
    if copies and not wanted.jumps and wanted.first_seconds is not None and wanted.first_seconds > _SEEK_BACK_SECONDS:
        source.seek(int((wanted.first_seconds - _SEEK_BACK_SECONDS) * av.time_base))
    for packet in readable(source.demux([source.streams[number] for number in copies]), path) if copies else ():
        if packet.size == 0:
            continue
        number, time = packet.stream_index, packet.pts if packet.dts is None else packet.dts
        if time is not None:
            moved = clocks[number].moved(time * packet.time_base, (packet.duration or 0) * packet.time_base)
            packet.pts, packet.dts = (None if each is None else each + round(moved / packet.time_base) for each in (packet.pts, packet.dts))
        if wanted.first_seconds is not None:
            seconds = (packet.pts or 0) * packet.time_base
            if seconds >= wanted.end_seconds:
                going_on.discard(packet.stream_index)
                if not going_on:
                    return
            if not wanted.first_seconds <= seconds < wanted.end_seconds:
                continue
        shift = round(wanted.shift_seconds / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts + shift
        packet.dts = packet.pts if packet.dts is None else packet.dts + shift
        if packet.stream.type == "audio" and packet.dts is not None:
            if packet.dts <= latest.get(number, packet.dts - 1):
                continue  # its time is over: no container holds it, and it would be heard together with what was before
            latest[number] = packet.dts
        packet.stream = copies[number]
        yield packet


def on_time(packets: Iterator[Packet[Any]], target: object) -> Iterator[Packet[Any]]:
    """Packets for a container that knows no times: none from before the first picture, and none that start too late after it."""
    started = set()
    for packet in packets:
        seconds = (packet.dts or 0) * packet.time_base
        if packet.stream_index not in started and seconds > LATEST_SOUND_SECONDS:
            raise BadOutput(target, f"sound starts {float(seconds):.2f} s after the picture, which AVI cannot say", fix=KEEPS_TIMES)
        if packet.stream_index in started or seconds > -LATEST_SOUND_SECONDS / 4:
            started.add(packet.stream_index)
            yield packet
