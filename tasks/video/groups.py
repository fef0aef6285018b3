"""Groups of pictures that can be copied as they are: closed, whole, and with nothing in them but pictures."""

from __future__ import annotations

from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.video.nal import Codec, is_idr, is_only_picture, is_parameter_set, units_of
from tasks.video.parameter_sets import ParameterSets

NO_GROUP = -1

_CONTAINERS = ("mp4", "matroska")  # parts of FFmpeg's names of them


class Inspector:
    """Looks into a stream's packets, where they are of a kind that is ever copied."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._codec = cast(Codec, stream.codec.canonical_name)
        self._length_bytes = 0
        self._told: tuple[bytes, ...] = ()
        if self._codec in get_args(Codec) and any(name in container.format.name for name in _CONTAINERS):
            try:
                sets = ParameterSets.from_record(stream.codec_context.extradata, self._codec)
            except (ValueError, IndexError):
                return
            self._length_bytes = sets.length_bytes if sets.leaves_room else 0
            self._told = sets.units

    def look_into(self, packet: Packet[Any]) -> tuple[bool, bool]:
        """Whether decoding can begin anew at the packet, and whether it holds nothing but its picture; twice no where that is not known."""
        if self._length_bytes and packet.has_sidedata("new_extradata"):
            self._length_bytes = 0
        if not self._length_bytes:
            return False, False
        try:
            units = units_of(bytes(packet), self._length_bytes)
            # Parameter sets that the header has not would be lost with a group that is encoded, and be missed in those after it.
            told = all(unit in self._told for unit in units if is_parameter_set(unit, self._codec))
            return is_idr(units, self._codec), told and is_only_picture(units, self._codec)
        except (ValueError, IndexError):
            return False, False


def is_cropped(stream: VideoStream) -> bool:
    """Whether packets hold more of the picture than is shown: more than the rest of the last block, of 16 samples, or 64 in HEVC."""
    context = stream.codec_context
    block = 16 if stream.codec.canonical_name == "h264" else 64
    return context.coded_width - context.width >= block or context.coded_height - context.height >= block


def groups_of(pts: npt.NDArray[np.int64], is_idr: npt.NDArray[np.bool_], is_plain: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """(N,) int64, the number of the group that each packet, in order of decoding, can be copied with; NO_GROUP where there is none.

    A group begins with a picture that nothing refers past, and all shown before it are decoded before it.
    """
    if not len(pts):
        return np.zeros(0, np.int64)
    shown_before = np.concatenate([[pts.min() - 1], np.maximum.accumulate(pts)[:-1]])
    shown_after = np.minimum.accumulate(pts[::-1])[::-1]
    groups = np.cumsum(is_idr & (shown_before < pts) & (pts <= shown_after)) - 1
    spoiled = np.unique(groups[~is_plain])
    return np.where(np.isin(groups, spoiled), NO_GROUP, groups).astype(np.int64)
