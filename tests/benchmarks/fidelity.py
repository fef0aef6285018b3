"""Whether a finished video is its source but for what is in the picture: same frames at the same times, same size, same sound."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path

import av

_AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What is the same as in the source."""

    num_frames: bool
    pts: bool
    size: bool
    audio: bool
    """all packets of all audio streams, byte for byte"""
    audio_times: bool

    @property
    def differs(self) -> list[str]:
        return [name for name, same in asdict(self).items() if not same]


@dataclass(slots=True)
class _Packets:
    size: tuple[int, int]
    pts_seconds: list[Fraction] = field(default_factory=list)
    audio_sha256s: dict[int, list[bytes]] = field(default_factory=dict)
    audio_seconds: dict[int, list[Fraction]] = field(default_factory=dict)


def fidelity(source: Path, output: Path) -> Fidelity:
    """Reads both files' packets. Times are compared as exact seconds, so that another time base is no difference."""
    a, b = _packets(source), _packets(output)
    return Fidelity(
        num_frames=len(a.pts_seconds) == len(b.pts_seconds),
        pts=a.pts_seconds == b.pts_seconds,
        size=a.size == b.size,
        audio=list(a.audio_sha256s.values()) == list(b.audio_sha256s.values()),
        audio_times=list(a.audio_seconds.values()) == list(b.audio_seconds.values()),
    )


def _packets(path: Path) -> _Packets:
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        found = _Packets((video.codec_context.width, video.codec_context.height))
        for packet in container.demux([video, *container.streams.audio]):
            if packet.pts is None or packet.time_base is None:
                continue  # the end of a stream
            seconds = packet.pts * packet.time_base
            if packet.stream.type == _AUDIO:
                found.audio_sha256s.setdefault(packet.stream_index, []).append(hashlib.sha256(bytes(packet)).digest())
                found.audio_seconds.setdefault(packet.stream_index, []).append(seconds)
            elif packet.stream_index == video.index:
                found.pts_seconds.append(seconds)
    found.pts_seconds.sort()
    return found
