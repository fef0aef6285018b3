"""Whether a slice ends where its packet says: decoders stop when a picture is complete, and what stands behind could be anything.

Only whoever decodes a slice knows where its data end, and FFmpeg does not tell. So its last bytes are taken away, or others put in their
place: where nothing comes of that, whichever others they are, they are no part of the picture.

H.264: the decoder must find the picture damaged, which without the change it does not. A group is decoded as a whole, for damage in one
picture does not change how the next one's data are read; without transforms and filters, for nobody looks at it.
HEVC, whose decoder takes whatever it is given: the picture must change. Each is decoded alone, for others would pass the change on, and
what it should build on is grey.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, cast

import av
import numpy as np
from av.codec.context import Flags
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tasks.video.nal import Codec, is_idr, is_slice, packet_of, units_of
from tasks.video.renumbering import SpliceError

_FOUND_BYTES = 8  # behind a slice, or more
_MOST_BYTES = 256 << 20  # of a group, which is in memory as a whole
_SHORTEST_BYTES = 16  # of a slice whose head stays whole when that many are changed
_RANDOM = random.Random(0)
_OTHER_ENDS = [(8, b""), (7, b""), (6, b""), (5, b"")] + [
    (taken, bytes(_RANDOM.randrange(4, 256) for _ in range(put))) for taken, put in [(8, 8), (6, 6), (8, 4), (8, 2)] * 6
]
"""how many bytes are taken away, and what is put in their place"""
_OPTIONS = {
    "h264": {"err_detect": "aggressive", "skip_loop_filter": "all", "skip_idct": "all"},
    "hevc": {"skip_loop_filter": "all"},
}


def groups_in(packets: Iterator[Packet[Any]], codec: Codec) -> Iterator[list[list[bytes]]]:
    """The slices of each packet of each group. Raises SpliceError where one is too large to be looked into."""
    group: list[list[bytes]] = []
    num_bytes = 0
    for packet in packets:
        units = units_of(bytes(packet), 4)
        if group and is_idr(units, codec):
            yield group
            group, num_bytes = [], 0
        num_bytes += packet.size
        if num_bytes > _MOST_BYTES:
            raise SpliceError(f"a group of pictures has more than {_MOST_BYTES >> 20} MiB")
        group.append([_without_zero_words(unit) for unit in units if is_slice(unit, codec)])
    if group:
        yield group


def hides_data(group: Sequence[Sequence[bytes]], stream: VideoStream) -> bool:
    """Whether something stands behind a slice of a closed group of pictures, or may do; less than `_FOUND_BYTES` are not found."""
    codec = cast(Codec, stream.codec.canonical_name)
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.extradata, decoder.options, decoder.thread_count = stream.codec_context.extradata, _OPTIONS[codec], 1
    decoder.flags |= Flags.output_corrupt
    if codec == "h264":
        return _hides_in_h264(group, decoder)
    return any(_hides_in_hevc(slices, decoder) for slices in group)


def _without_zero_words(unit: bytes) -> bytes:
    """Without what an encoder may add for the sake of its rate (`cabac_zero_words`)."""
    return re.sub(rb"(?:\x00\x00\x03)+$", b"", unit.rstrip(b"\0")).rstrip(b"\0")


def _hides_in_h264(group: Sequence[Sequence[bytes]], decoder: av.VideoCodecContext) -> bool:
    if len(_intact(group, decoder)) < len(group):
        return True
    for place in range(max(len(slices) for slices in group)):
        suspects = {number for number, slices in enumerate(group) if len(slices) > place and len(slices[place]) >= _SHORTEST_BYTES}
        for end in _OTHER_ENDS:
            if not suspects:
                break
            changed = [
                _changed(slices, place, end) if number in suspects else slices for number, slices in enumerate(group[: max(suspects) + 1])
            ]
            suspects &= _intact(changed, decoder)
        if suspects:
            return True
    return False


def _intact(group: Sequence[Sequence[bytes]], decoder: av.VideoCodecContext) -> set[int]:
    """The numbers of the pictures in which the decoder finds nothing wrong."""
    intact: set[int] = set()
    for number, slices in enumerate([*group, None]):
        packet = av.Packet(packet_of(list(slices))) if slices is not None else None
        if packet:
            packet.pts = packet.dts = number
        with suppress(av.FFmpegError):
            intact |= {frame.pts for frame in decoder.decode(packet) if frame.pts is not None and not frame.is_corrupt}
    decoder.flush_buffers()
    return intact


def _hides_in_hevc(slices: Sequence[bytes], decoder: av.VideoCodecContext) -> bool:
    whole = _alone(slices, decoder)
    for number, one in enumerate(slices):
        if len(one) < _SHORTEST_BYTES:
            continue
        changed = (_changed(slices, number, end) for end in _OTHER_ENDS)
        if all(_are_same(_alone(each, decoder), whole) for each in changed):
            return True
    return False


def _alone(slices: Sequence[bytes], decoder: av.VideoCodecContext) -> list[VideoFrame]:
    """What they are decoded to without anything that came before."""
    try:
        return [*decoder.decode(av.Packet(packet_of(list(slices)))), *decoder.decode(None)]
    except av.FFmpegError:
        return []
    finally:
        decoder.flush_buffers()


def _are_same(some: list[VideoFrame], others: list[VideoFrame]) -> bool:
    return len(some) == len(others) and all(
        np.array_equal(one.to_ndarray(), other.to_ndarray()) for one, other in zip(some, others, strict=True)
    )


def _changed(slices: Sequence[bytes], place: int, end: tuple[int, bytes]) -> list[bytes]:
    """The slices, one of which has another end."""
    taken, put = end
    return [*slices[:place], slices[place][:-taken] + put, *slices[place + 1 :]]
