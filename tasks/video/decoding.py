"""Packets and frames as far as there are any: what is damaged gives none, and is missed by whoever counts the frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import av
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.video.files import File
from tasks.video.opening import explain

P = TypeVar("P", bound="Packet[Any]")

MOST_REORDERED = 16
"""frames that FFmpeg's decoders hold back, at most"""
_CONVERTED_MATRICES = {0, 1, 2, 4, 5, 6, 7, 9}  # code points of ITU-T H.273 that FFmpeg knows how to bring to RGB
_UNSPECIFIED = 2


def readable(packets: Iterable[P], path: File) -> Iterator[P]:
    """The packets up to where the file's content makes no sense any more. Raises BadVideo where the file itself cannot be read."""
    try:
        yield from packets
    except (av.InvalidDataError, IndexError):  # IndexError: PyAV, at the end, of streams that appeared on the way
        return
    except (av.FFmpegError, OSError) as error:
        raise BadVideo(path, f"cannot be read to its end ({explain(error)})", fix="check the disk or the connection it lies on") from error


def decodable(stream: VideoStream, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
    """The frames that a decoder gives for a packet, or at the end for none; an empty list where it gives an error."""
    try:
        return decoded(stream, packet)
    except (av.FFmpegError, ValueError):
        return []


def decoded(stream: VideoStream, packet: Packet[VideoStream] | None) -> list[av.VideoFrame]:
    """The frames that a decoder gives for a packet. One of a colour matrix that FFmpeg cannot convert does not say it: what is looked at
    is near enough, and what is written has it from the stream. Raises FFmpegError, ValueError.
    """
    frames: list[av.VideoFrame] = stream.decode(packet)
    for frame in frames:
        if frame.colorspace not in _CONVERTED_MATRICES:
            frame.colorspace = _UNSPECIFIED
    return frames
