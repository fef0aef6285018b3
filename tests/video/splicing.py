"""What the tests of copied packets share: a source of which some groups are encoded anew, and changed copies of a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from tasks.video import EncoderSettings, encode_segment, join_segments, probe_file, read_frames
from tasks.video.nal import packet_of, units_of
from tasks.video.segments import Piece


def spliced(source: Path, target: Path, groups: set[int], settings: EncoderSettings | None = None) -> np.ndarray:
    """Writes `target` with these groups of the source encoded anew; which frames are the source's own packets."""
    info, index = probe_file(source)
    encoded = []
    for group in groups:
        frames = np.flatnonzero(index.groups == group)
        piece = Piece(int(frames[0]), int(frames[-1]), target.with_name(f"{group}.nut"))
        pictures = (frame for _, frame in read_frames(source, info, index, piece.first, piece.last))
        encode_segment(pictures, info, settings or EncoderSettings(), piece.path)
        encoded.append(piece)
    join_segments(encoded, source, info, index, target)
    return ~np.isin(index.groups, list(groups))


def changed(source: Path, target: Path, change: Callable[[int, list[bytes]], list[bytes]]) -> Path:
    """A copy of an mp4 or mkv file, the units of each of whose packets, counted from 0, are changed."""
    with av.open(str(source)) as before, av.open(str(target), "w") as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        for number, packet in enumerate(one for one in before.demux(video=0) if one.size):
            copy = av.Packet(packet_of(change(number, units_of(bytes(packet), 4))))
            copy.pts, copy.dts, copy.duration, copy.time_base = packet.pts, packet.dts, packet.duration, packet.time_base
            copy.is_keyframe, copy.stream = packet.is_keyframe, stream
            after.mux_one(copy)
    return target
