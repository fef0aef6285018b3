"""Frames of a video, decoded ahead of whoever works on them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.tracks import Span
from tasks.video.damage import Torn, inside, spread
from tasks.video.decoding import MOST_REORDERED, decodable, decoded, readable
from tasks.video.files import File
from tasks.video.fitting import fitted, in_size
from tasks.video.hardware import ON_THE_CPU, DecoderSettings, hardware_of
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.opening import open_source, picture_stream, skip_other_streams

# Enough to even out the decoder's bursts, little enough for 8K pictures.
_FRAMES_AHEAD = 6
# Containers without an index seek by guessing, and may land behind the frame.
_STEPS_BACK_SECONDS = (0, 1, 4, 16)
_DAMAGED = "copy or download the file again, or repair it first"


def read_frames(
    path: File, info: VideoInfo, index: FrameIndex, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames `first` to `last`, both included, each with its number, all of one size; decoded in a thread of its own.

    Where `info` says that frames are damaged, one that the decoder does not give is the one before it once more. Close the iterator (or run
    it to its end) to end the thread. Raises BadVideo naming another frame that is missing or damaged, ValueError where the video has no
    such frames.
    """
    if not 0 <= first <= last < len(index):
        raise ValueError(f"frames {first} to {last} of a video with {len(index)}")
    return ahead(_decoded(path, info, index, first, last, hardware_of(info, decoder)))


class AsRead(NamedTuple):
    """A frame of a first reading: None where the decoder gives none; and whether it is damaged."""

    number: int
    frame: av.VideoFrame | None
    is_damaged: bool


@dataclass
class UndamagedReading:
    """A first reading of numbered frames of which none may be missing."""

    frames: Iterator[tuple[int, av.VideoFrame]]
    damaged: tuple[Span, ...] = ()
    strays: list[int] = field(default_factory=list)

    def __iter__(self) -> Iterator[AsRead]:
        for number, frame in self.frames:
            yield AsRead(number, frame, False)


class FirstFileReading:
    """Frames `first` to `last` of a file that was never read to its end, whatever their size.

    damaged: once they were read, those that are damaged and those that may refer to them
    strays: pts that the decoder gives and the index has not, or has elsewhere: the index is from packets, and this checks it
    """

    def __init__(self, path: File, info: VideoInfo, index: FrameIndex, first: int, last: int) -> None:
        self.damaged: tuple[Span, ...] = ()
        self.strays: list[int] = []
        self._path, self._info, self._index = path, info, index
        self._first, self._last = first, last

    def __iter__(self) -> Iterator[AsRead]:
        start = self._index.key_before(self._first) if self._info.seekable else 0
        frames = self._decoded(start)
        begin = next(frames)
        if start and begin.frame is None:  # a key frame that is none (gradual refresh)
            frames = self._decoded(0)
            begin = next(frames)
        yield begin
        yield from frames

    def _decoded(self, start: int) -> Iterator[AsRead]:
        path, info, index = self._path, self._info, self._index
        self._noted: set[int] = set()
        with open_source(path, guess_pts=not info.seekable) as container:
            stream = _stream_of(container, path, info)
            torn = Torn(stream, container.format.name)
            packets = readable(packets_from(container, stream, int(index.pts[start]) if start else None), path)
            yield from self._in_order(
                self._matched(packets, stream, torn, start) if info.seekable else self._counted(packets, stream, torn)
            )
            gaps = torn.gaps(path, info)
            before = 0 if info.seekable or not stream.codec_context.reorder_depth else MOST_REORDERED
        found = ((one.pts, index.index_of(one.pts)) for one in torn.seen if one.pts is not None and info.seekable)
        numbers: dict[int | None, int] = {pts: number for pts, number in found if number is not None}
        if info.seekable:
            self._noted |= {numbers[one.pts] for one in gaps if one.pts in numbers}
            order, sure = [*numbers.values()], {numbers[one.pts] for one in torn.seen if one.is_sure_key and one.pts in numbers}
        else:
            for one in gaps:
                self._note(one.num_frames, before)
            order, sure = list(range(len(index))), set() if before else {*range(len(index))}
        spans = spread(self._noted, index, order, sure, before)
        clipped = ((max(begin, self._first), min(end, self._last)) for begin, end in spans)
        self.damaged = tuple((begin, end) for begin, end in clipped if begin <= end)

    def _note(self, number: int, more: int = 0) -> None:
        """Damage at a frame, and where it is not known which one comes of a packet, at so many more."""
        self._noted |= {*range(number, min(number + more + 1, len(self._index)))}

    def _in_order(self, frames: Iterator[AsRead]) -> Iterator[AsRead]:
        """Each number once: without what comes before the first or again, and with what does not come.

        Some more are read: what is shown later may have been decoded before, and been damaged.
        """
        wanted = self._first
        for one in chain(frames, [AsRead(len(self._index), None, True)]):
            if one.number > self._last + MOST_REORDERED:
                break
            if one.number < wanted or wanted > self._last:
                continue
            yield from (AsRead(missing, None, True) for missing in range(wanted, min(one.number, self._last + 1)))
            if one.number <= self._last:
                yield one
            wanted = one.number + 1
        yield from (AsRead(missing, None, True) for missing in range(wanted, self._last + 1))

    def _matched(self, packets: Iterator[Packet[VideoStream]], stream: VideoStream, torn: Torn, start: int) -> Iterator[AsRead]:
        """What the decoder gives, by time."""
        torn_pts: set[int | None] = set()
        latest = start - 1
        for packet in packets:
            if packet.size and torn.is_torn(packet, 0):
                torn_pts.add(packet.pts)
                number = None if packet.pts is None else self._index.index_of(packet.pts)
                self._noted |= set() if number is None else {number}
            for frame in decodable(stream, packet):
                number = None if frame.pts is None else self._index.index_of(frame.pts)
                if number is not None and number > latest:
                    is_damaged = frame.is_corrupt or frame.pts in torn_pts
                    self._noted |= {*range(latest + 1, number), *([number] if is_damaged else [])}
                    yield AsRead(number, frame, is_damaged)
                    latest = number
                elif frame.pts is not None and frame.pts > self._index.pts[self._first]:
                    self.strays.append(frame.pts)
        self._noted |= {*range(latest + 1, len(self._index))}

    def _counted(self, packets: Iterator[Packet[VideoStream]], stream: VideoStream, torn: Torn) -> Iterator[AsRead]:
        """What the decoder gives, by number. Damage in a packet is that of the next frame, or of one that comes a little later."""
        stream.thread_type = "SLICE"  # then a packet's frame comes with it
        number, is_torn = 0, False
        for packet in packets:
            is_torn |= bool(packet.size) and torn.is_torn(packet, number)
            try:
                frames = decoded(stream, packet)
            except (av.FFmpegError, ValueError):
                frames, is_torn = [], True
            if is_torn:
                self._note(number, MOST_REORDERED if stream.codec_context.reorder_depth else 0)
            for frame in frames:
                if number >= len(self._index):
                    self.strays.append(frame.pts or 0)
                if frame.is_corrupt:
                    self._note(number)
                yield AsRead(number, frame, frame.is_corrupt or is_torn)
                number, is_torn = number + 1, False


def ahead(frames: Iterator[tuple[int, av.VideoFrame]]) -> Iterator[tuple[int, av.VideoFrame]]:
    """The same frames, drawn by a background thread into a short queue."""
    ready: queue.Queue[tuple[int, av.VideoFrame] | BaseException | None] = queue.Queue(_FRAMES_AHEAD)
    stopping = threading.Event()

    def offer(item: tuple[int, av.VideoFrame] | BaseException | None) -> None:
        while not stopping.is_set():
            try:
                ready.put(item, timeout=0.1)
            except queue.Full:
                continue
            return

    def draw() -> None:
        try:
            for item in frames:
                offer(item)
                if stopping.is_set():
                    break
            offer(None)
        except BaseException as error:  # whatever it is, the consumer is to raise it
            offer(error)
        finally:
            frames.close()  # type: ignore[attr-defined]

    thread = threading.Thread(target=draw, name="read-frames", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopping.set()
        # Room in the queue wakes a thread that waits for it.
        while not ready.empty():
            ready.get_nowait()
        thread.join()


def _decoded(
    path: File, info: VideoInfo, index: FrameIndex, first: int, last: int, hardware: HWAccel | None
) -> Iterator[tuple[int, av.VideoFrame]]:
    """The frames, from the nearest key frame; from the start where that one does not give them."""
    start = index.key_before(first) if info.seekable else 0
    number = first
    try:
        for frame in _decoded_from(path, info, index, start, first, last, hardware):
            yield number, frame
            number += 1
        return
    except BadVideo:
        # A key frame that is none (gradual refresh, a wrong index): the way from the start is slow and right.
        if start == 0 or number > first:
            raise
    for frame in _decoded_from(path, info, index, 0, first, last, hardware):
        yield number, frame
        number += 1


def _decoded_from(
    path: File, info: VideoInfo, index: FrameIndex, start: int, first: int, last: int, hardware: HWAccel | None
) -> Iterator[av.VideoFrame]:
    """Raises BadVideo where a frame is missing or damaged of which `info` does not say so."""
    wanted, latest = first, None
    for frame in _frames(path, info, index, start, hardware):
        if frame.pts is None or frame.pts < index.pts[first]:
            latest = frame
            continue
        while wanted <= last and inside(info.damaged, wanted) and frame.pts > index.pts[wanted]:
            yield _again(path, info, latest or frame, index, wanted)
            wanted += 1
        if wanted > last:
            return
        if frame.pts < index.pts[wanted]:
            continue  # it is shown when there is no frame
        if frame.pts != index.pts[wanted] or (frame.is_corrupt and not inside(info.damaged, wanted)):
            raise BadVideo(path, f"frame {wanted} is missing or damaged", fix=_DAMAGED)
        yield in_size(frame, info, wanted, path)
        latest = frame
        wanted += 1
        if wanted > last:
            return
    for missing in range(wanted, last + 1):
        if latest is None or not inside(info.damaged, missing):
            raise BadVideo(path, f"frame {missing} is missing or damaged", fix=_DAMAGED)
        yield _again(path, info, latest, index, missing)


def _frames(path: File, info: VideoInfo, index: FrameIndex, start: int, hardware: HWAccel | None) -> Iterator[av.VideoFrame]:
    """What the decoder gives, from the key frame `start` on; what it does not give is missed by whoever counts the frames."""
    with open_source(path, guess_pts=not info.seekable, hardware=hardware) as container:
        stream = _stream_of(container, path, info)
        number = 0
        for packet in readable(packets_from(container, stream, int(index.pts[start]) if start else None), path):
            for frame in decodable(stream, packet):
                if not info.seekable:
                    # Times that were counted out are given by counting again.
                    frame.pts = int(index.pts[number]) if number < len(index) else None
                    frame.time_base = info.time_base
                number += 1
                yield frame


def _stream_of(container: InputContainer, path: File, info: VideoInfo) -> VideoStream:
    """The picture's stream, ready to be decoded."""
    stream = picture_stream(container, path)
    if stream.index != info.stream_index:
        raise BadVideo(path, "is not the file that was probed", fix="start again")
    skip_other_streams(container, stream)
    stream.thread_type = "AUTO"
    if info.codec == "h264":
        # Without it the decoder has to find out, and loses a frame each time that it does.
        stream.codec_context.reorder_depth = max(stream.codec_context.reorder_depth, info.reorder_frames)
    return stream


def _again(path: File, info: VideoInfo, frame: av.VideoFrame, index: FrameIndex, number: int) -> av.VideoFrame:
    """The same picture at another time."""
    sized = in_size(frame, info, number, path)
    again = fitted(sized, sized.width, sized.height, sized.format.name)
    again.pts, again.time_base = int(index.pts[number]), info.time_base
    return again


def packets_from(container: InputContainer, stream: VideoStream, key_pts: int | None) -> Iterator[Packet[VideoStream]]:
    """The stream's packets from the one shown at `key_pts` on, none where it is not found; all packets where it is None."""
    if key_pts is None:
        yield from container.demux(stream)
        return
    for back_seconds in _STEPS_BACK_SECONDS:
        container.seek(key_pts - int(back_seconds / (stream.time_base or 1)), stream=stream)
        packets = container.demux(stream)
        for packet in packets:
            if packet.pts == key_pts:
                yield packet
                yield from packets
                return
            if packet.pts is None or packet.pts > key_pts:
                break
