"""Encoded stretches read back: their packets, with the times that they have in the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.scan import reorder_depth


def open_segment(path: Path) -> InputContainer:
    """A file that `encode_segment` wrote."""
    return av.open(f"file:{path}", "r", options={"protocol_whitelist": "file", "format_whitelist": "nut,mov"})


def times_of(segments: Sequence[Path], index: FrameIndex) -> npt.NDArray[np.int64]:
    """(N, 2) int64, pts and dts of the segments' packets in order of decoding, in units of the source's time base.

    A packet is shown when the index says, and decoded when the frame that many places before it is shown: so decoding times rise through
    borders of segments and changes of rate. Raises ValueError where the segments do not have the frames of the index.
    """
    pts = np.zeros(len(index), np.int64)
    done = 0
    for segment in segments:
        with open_segment(segment) as container:
            found = np.array([packet.pts for packet in container.demux(video=0) if packet.size], np.int64)
        ordered = index.pts[done : done + len(found)]
        if not 0 < len(found) == len(ordered):
            raise ValueError(f"{segment} has {len(found)} frames where {len(ordered)} are left in the index")
        pts[done : done + len(found)] = ordered[np.argsort(np.argsort(found, kind="stable"), kind="stable")]
        done += len(found)
    if done != len(index):
        raise ValueError(f"the segments have {done} frames, the index {len(index)}")
    delay = reorder_depth(pts)
    step = int(np.diff(index.pts).min()) if len(index) > 1 else 1
    dts = np.concatenate([index.pts[0] - step * np.arange(delay, 0, -1), index.pts[: len(index) - delay]])
    return np.stack([pts, dts], axis=1)


def pictures_of(
    segments: Sequence[Path], times: npt.NDArray[np.int64], stream: VideoStream, info: VideoInfo
) -> Iterator[Packet[VideoStream]]:
    """The segments' packets one after the other, with these times, as packets of `stream`; raises ValueError for mixed encoder settings."""
    shown = np.sort(times[:, 0])
    end = shown[0] + round(info.duration_seconds / info.time_base)
    durations = dict(zip(shown.tolist(), np.diff(shown, append=max(end, shown[-1] + 1)).tolist(), strict=True))
    row, last_shown = 0, int(shown[-1])
    for segment in segments:
        with open_segment(segment) as container:
            if container.streams.video[0].codec_context.extradata != stream.codec_context.extradata:
                raise ValueError(f"{segment} was encoded with other settings than the first segment")
            for packet in container.demux(video=0):
                if packet.size:
                    packet.pts, packet.dts = times[row].tolist()
                    # mp4 stores differences of decoding times, and for the last packet its duration: that of the last frame shown.
                    packet.duration = durations[packet.pts if row < len(times) - 1 else last_shown]
                    packet.time_base = info.time_base
                    packet.stream = stream
                    row += 1
                    yield packet
