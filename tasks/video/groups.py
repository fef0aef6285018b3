"""Groups of pictures that can be copied as they are: closed, whole, and with nothing in them but pictures."""

from __future__ import annotations

from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.video.nal import Codec, is_idr, is_only_picture, units_of
from tasks.video.parameter_sets import ParameterSets

NO_GROUP = -1

_CONTAINERS = ("mp4", "matroska")  # parts of FFmpeg's names of them


class Inspector:
    """Looks into a stream's packets, where they are of a kind that is ever copied."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._codec = cast(Codec, stream.codec.canonical_name)
        self._length_bytes = 0
        if self._codec in get_args(Codec) and any(name in container.format.name for name in _CONTAINERS):
            try:
                sets = ParameterSets.from_record(stream.codec_context.extradata, self._codec)
            except (ValueError, IndexError):
                return
            self._length_bytes = sets.length_bytes if sets.leaves_room else 0

    def look_into(self, packet: Packet[Any]) -> tuple[bool, bool]:
        """Whether decoding can begin anew at the packet, and whether it holds nothing but its picture; twice no where that is not known."""
        if self._length_bytes and packet.has_sidedata("new_extradata"):
            self._length_bytes = 0
        if not self._length_bytes:
            return False, False
        try:
            units = units_of(bytes(packet), self._length_bytes)
            return is_idr(units, self._codec), is_only_picture(units, self._codec)
        except (ValueError, IndexError):
            return False, False


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
