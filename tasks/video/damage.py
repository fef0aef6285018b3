"""Damage in a recording. What a decoder concealed, and what refers to it, no detector can vouch for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Container, Iterable, Sequence
from itertools import dropwhile
from operator import itemgetter
from typing import NamedTuple, cast

import av
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.tracks import Span
from tasks.video.decoding import decodable, readable
from tasks.video.files import File
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.nal import Codec, is_slice, kind_of, units_of, units_of_annex_b
from tasks.video.opening import open_source, picture_stream, skip_other_streams

_RUN = 64  # equal bytes in a row: what a card has lost, or flash that was erased; no coder writes so many zeros
_LOST = (bytes(_RUN), b"\xff" * _RUN)
_NO_ZEROS = {"vp8", "vp9", "av1", "ffv1", "mjpeg"}
_UNITS = {"h264", "hevc"}
_GAP = "num gap"  # what FFmpeg says of H.264 pictures that are missing
_START_CODES = (b"\0\0\0\1", b"\0\0\1")  # as some cameras write them into containers that have lengths
_END_OF_IMAGE = b"\xff\xd9"
_PARSER_PACKETS = 2  # that a mark of FFmpeg's demuxer for transport streams may come too early
_RANDOM_ACCESS: dict[str, frozenset[int]] = {"h264": frozenset({5}), "hevc": frozenset(range(16, 22))}


class Seen(NamedTuple):
    """A packet of the picture's stream, in order of decoding."""

    pts: int | None
    is_key: bool
    is_sure_key: bool
    """whether nothing that is shown after it refers to what is before it; a key frame of a gradual refresh does"""
    num_frames: int
    """that the decoder had given before"""


class Torn:
    """Tells from packets, in order of decoding, which of them are not as they were recorded."""

    def __init__(self, stream: VideoStream, container: str) -> None:
        self.seen: list[Seen] = []
        self._codec = stream.codec.canonical_name
        self._length_bytes = _length_bytes(self._codec, stream.codec_context.extradata)
        self._is_transport_stream = container == "mpegts"
        self._ends_images: bool | None = None
        self._gaps: list[int] = []

    def is_torn(self, packet: Packet[VideoStream], num_frames: int) -> bool:
        """Whether the packet is cut short, or has been written over. A jump of a transport stream's counter is looked at in `gaps`."""
        units = self._units(packet) if self._codec in _UNITS else []
        kinds = {kind_of(unit, cast(Codec, self._codec)) for unit in units or [] if unit}
        is_sure = packet.is_keyframe and (self._codec not in _UNITS or bool(kinds & _RANDOM_ACCESS[self._codec]))
        if packet.is_corrupt and self._is_transport_stream:
            self._gaps.append(len(self.seen))
        self.seen.append(Seen(packet.pts, packet.is_keyframe, is_sure, num_frames))
        if packet.is_corrupt and not self._is_transport_stream:
            return True
        if self._codec in _UNITS:
            return units is None or any(self._is_torn_slice(unit) for unit in units)
        content = bytes(packet)
        if self._codec in _NO_ZEROS and any(run in content for run in _LOST):
            return True
        if self._codec == "mjpeg":
            ends = _END_OF_IMAGE in content.rstrip(b"\0\xff")[-_RUN:]
            self._ends_images = ends if self._ends_images is None else self._ends_images
            return self._ends_images and not ends
        return False

    def gaps(self, path: File, info: VideoInfo) -> list[Seen]:
        """Packets after which others were lost. An H.264 decoder misses pictures by their numbers: where it does not, only the counter
        jumped, and before a key frame nothing refers across a gap.
        """
        if self._codec != "h264":
            return [self.seen[place] for place in self._gaps]
        suspects = []
        for place in self._gaps:
            nearby = [one.is_key for one in self.seen[place + 1 : place + 1 + _PARSER_PACKETS]]
            if not any(nearby) and len(nearby) == _PARSER_PACKETS:
                suspects.append((place, next((number for number in range(place, -1, -1) if self.seen[number].is_key), 0)))
        missed = _groups_with_gaps(path, info, self.seen[0].pts, {key for _, key in suspects}) if suspects else set()
        return [self.seen[place] for place, key in suspects if key in missed]

    def _units(self, packet: Packet[VideoStream]) -> list[bytes] | None:
        """None where lengths do not add up."""
        content = bytes(packet)
        if self._length_bytes:
            try:
                return units_of(content, self._length_bytes)
            except ValueError:
                if not content.startswith(_START_CODES):
                    return None
        return units_of_annex_b(content)

    def _is_torn_slice(self, unit: bytes) -> bool:
        if not unit or not is_slice(unit, cast(Codec, self._codec)):
            return False  # sloppy messages of cameras' own are no damage
        kept = unit.rstrip(b"\0")  # some writers leave zeros at the end
        return b"\0\0\0" in kept or (self._codec == "hevc" and len(unit) - len(kept) >= _RUN) or _LOST[1] in kept


def _length_bytes(codec: str, record: bytes | None) -> int:
    """Of the numbers before units; 0 where start codes stand between them."""
    place = {"h264": 4, "hevc": 21}.get(codec)
    if place is None or not record or len(record) <= place or record[0] != 1:
        return 0
    return (record[place] & 3) + 1


def _groups_with_gaps(path: File, info: VideoInfo, first_pts: int | None, keys: set[int]) -> set[int]:
    """Of groups of pictures, by the places of their first packets counted from `first_pts` on, those where the decoder misses anything."""
    missed: set[int] = set()
    av.logging.set_level(av.logging.DEBUG)
    try:
        with open_source(path, guess_pts=not info.seekable) as container:
            stream = picture_stream(container, path)
            skip_other_streams(container, stream)
            stream.thread_type = "NONE"
            group = -1
            packets = (packet for packet in readable(container.demux(stream), path) if packet.size)
            for place, packet in enumerate(dropwhile(lambda packet: packet.pts != first_pts, packets)):
                group = place if packet.is_keyframe else group
                if group not in keys:
                    continue
                with av.logging.Capture(local=True) as said:
                    frames = decodable(stream, packet)
                if place > group and (not frames or any(level <= av.logging.ERROR or _GAP in message for level, _, message in said)):
                    missed |= {group} if said else set()
    finally:
        av.logging.set_level(None)
    return missed


def spread(damaged: Iterable[int], index: FrameIndex, decoded: Sequence[int], sure: Container[int], before: int = 0) -> tuple[Span, ...]:
    """The frames that are damaged or may refer to one that is: those decoded after it up to the next key frame, and around that one.

    decoded: numbers of frames in order of decoding; `sure` has those of key frames past which nothing refers: through another one it goes
    on to the next; `before` says how many frames may be decoded after one that is shown after them, where that order is not known

    >>> index = FrameIndex(np.arange(9), np.arange(9) % 3 == 0, np.zeros(9, int))
    >>> spread([4], index, range(9), range(9)), spread([3, 8], index, [0, 3, 1, 2, 6, 4, 5, 8, 7], range(9))
    (((4, 5),), ((1, 5), (7, 8)))
    >>> spread([1], index, range(9), {0, 6})
    ((1, 5),)
    """
    order = np.array(decoded, np.int64)
    places = {int(number): place for place, number in enumerate(order)}
    keys = np.flatnonzero(index.is_key[order])
    covered = np.zeros(len(index), bool)
    for frame in damaged:
        start = places.get(frame, len(order))
        covered[frame] = True
        following: list[int] = keys[np.searchsorted(keys, start, side="right") :].tolist()
        if following and int(order[following[0]]) not in sure:
            following = following[1:]
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
