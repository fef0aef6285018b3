"""Groups of pictures that can be copied as they are: closed, whole, and with nothing in them but pictures."""

from __future__ import annotations

from typing import Any, NamedTuple, cast, get_args

import numpy as np
import numpy.typing as npt
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from tasks.video.nal import Codec, is_idr, is_parameter_set, sift, units_of
from tasks.video.parameter_sets import ParameterSets
from tasks.video.set_ends import HidesData

NO_GROUP = -1

_CONTAINERS = ("mp4", "matroska")  # parts of FFmpeg's names of them


class Look(NamedTuple):
    """What is known of a packet."""

    is_idr: bool = False
    """whether decoding can begin anew at it"""
    is_plain: bool = False
    """whether it can be copied: it holds its picture, and nothing else that could show or locate anybody"""
    strange: frozenset[str] = frozenset()
    """what else it holds, see `nal.Sifted`"""


class Inspector:
    """Looks into a stream's packets, where they are of a kind that is ever copied."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._codec = cast(Codec, stream.codec.canonical_name)
        self._length_bytes = 0
        self._told: tuple[bytes, ...] = ()
        self._constants: dict[int, bytes] = {}
        self.hides_in_header = False
        if self._codec in get_args(Codec) and any(name in container.format.name for name in _CONTAINERS):
            try:
                sets = ParameterSets.from_stream(stream)
            except HidesData:
                self.hides_in_header = True
                return
            except (ValueError, IndexError):
                return
            self._length_bytes = sets.length_bytes if sets.leaves_room else 0
            self._told = sets.units

    def look_into(self, packet: Packet[Any]) -> Look:
        """Nothing is known of packets of other kinds."""
        if self._length_bytes and packet.has_sidedata("new_extradata"):
            self._length_bytes = 0
        if not self._length_bytes:
            return Look()
        try:
            units = units_of(bytes(packet), self._length_bytes)
        except ValueError:
            return Look(strange=frozenset({""}))
        found = sift(units, self._codec)
        same = all(self._constants.setdefault(*each) == each[1] for each in found.constants.items())
        # Parameter sets that the header has not would be lost with a group that is encoded, and be missed in those after it.
        told = all(unit in self._told for unit in found.kept if is_parameter_set(unit, self._codec))
        strange = found.strange if same else found.strange | {""}
        return Look(is_idr(units, self._codec), told and not strange, strange)


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
