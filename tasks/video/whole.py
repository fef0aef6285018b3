"""Whether a file is all there: FFmpeg plays what it finds and says nothing of the rest."""

from __future__ import annotations

from typing import BinaryIO

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.video.files import File, num_bytes_of, opened
from tasks.video.opening import LARGEST_SIDE, open_source
from tasks.video.scan import Scan

DAMAGED = "copy or download it again, or repair it first"

_LONGEST_SECONDS = 31 * 24 * 3600.0
_SLACK_SECONDS = 1.0
_MATROSKA_SEGMENT = 0x18538067


def check_whole(scan: Scan, container: InputContainer, stream: VideoStream, path: File) -> None:
    """Raises BadVideo where the scanned file has no picture that decodes, is absurdly long or large, or ends early."""
    if scan.num_packets == 0:
        raise BadVideo(path, "has no frames", fix=DAMAGED)
    if scan.first_frame is None:
        raise BadVideo(path, f"not one of its frames can be decoded ({scan.codec})", fix=DAMAGED)
    if max(scan.first_frame.width, scan.first_frame.height) > LARGEST_SIDE:
        raise BadVideo(path, f"has pictures larger than {LARGEST_SIDE} pixels", fix="scale it down first")
    declared, found = _counted(scan, container, stream)
    if found < declared and "mp4" in container.format.name:
        found = _num_packets_unedited(path, stream.index)
    if found < declared:
        raise BadVideo(path, f"ends early: {found} of {declared} frames are there", fix=DAMAGED)
    if scan.broken:
        raise BadVideo(path, f"ends early or is damaged: {scan.broken}", fix=DAMAGED)
    if scan.end_seconds > _LONGEST_SECONDS:
        raise BadVideo(path, f"claims to last {scan.end_seconds:.0f} seconds, more than 31 days", fix="split it first")
    if "mp4" in container.format.name:
        _check_bytes(_boxes_end(path), path)
    if "matroska" in container.format.name:
        end_bytes = _matroska_end(path)
        _check_bytes(end_bytes, path)
        declared_seconds = (container.duration or 0) / av.time_base
        if end_bytes is None and declared_seconds - scan.end_seconds > _SLACK_SECONDS:
            problem = f"ends early: {scan.end_seconds:.2f} of {declared_seconds:.2f} seconds are there"
            raise BadVideo(path, problem, fix=DAMAGED)


def _counted(scan: Scan, container: InputContainer, stream: VideoStream) -> tuple[int, int]:
    """How many frames the header promises, and how many there are."""
    if "mp4" in container.format.name:
        return stream.frames, scan.num_packets
    if container.format.name == "avi":
        # Its clock counts frames, those that were left out too.
        return stream.frames, max(scan.num_packets, (scan.latest_pts or 0) + 1)
    return 0, 0


def _num_packets_unedited(path: File, stream_index: int) -> int:
    """How many packets of a stream are in an mp4 file, those too that an edit list leaves out, as after a phone's trim."""
    with open_source(path, edited=False) as container:
        stream = container.streams[stream_index]
        return sum(packet.size > 0 for packet in container.demux(stream))


def _check_bytes(end_bytes: int | None, path: File) -> None:
    num_bytes = num_bytes_of(path)
    if end_bytes is not None and end_bytes > num_bytes:
        raise BadVideo(path, f"ends early: {num_bytes} of {end_bytes} bytes are there", fix=DAMAGED)


def _boxes_end(path: File) -> int | None:
    """Where the last box of an mp4 or mov file says that it ends, in bytes; None where one has no length."""
    with opened(path) as file:
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[:4], "big")
            # 1 stands for a length of 8 bytes behind the name, 0 for "to the end of the file".
            if not head[4:].isascii() or not head[4:].decode("ascii").isprintable():
                return file.tell() - len(head)  # no box's name: what a camera has put behind the last one
            size = int.from_bytes(file.read(8), "big") - 8 if length == 1 else length
            if size < 8:
                return None
            file.seek(size - 8, 1)
        return file.tell() if not head else None


def _matroska_end(path: File) -> int | None:
    """Where the header says that the file's segment ends, in bytes; None where it does not say (a live recording)."""
    with opened(path) as file:
        _number(file, keep_marker=True)
        header_bytes = _number(file)
        file.seek(header_bytes or 0, 1)
        if _number(file, keep_marker=True) != _MATROSKA_SEGMENT:
            return None
        segment_bytes = _number(file)
        return None if segment_bytes is None else file.tell() + segment_bytes


def _number(file: BinaryIO, *, keep_marker: bool = False) -> int | None:
    """The next variable-length number of EBML; None for the reserved "unknown" one, all bits set."""
    head = file.read(1)
    if not head or head[0] == 0:
        return None
    length = 9 - head[0].bit_length()
    value = int.from_bytes(head + file.read(length - 1), "big")
    if keep_marker:
        return value
    value &= (1 << 7 * length) - 1
    return None if value == (1 << 7 * length) - 1 else value
