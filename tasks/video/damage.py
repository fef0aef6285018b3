"""Damage in a recording. What a decoder concealed, and what refers to it, no detector can vouch for."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.tracks import Span
from tasks.video.decoding import readable
from tasks.video.files import File
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.nal import units_of
from tasks.video.opening import open_source, picture_stream, skip_other_streams

_MOST_ZEROS = 64  # bytes in a row; what an arithmetic coder writes has no such run, what a card has lost is one
_NO_ZEROS = {"vp8", "vp9", "av1"}
_COUNTS_PICTURES = {"h264", "hevc"}
_FORBIDDEN = re.compile(rb"\x00\x00\x00+[^\x00\x01]")  # in a stream in which start codes stand between units
_GAP = "num gap"  # what FFmpeg says of H.264 pictures that are missing
_START_CODES = (b"\0\0\0\1", b"\0\0\1")  # as some cameras write them into containers that have lengths
_END_OF_IMAGE = b"\xff\xd9"
_PARSER_PACKETS = 2  # that a mark of FFmpeg's demuxer for transport streams may come too early


class Torn:
    """Tells from packets, in order of decoding, which of them are not as they were recorded."""

    def __init__(self, stream: VideoStream, container: str) -> None:
        self._codec = stream.codec.canonical_name
        self._length_bytes = _length_bytes(self._codec, stream.codec_context.extradata)
        self._counts = container == "mpegts"
        self._ends_images: bool | None = None
        self._keys: list[bool] = []
        self._pts: list[int | None] = []
        self._gaps: list[int] = []

    def is_torn(self, packet: Packet[VideoStream]) -> bool:
        """Whether the packet is cut short, or has been written over. A jump of a transport stream's counter is looked at in `gaps`."""
        if packet.is_corrupt and self._counts:
            self._gaps.append(len(self._keys))
        self._keys.append(packet.is_keyframe)
        self._pts.append(packet.pts)
        if packet.is_corrupt and not self._counts:
            return True
        if self._codec in _COUNTS_PICTURES:
            return self._has_torn_units(bytes(packet))
        if self._codec in _NO_ZEROS:
            return bytes(_MOST_ZEROS) in bytes(packet)
        if self._codec == "mjpeg":
            ends = _END_OF_IMAGE in bytes(packet).rstrip(b"\0\xff")[-_MOST_ZEROS:]
            self._ends_images = ends if self._ends_images is None else self._ends_images
            return self._ends_images and not ends
        return False

    @property
    def decoded_pts(self) -> list[int | None]:
        """Of the packets, in order of decoding."""
        return self._pts

    def gaps(self, path: File, info: VideoInfo) -> list[int]:
        """Pts of packets after which others were lost. Before a key frame nothing refers across a gap, and where a decoder that counts
        pictures misses none, only the counter jumped.
        """
        found = []
        for place in self._gaps:
            nearby = self._keys[place + 1 : place + 1 + _PARSER_PACKETS]
            pts = self._pts[place]
            if pts is None or any(nearby) or len(nearby) < _PARSER_PACKETS:
                continue
            key = next((number for number in range(place, -1, -1) if self._keys[number]), 0)
            if self._codec in _COUNTS_PICTURES and not _is_complained_of(path, info, self._pts[key]):
                continue
            found.append(pts)
        return found

    def _has_torn_units(self, packet: bytes) -> bool:
        if not self._length_bytes:
            return bool(_FORBIDDEN.search(packet.rstrip(b"\0")))
        try:
            units = units_of(packet, self._length_bytes)
        except ValueError:
            return not packet.startswith(_START_CODES) or bool(_FORBIDDEN.search(packet.rstrip(b"\0")))
        bare = [unit.rstrip(b"\0") for unit in units]  # some writers leave zeros at the end
        return any(b"\0\0\0" in kept or len(unit) - len(kept) >= _MOST_ZEROS for unit, kept in zip(units, bare, strict=True))


def _length_bytes(codec: str, record: bytes | None) -> int:
    """Of the numbers before units; 0 where start codes stand between them."""
    place = {"h264": 4, "hevc": 21}.get(codec)
    if place is None or not record or len(record) <= place or record[0] != 1:
        return 0
    return (record[place] & 3) + 1


def _is_complained_of(path: File, info: VideoInfo, key_pts: int | None) -> bool:
    """Whether the decoder misses anything in the group of pictures that begins there."""
    av.logging.set_level(av.logging.DEBUG)
    try:
        with av.logging.Capture(local=True) as said, open_source(path, guess_pts=not info.seekable) as container:
            stream = picture_stream(container, path)
            skip_other_streams(container, stream)
            stream.thread_type = "NONE"
            inside = False
            for packet in readable(container.demux(stream), path):
                if inside and packet.is_keyframe:
                    break
                if inside or packet.pts == key_pts:
                    if not inside:
                        said.clear()
                    inside = True
                    try:
                        stream.decode(packet)
                    except av.FFmpegError:
                        return True
            return any(level <= av.logging.ERROR or _GAP in message for level, _, message in said)
    finally:
        av.logging.set_level(None)


def spread(damaged: Iterable[int], index: FrameIndex, decoded: Sequence[int], before: int = 0) -> tuple[Span, ...]:
    """The frames that are damaged or may refer to one that is: those decoded after it up to the next key frame, and around that one.

    decoded: numbers of frames in order of decoding; `before` says how many frames may be decoded after one that is shown after them, where
    that order is not known

    >>> index = FrameIndex(np.arange(9), np.arange(9) % 3 == 0, np.zeros(9, int))
    >>> spread([4], index, range(9)), spread([3, 8], index, [0, 3, 1, 2, 6, 4, 5, 8, 7])
    (((4, 5),), ((1, 5), (7, 8)))
    """
    order = np.array(decoded, np.int64)
    places = {int(number): place for place, number in enumerate(order)}
    keys = np.flatnonzero(index.is_key[order])
    covered = np.zeros(len(index), bool)
    for frame in damaged:
        start = places.get(frame, len(order))
        covered[frame] = True
        following: list[int] = keys[np.searchsorted(keys, start, side="right") :].tolist()
        stop, next_stop = [*following, len(order), len(order)][:2]
        covered[order[start:stop]] = True
        covered[max(frame - before, 0) : frame] = True
        if following:  # pictures that are shown before the key frame refer past it
            leading = order[stop:next_stop]
            covered[leading[leading < order[stop]]] = True
    edges = np.flatnonzero(np.diff(covered, prepend=False, append=False))
    return tuple((int(first), int(stop) - 1) for first, stop in edges.reshape(-1, 2))


def inside(spans: Sequence[Span], frame: int) -> bool:
    """Whether a frame is in one of the spans, which are in order."""
    place = bisect_right(spans, frame, key=itemgetter(0)) - 1
    return place >= 0 and frame <= spans[place][1]
