"""What a video file holds, and when each of its frames is shown."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tasks import arrays
from tasks.method import Settings

ColourRange = Literal["unspecified", "limited", "full"]


class AudioInfo(Settings):
    """A sound track that comes through unchanged."""

    index: int
    """place among all streams of the source"""
    codec: str
    channels: int
    sample_rate: int
    """samples per second"""
    language: str | None = None


class SubtitleInfo(Settings):
    """A subtitle track that comes through unchanged."""

    index: int
    """place among all streams of the source"""
    codec: str
    language: str | None = None


class VideoInfo(Settings):
    """A video file as it is, without its path: equal for equal bytes, wherever they lie."""

    content_hash: str
    """SHA-256 of the file, in hexadecimal"""
    num_bytes: int
    container: str
    """FFmpeg's name of the demuxer"""
    stream_index: int
    """place of the picture's stream among all streams of the source"""
    codec: str
    profile: str | None
    pixel_format: str
    """FFmpeg's name of what the decoder gives"""
    width: int
    """of the decoded picture, before any turn"""
    height: int
    frame_rate: Fraction
    """average frames per second; time itself is in the frame index"""
    time_base: Fraction
    """seconds per unit of pts"""
    num_frames: int
    duration_seconds: float
    """from the first frame's appearance to the last one's end"""
    rotation_degrees: Literal[0, 90, 180, 270]
    """how far to turn the decoded picture clockwise so that it is upright"""
    display_matrix: tuple[int, ...] | None
    """the nine numbers that say how to show the picture, turn and mirroring; None where the file has none"""
    sample_aspect: Fraction
    """width of a sample over its height; 1 where the file does not say"""
    colour_range: ColourRange
    colour_primaries: int
    """code point of ITU-T H.273; 2 is unspecified"""
    colour_transfer: int
    """code point of ITU-T H.273; 2 is unspecified"""
    colour_matrix: int
    """code point of ITU-T H.273; 2 is unspecified"""
    reorder_frames: int
    """how many frames the decoder holds back to put them in order of presentation"""
    seekable: bool
    """whether a frame is found by its pts from any key frame on; False means that reading starts at the file's start"""
    audio: tuple[AudioInfo, ...]
    subtitles: tuple[SubtitleInfo, ...]
    dropped: tuple[str, ...]
    """a line for each thing in the source that will not come through"""

    @property
    def copied_streams(self) -> tuple[int, ...]:
        """Places of the streams that are copied packet by packet."""
        return (*(one.index for one in self.audio), *(one.index for one in self.subtitles))


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """When each frame is shown, in order of presentation.

    pts: (N,) int64, in units of the source's time base, strictly increasing
    is_key: (N,) bool, whether decoding can start at the frame
    groups: (N,) int64, the same for frames that are one closed group of pictures, whose packets can be copied; -1 where they cannot
    """

    pts: npt.NDArray[np.int64]
    is_key: npt.NDArray[np.bool_]
    groups: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pts)

    def index_of(self, pts: int) -> int | None:
        """The number of the frame shown at `pts`, or None where none is."""
        place = int(np.searchsorted(self.pts, pts))
        return place if place < len(self.pts) and self.pts[place] == pts else None

    def key_before(self, frame: int) -> int:
        """The last key frame at or before `frame`; 0 where none is marked."""
        keys = np.flatnonzero(self.is_key[: frame + 1])
        return int(keys[-1]) if len(keys) else 0

    def until(self, num_frames: int) -> FrameIndex:
        """The first frames. A group of which some are left out cannot be copied."""
        groups = self.groups[:num_frames].copy()
        groups[np.isin(groups, self.groups[num_frames:])] = -1
        return FrameIndex(self.pts[:num_frames], self.is_key[:num_frames], groups)

    def to_bytes(self) -> bytes:
        return arrays.pack({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_bytes(cls, content: bytes) -> FrameIndex:
        columns: dict[str, Any] = dict(arrays.unpack(content))
        return cls(**columns)
