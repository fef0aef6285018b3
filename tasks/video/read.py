"""Frames of a video, decoded ahead of whoever works on them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.video.files import File
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
    """Frames `first` to `last`, both included, each with its number; decoded in a thread of its own.

    Close the iterator (or run it to its end) to end the thread. Raises BadVideo naming the frame that is missing or damaged, ValueError
    where the video has no such frames.
    """
    if not 0 <= first <= last < len(index):
        raise ValueError(f"frames {first} to {last} of a video with {len(index)}")
    return ahead(_decoded(path, info, index, first, last, hardware_of(info, decoder)))


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
    with open_source(path, guess_pts=not info.seekable, hardware=hardware) as container:
        stream = picture_stream(container, path)
        if stream.index != info.stream_index:
            raise BadVideo(path, "is not the file that was probed", fix="start again")
        skip_other_streams(container, stream)
        stream.thread_type = "AUTO"
        if info.codec == "h264":
            # Without it the decoder has to find out, and loses a frame each time that it does.
            stream.codec_context.reorder_depth = max(stream.codec_context.reorder_depth, info.reorder_frames)
        wanted = first
        for number, frame in enumerate(_frames(container, stream, index, start)):
            if not info.seekable:
                # Times that were counted out are given by counting again.
                frame.pts = int(index.pts[number]) if number < len(index) else None
                frame.time_base = info.time_base
            if frame.pts is None or frame.pts < index.pts[first]:
                continue
            if frame.pts != index.pts[wanted] or frame.is_corrupt:
                raise BadVideo(path, f"frame {wanted} is missing or damaged", fix=_DAMAGED)
            if (frame.width, frame.height) != (info.width, info.height):
                # Boxes would mean other places in it, and what is there would be shown.
                sizes = f"frame {wanted} has {frame.width}x{frame.height} pixels, the first one {info.width}x{info.height}"
                raise BadVideo(path, f"changes its size: {sizes}", fix="convert it to one size first")
            yield frame
            if wanted == last:
                return
            wanted += 1
    raise BadVideo(path, f"frame {wanted} is missing or damaged", fix=_DAMAGED)


def _frames(container: InputContainer, stream: VideoStream, index: FrameIndex, start: int) -> Iterator[av.VideoFrame]:
    packets = packets_from(container, stream, int(index.pts[start]) if start else None)
    while True:
        # What a damaged packet should have given, or a file that became shorter, is missed by whoever counts the frames.
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError):
            return
        if packet is None:
            return
        try:
            frames = stream.decode(packet)
        except av.FFmpegError:
            continue
        yield from frames


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
