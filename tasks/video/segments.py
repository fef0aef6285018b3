"""Encoded stretches and copied ones, read back: their packets, with the times that they have in the whole."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.video.files import File
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.nal import Codec
from tasks.video.opening import open_source
from tasks.video.parallel import in_order
from tasks.video.read import packets_from
from tasks.video.renumbering import SpliceError
from tasks.video.scan import reorder_depth
from tasks.video.slice_ends import groups_in, hides_data

Fitting = Callable[["Packet[Any]", bool], "Packet[Any]"]
"""makes a packet, encoded or (where the second is true) copied, one that can stand among others"""


@dataclass(frozen=True)
class Piece:
    """Frames `first` to `last` of the whole: as `encode_segment` wrote them to `path`, or, without one, the source's own packets."""

    first: int
    last: int
    path: Path | None

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1


def pieces_of(encoded: Sequence[Piece], index: FrameIndex) -> list[Piece]:
    """The encoded stretches in order, and the source's own packets wherever there is none.

    Raises ValueError where stretches overlap, or leave out anything but whole groups that can be copied.
    """
    pieces: list[Piece] = []
    done = 0
    for piece in [*sorted(encoded, key=lambda one: one.first), Piece(len(index), len(index), None)]:
        if not done <= piece.first <= len(index):
            raise ValueError(f"frames {piece.first} to {piece.last} of {len(index)} are encoded twice, or are too many")
        if piece.first > done:
            pieces.append(_copied(done, piece.first - 1, index))
        pieces += [piece] if piece.first < len(index) else []
        done = piece.last + 1
    return pieces


def _copied(first: int, last: int, index: FrameIndex) -> Piece:
    inside, outside = index.groups[first : last + 1], np.concatenate([index.groups[:first], index.groups[last + 1 :]])
    if (inside < 0).any() or np.isin(inside, outside).any():
        raise ValueError(f"frames {first} to {last} are not encoded, and cannot be copied")
    return Piece(first, last, None)


def open_segment(path: Path) -> InputContainer:
    """A file that `encode_segment` wrote."""
    return av.open(f"file:{path}", "r", options={"protocol_whitelist": "file", "format_whitelist": "nut,mov"})


@contextmanager
def first_of(encoded: Sequence[Piece]) -> Iterator[InputContainer | None]:
    """The first of encoded pieces, opened; None where there is none."""
    path = next((piece.path for piece in encoded if piece.path), None)
    if path is None:
        yield None
        return
    with open_segment(path) as segment:
        yield segment


def told_by(encoded: Sequence[Piece]) -> bytes:
    """What a decoder is told before the first packet, the same for all encoded pieces; raises SpliceError where it is not."""
    told = set[bytes]()
    for path in (piece.path for piece in encoded if piece.path):
        with open_segment(path) as segment:
            told.add(segment.streams.video[0].codec_context.extradata or b"")
    if len(told) > 1:
        raise SpliceError("the segments were encoded with different settings")
    return next(iter(told), b"")


def times_of(pieces: Sequence[Piece], source: File | None, info: VideoInfo, index: FrameIndex) -> npt.NDArray[np.int64]:
    """(N, 2) int64, pts and dts of the pieces' packets in order of decoding, in units of the source's time base.

    A packet is shown when the index says, and decoded when the frame that many places before it is shown: so decoding times rise through
    borders of pieces and changes of rate. Raises ValueError where the pieces do not have the frames of the index.
    """
    pts = np.zeros(len(index), np.int64)
    for piece in pieces:
        ordered = index.pts[piece.first : piece.last + 1]
        with closing(_packets_of(piece, source, info, index)) as packets:
            found = np.array([packet.pts for packet in packets], np.int64)
        if not 0 < len(found) == len(ordered):
            kind = ValueError if piece.path else SpliceError
            raise kind(f"{piece.path or source} has {len(found)} frames where {len(ordered)} belong")
        pts[piece.first : piece.last + 1] = ordered[np.argsort(np.argsort(found, kind="stable"), kind="stable")]
    delay = reorder_depth(pts)
    step = int(np.diff(index.pts).min()) if len(index) > 1 else 1
    dts = np.concatenate([index.pts[0] - step * np.arange(delay, 0, -1), index.pts[: len(index) - delay]])
    return np.stack([pts, dts], axis=1)


def pictures_of(
    pieces: Sequence[Piece],
    source: File | None,
    info: VideoInfo,
    index: FrameIndex,
    times: npt.NDArray[np.int64],
    stream: VideoStream,
    fitted: Fitting,
) -> Iterator[Packet[Any]]:
    """The pieces' packets one after the other, with these times, as packets of `stream`, as `fitted` makes them."""
    shown = np.sort(times[:, 0])
    end = shown[0] + round(info.duration_seconds / info.time_base)
    durations = dict(zip(shown.tolist(), np.diff(shown, append=max(end, shown[-1] + 1)).tolist(), strict=True))
    row, last_shown = 0, int(shown[-1])
    for piece in pieces:
        with closing(_packets_of(piece, source, info, index)) as packets:
            for original in packets:
                packet = fitted(original, piece.path is None)
                packet.pts, packet.dts = times[row].tolist()
                # mp4 stores differences of decoding times, and for the last packet its duration: that of the last frame shown.
                packet.duration = durations[packet.pts if row < len(times) - 1 else last_shown]
                packet.time_base = info.time_base
                packet.stream = stream
                row += 1
                yield packet


def check_copied(pieces: Sequence[Piece], source: File | None, info: VideoInfo, index: FrameIndex) -> None:
    """Raises SpliceError where a slice of a copied piece hides something behind its end, or may do."""
    for piece in pieces:
        if piece.path is not None or source is None:
            continue
        with open_source(source) as container, closing(_packets_of(piece, source, info, index)) as packets:
            stream = container.streams[info.stream_index]
            assert isinstance(stream, VideoStream)
            if any(in_order(partial(hides_data, stream=stream), groups_in(packets, cast(Codec, info.codec)))):
                raise SpliceError(f"in frames {piece.first} to {piece.last}, something may be hidden behind a picture")


def _packets_of(piece: Piece, source: File | None, info: VideoInfo, index: FrameIndex) -> Generator[Packet[Any]]:
    """A piece's packets in order of decoding."""
    if piece.path:
        with open_segment(piece.path) as segment:
            yield from (packet for packet in segment.demux(video=0) if packet.size)
        return
    if source is None:
        raise ValueError(f"frames {piece.first} to {piece.last} are not encoded, and there is no file to copy them from")
    with open_source(source) as container:
        stream = container.streams[info.stream_index]
        assert isinstance(stream, VideoStream)
        packets = packets_from(container, stream, int(index.pts[piece.first]))
        yield from itertools.islice((packet for packet in packets if packet.size and not packet.is_discard), piece.num_frames)
