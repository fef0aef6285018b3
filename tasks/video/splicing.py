"""One stream of a source's own packets and of packets that were encoded anew: both kinds' parameter sets, each under numbers of its own."""

from __future__ import annotations

from typing import Any, cast, get_args

import av
from av.packet import Packet
from av.video.format import VideoFormat
from av.video.stream import VideoStream

from tasks.video.encoders import CODECS, Encoding
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.nal import Codec, is_parameter_set, packet_of, sift, units_of, units_of_annex_b
from tasks.video.parameter_sets import ParameterSets
from tasks.video.renumbering import renumbered

_CONTAINERS = ("mp4", "mov", "matroska")
_ENCODERS = ("libx264", "libx265")
_CHROMA_FORMATS = {(0, 0): 0, (4, 4): 1, (4, 8): 2, (8, 8): 3}


def why_not_copied(info: VideoInfo, index: FrameIndex, container_format: str, encoding: Encoding) -> str | None:
    """Why no packet of a source can stand in a result of that container and encoder; None where some can."""
    ours = encoding.encoder
    containers = all(any(name in each for name in _CONTAINERS) for each in (container_format, info.container))
    reasons = {
        f"{info.codec} is not copied in part": info.codec not in get_args(Codec),
        "only mp4, mov and mkv files are copied in part": not containers,
        f"the source is {info.codec}, and {ours} writes what is covered": ours not in _ENCODERS or CODECS[ours] != info.codec,
        f"the source is {info.pixel_format}, and {ours} writes {encoding.pixel_format}": encoding.pixel_format != info.pixel_format,
        "the picture changes its size": bool(info.resized),
        "the source is interlaced": info.field_order != "progressive",
        "its groups of pictures are open, or hold more than pictures": not (index.groups >= 0).any(),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


class Splice:
    """How the encoded pieces of a stream are made to fit among the source's own; `told` is what decoders are told before them."""

    def __init__(self, template: VideoStream, told: bytes, info: VideoInfo) -> None:
        self._codec = cast(Codec, info.codec)
        self._source = ParameterSets.from_stream(template)
        units = units_of_annex_b(told)
        self._encoded = [renumbered(unit, self._codec) for unit in units if is_parameter_set(unit, self._codec)]
        self._info = info

    @property
    def record(self) -> bytes:
        """What the decoder is told before the first packet."""
        layout = VideoFormat(self._info.pixel_format, 8, 8)
        chroma = (0, 0) if len(layout.components) < 3 else (layout.chroma_width(8), layout.chroma_height(8))
        return self._source.joined(self._encoded, _CHROMA_FORMATS[chroma], layout.components[0].bits)

    def fitted(self, packet: Packet[Any], copied: bool) -> Packet[Any]:
        """A packet as one of a stream in which each unit follows its length; the source's own without what no player needs."""
        if copied:
            units = sift(units_of(bytes(packet), self._source.length_bytes), self._codec).kept
        else:
            units = [renumbered(unit, self._codec) for unit in units_of_annex_b(bytes(packet))]
        made = av.Packet(packet_of(units))
        made.is_keyframe = packet.is_keyframe
        return made
