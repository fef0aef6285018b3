"""Whether a file is all there: FFmpeg plays what it finds and says nothing of the rest."""

from __future__ import annotations

from typing import BinaryIO

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.video.boxes import boxes
from tasks.video.decoding import readable
from tasks.video.files import File, num_bytes_of, opened
from tasks.video.opening import LARGEST_SIDE, open_source
from tasks.video.scan import Scan

DAMAGED = "copy or download it again, or repair it first"

_LONGEST_SECONDS = 31 * 24 * 3600.0
_SLACK_SECONDS = 1.0
_MATROSKA_SEGMENT = 0x18538067
_TS_PACKET_BYTES = {188: 0, 192: 4, 204: 0}  # by the size, where the byte is that each begins with
_TS_PACKETS, _TS_SYNC = 8, 0x47


def missing_of(scan: Scan, container: InputContainer, stream: VideoStream, path: File) -> str:
    """What of the scanned file is not there, "" where all of it is.

    Raises BadVideo where it has no picture that decodes, is absurdly long or large, or where less than half of it is there.
    """
    if scan.num_packets == 0:
        raise BadVideo(path, "has no frames", fix=DAMAGED)
    if scan.first_frame is None:
        raise BadVideo(path, f"not one of its frames can be decoded ({scan.codec})", fix=DAMAGED)
    if max(scan.first_frame.width, scan.first_frame.height) > LARGEST_SIDE:
        raise BadVideo(path, f"has pictures larger than {LARGEST_SIDE} pixels", fix="scale it down first")
    if scan.end_seconds > _LONGEST_SECONDS:
        raise BadVideo(path, f"claims to last {scan.end_seconds:.0f} seconds, more than 31 days", fix="split it first")
    counted = _counted(scan, container, stream, path)
    num_bytes, end_bytes = num_bytes_of(path), _end_bytes(container.format.name, path)
    seconds = (scan.end_seconds, (container.duration or 0) / av.time_base if "matroska" in container.format.name else 0.0)
    if counted[0] < counted[1]:
        return _missing(path, *counted, "frames")
    if end_bytes is not None and num_bytes < end_bytes:
        return _missing(path, num_bytes, end_bytes, "bytes")
    if end_bytes is None and seconds[1] - seconds[0] > _SLACK_SECONDS:
        return _missing(path, *seconds, "seconds")
    if container.format.name == "mpegts" and _ends_inside_a_packet(path, num_bytes):
        return "ends early: inside of a packet"
    return ""


def _missing(path: File, found: float, declared: float, what: str) -> str:
    """Raises BadVideo where that is more than half."""
    numbers = f"{found:.2f} of {declared:.2f}" if what == "seconds" else f"{found} of {declared}"
    if found < declared / 2:
        raise BadVideo(path, f"ends early: only {numbers} {what} are there", fix=DAMAGED)
    return f"ends early: {numbers} {what} are there"


def _counted(scan: Scan, container: InputContainer, stream: VideoStream, path: File) -> tuple[int, int]:
    """How many frames there are, and how many the header promises."""
    if "mp4" in container.format.name:
        complete = scan.num_packets >= stream.frames
        return scan.num_packets if complete else _num_packets_unedited(path, stream.index), stream.frames
    if container.format.name == "avi":
        # Its clock counts frames, those that were left out too.
        return max(scan.num_packets, (scan.latest_pts or 0) + 1), stream.frames
    return 0, 0


def _num_packets_unedited(path: File, stream_index: int) -> int:
    """How many packets of a stream are in an mp4 file, those too that an edit list leaves out, as after a phone's trim."""
    with open_source(path, edited=False) as container:
        stream = container.streams[stream_index]
        return sum(packet.size > 0 for packet in readable(container.demux(stream), path))


def _ends_inside_a_packet(path: File, num_bytes: int) -> bool:
    """Of a transport stream, whose packets are all of one size (188 bytes; more with a time code or a checksum)."""
    with opened(path) as file:
        head = file.read(_TS_PACKETS * max(_TS_PACKET_BYTES))
    for size, first in _TS_PACKET_BYTES.items():
        if all(head[place] == _TS_SYNC for place in range(first, len(head), size)):
            return num_bytes % size != 0
    return False


def _end_bytes(container: str, path: File) -> int | None:
    """Where the file says that it ends; None where it does not."""
    if "mp4" in container:
        return _boxes_end(path)
    return _matroska_end(path) if "matroska" in container else None


def _boxes_end(path: File) -> int | None:
    """Where the last box of an mp4 or mov file says that it ends, in bytes; None where one has no length."""
    with opened(path) as file:
        ends = [box.end for box in boxes(file)]
    return ends[-1] if ends else None


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
