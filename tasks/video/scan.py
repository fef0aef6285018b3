"""One pass over a video's packets (or, where they do not tell, its frames) for the time of each frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from tasks.video.clock import ClockJump, going_on, is_jump
from tasks.video.decoding import MOST_REORDERED, decodable, readable
from tasks.video.files import File
from tasks.video.groups import NO_GROUP, Inspector, groups_of, is_cropped
from tasks.video.info import FrameIndex

USUAL_RATE = Fraction(25)
"""frames a second of what does not say"""
HIGHEST_RATE = Fraction(1000)
"""that is believed"""
PATIENCE_PACKETS = 300
"""a decoder that gives nothing for so many will not start giving"""
RAW = {"h264", "hevc", "m4v", "mpegvideo", "mjpeg"}
"""bare pictures, without a container that would say when each is shown"""


@dataclass
class SoundTimes:
    """Where sound goes back a little: packets whose time is over already, which are left out of the result."""

    latest: Fraction | None = None
    before: Fraction | None = None
    num_over: int = 0
    first_over: Fraction = Fraction(0)

    def add(self, seconds: Fraction, container: str) -> None:
        """The next packet's time."""
        if self.before is not None and is_jump(seconds - self.before, container):
            self.latest = None  # the clock was set anew
        self.before = seconds
        if self.latest is not None and seconds <= self.latest:
            self.first_over = self.latest if self.num_over == 0 else self.first_over
            self.num_over += 1
        else:
            self.latest = seconds


@dataclass
class Scan:
    """What a pass over the file found.

    pts, keys: of each shown packet or frame, in order of the pass
    idrs, plain: whether nothing decoded later refers past the packet, and whether it holds nothing but its picture; none known for frames
    strange: how many packets hold besides their picture what could show or locate anybody, by what it is (see `nal.Sifted`)
    hides_in_header: whether the picture's parameter sets hold more than a decoder reads
    num_packets, num_bytes: of the picture's stream, hidden ones too
    num_hidden: packets that an edit list hides
    sound: of each sound track that was read, what was seen of its times
    restarts, jumps: whether the clock is set anew somewhere; and where, once the frames were decoded
    num_undecodable: frames before the first that can be decoded
    end_seconds: the latest end of a packet of any stream that was read
    """

    codec: str
    time_base: Fraction
    pts: list[int | None] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    idrs: list[bool] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)
    strange: Counter[frozenset[str]] = field(default_factory=Counter)
    hides_in_header: bool = False
    num_packets: int = 0
    num_bytes: int = 0
    num_hidden: int = 0
    num_undecodable: int = 0
    first_frame: av.VideoFrame | None = None
    last_duration: int = 0
    end_seconds: float = 0.0
    reorder_frames: int = 0
    latest_pts: int | None = None
    restarts: bool = False
    jumps: tuple[ClockJump, ...] = ()
    sound: dict[int, SoundTimes] = field(default_factory=dict)

    @property
    def has_unique_pts(self) -> bool:
        """Whether every frame has a time, and no two the same, on one clock."""
        return not self.restarts and None not in self.pts and len(set(self.pts)) == len(self.pts) and any(self.keys)

    def index(self) -> FrameIndex:
        """The frames in order of presentation."""
        pts = np.array(self.pts, np.int64)
        order = np.argsort(pts, kind="stable")
        groups = groups_of(pts, np.array(self.idrs, bool), np.array(self.plain, bool)) if self.idrs else np.full(len(pts), NO_GROUP)
        return FrameIndex(pts[order], np.array(self.keys, bool)[order], groups[order])


def scan_packets(container: InputContainer, stream: VideoStream, path: File) -> Scan:
    """The packets of the stream; nothing is decoded after the first frame."""
    scan = Scan(codec=stream.codec.canonical_name, time_base=Fraction(stream.time_base or Fraction(1, 90000)))
    latest = latest_dts = None
    inspector = Inspector(container, stream)
    scan.hides_in_header = inspector.hides_in_header
    after_hidden = False
    # There, durations are differences of decoding times; only the very last one is its own.
    is_mp4 = "mp4" in container.format.name
    for packet in readable(container.demux(), path):
        if packet.size == 0:
            continue
        _note_end(scan, packet, container.format.name)
        if packet.stream_index != stream.index:
            continue
        if packet.dts is not None:
            scan.restarts |= latest_dts is not None and is_jump((packet.dts - latest_dts) * scan.time_base, container.format.name)
            latest_dts = packet.dts
        scan.num_packets += 1
        scan.num_bytes += packet.size
        if packet.is_discard:
            scan.num_hidden += 1
            # Whatever is copied with the packets around it would bring it back.
            scan.plain[-1:] = [False] * len(scan.plain[-1:])
            after_hidden = True
        else:
            look = inspector.look_into(packet)
            scan.pts.append(packet.pts)
            scan.keys.append(packet.is_keyframe)
            scan.idrs.append(look.is_idr)
            scan.plain.append(look.is_plain and not after_hidden)
            scan.strange[look.strange] += 1
            after_hidden = False
            is_latest = packet.pts is not None and (latest is None or packet.pts >= latest)
            latest = packet.pts if is_latest else latest
            scan.last_duration = (packet.duration or 0) if is_latest or is_mp4 else scan.last_duration
        _decode_until_first(scan, stream, packet)
    scan.latest_pts = latest
    scan.last_duration = scan.last_duration or step_of(stream, scan.time_base)
    if scan.first_frame is None:
        _decode_until_first(scan, stream, None)
    if is_cropped(stream):
        scan.plain = [False] * len(scan.plain)
    if scan.has_unique_pts:
        _drop_undecodable(scan)
        scan.reorder_frames = min(reorder_depth(np.array(scan.pts, np.int64)), MOST_REORDERED)
    return scan


def scan_frames(container: InputContainer, stream: VideoStream, scan: Scan, path: File, given_rate: Fraction | None = None) -> None:
    """Replace the packets of a scan by the frames, all decoded; their times are counted out where the file gives none."""
    stream.thread_type = "AUTO"
    pts: list[int | None] = []
    dts: list[int | None] = []
    keys: list[bool] = []
    for packet in readable(container.demux(stream), path):
        dts += [packet.dts] if packet.size else []
        for frame in decodable(stream, packet):
            pts.append(frame.pts if frame.pts is not None else frame.dts)
            keys.append(frame.key_frame)
    step = step_of(stream, scan.time_base, given_rate)
    if container.format.name in RAW:
        pts, scan.last_duration = [None] * len(pts), step
    elif container.format.name == "avi" and len(dts) == len(pts):  # it has places for frames, in order, and no times
        pts = dts
    mended, scan.jumps = going_on(_filled(pts, step), step, scan.time_base, container.format.name)
    scan.pts, scan.keys, scan.idrs, scan.plain, scan.reorder_frames = list(mended), keys, [], [], 0
    scan.num_undecodable = scan.num_hidden = 0


def step_of(stream: VideoStream, time_base: Fraction, given_rate: Fraction | None = None) -> int:
    """The time from frame to frame at the rate that is given, or the stream's average."""
    return max(1, round(1 / ((given_rate or rate_of(stream) or USUAL_RATE) * time_base)))


def rate_of(stream: VideoStream) -> Fraction | None:
    """Frames a second; of bare pictures what they say themselves, for FFmpeg assumes 25."""
    rates = (said_rate(stream), stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((Fraction(rate) for rate in rates if rate and rate <= HIGHEST_RATE), None)  # DV's average is of the clock's ticks


def said_rate(stream: VideoStream) -> Fraction | None:
    """Frames a second as bare pictures say it; None where they do not, and for all that is not bare."""
    said = stream.codec_context.framerate if stream.container.format.name in RAW else None
    return Fraction(said) if said and said <= HIGHEST_RATE else None


def _filled(pts: Sequence[int | None], step: int) -> list[int]:
    """Times as given; where there is none, counted on in steps, back or forth, from the nearest given one."""
    known = next((number for number, time in enumerate(pts) if time is not None), None)
    latest = -step if known is None else (pts[known] or 0) - (known + 1) * step
    filled = []
    for time in pts:
        latest = latest + step if time is None else time
        filled.append(latest)
    return filled


def reorder_depth(pts_as_decoded: npt.NDArray[np.int64]) -> int:
    """How many places a frame is decoded after its place in order of presentation, at most."""
    ranks = np.empty(len(pts_as_decoded), np.int64)
    ranks[np.argsort(pts_as_decoded, kind="stable")] = np.arange(len(pts_as_decoded))
    return int(np.max(np.arange(len(ranks)) - ranks, initial=0))


def _note_end(scan: Scan, packet: Packet[Stream], container: str) -> None:
    if packet.stream.type == "audio" and packet.dts is not None:
        scan.sound.setdefault(packet.stream_index, SoundTimes()).add(packet.dts * packet.time_base, container)
    start = packet.pts if packet.pts is not None else packet.dts
    if start is not None:
        scan.end_seconds = max(scan.end_seconds, float((start + (packet.duration or 0)) * packet.time_base))


def _decode_until_first(scan: Scan, stream: VideoStream, packet: Packet[Any] | None) -> None:
    if scan.first_frame is not None or scan.num_packets > PATIENCE_PACKETS:
        return
    # The first packets of a recording that was cut may not decode; a later one will, or the file is refused.
    frames = decodable(stream, packet)
    if frames:
        scan.first_frame = frames[0]


def _drop_undecodable(scan: Scan) -> None:
    """Leave out what comes before the first frame that decodes: pictures whose key frame was cut away, which no player shows."""
    first = scan.first_frame.pts if scan.first_frame is not None else None
    if first is None:
        return
    shown = [number for number, pts in enumerate(scan.pts) if pts is not None and pts >= first]
    scan.num_undecodable = len(scan.pts) - len(shown)
    scan.pts = [scan.pts[number] for number in shown]
    scan.keys, scan.idrs, scan.plain = ([column[number] for number in shown] for column in (scan.keys, scan.idrs, scan.plain))
