"""What a video file holds, and when each of its frames is shown."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks import arrays
from tasks.method import Settings
from tasks.video.clock import ClockJump
from tasks.video.hdr import ContentLight, MasteringDisplay

FieldOrder = Literal["progressive", "top_first", "bottom_first"]
ColourRange = Literal["unspecified", "limited", "full"]
Tracks = Literal["audio", "subtitles"] | Annotated[int, Field(ge=0)]
"""all of a kind, or one by its place among all streams of the source"""


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


class LostTrack(Settings):
    """A track that plays in the source and cannot come through."""

    index: int
    """place among all streams of the source"""
    kind: Literal["video", "audio", "subtitles"]
    what: str
    """in words, with its place and codec"""


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
    mirrored: bool = False
    """whether the turned picture has to be mirrored left to right as well"""
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
    field_order: FieldOrder = "progressive"
    """which lines of an interlaced frame are older"""
    mastering_display: MasteringDisplay | None = None
    content_light: ContentLight | None = None
    closed_captions: bool = False
    """whether captions are in the picture's own stream (CEA-608, CEA-708)"""
    stereoscopic: bool = False
    """whether the picture is two, side by side or the like, and says so"""
    timecode: str | None = None
    """of the first frame, where the file has a clock of its own: HH:MM:SS:FF, with ; before FF where numbers are dropped"""
    lossless: bool = False
    """whether decoding gives what the encoder was given"""
    quantiser: float | None = None
    """of the better frames, on the scale of 8-bit H.264; None where the codec does not tell"""
    bits_per_pixel: float | None = None
    """of the encoded picture"""
    reorder_frames: int
    """how many frames the decoder holds back to put them in order of presentation"""
    seekable: bool
    """whether a frame is found by its pts from any key frame on; False means that reading starts at the file's start"""
    jumps: tuple[ClockJump, ...] = ()
    """where the clock was set anew; the index goes on there"""
    cut_off: str = ""
    """what of the file is not there"""
    damaged: tuple[tuple[int, int], ...] = ()
    """first and last of frames, numbered in the whole file, that a decoder concealed or that refer to such; known once all was read"""
    resized: tuple[tuple[int, int], ...] = ()
    """first and last of frames, numbered in the whole file, of another size, which are brought to this one; known once all was read"""
    warnings: tuple[str, ...] = ()
    """a line for each thing that was mended"""
    audio: tuple[AudioInfo, ...]
    subtitles: tuple[SubtitleInfo, ...]
    lost: tuple[LostTrack, ...] = ()
    dropped: tuple[str, ...]
    """a line for each thing in the source that will not come through"""

    @property
    def turn(self) -> tuple[int, int, int, bool]:
        """The decoded picture's width and height, its turn and whether it is mirrored, as the functions of `upright` take them."""
        return (self.width, self.height, self.rotation_degrees, self.mirrored)

    @property
    def upright_aspect(self) -> float:
        """Width of a sample of the upright picture over its height, within what any camera or disc uses."""
        aspect = min(4.0, max(0.25, float(self.sample_aspect)))
        return 1 / aspect if self.rotation_degrees in (90, 270) else aspect

    @property
    def copied_streams(self) -> tuple[int, ...]:
        """Places of the streams that are copied packet by packet."""
        return (*(one.index for one in self.audio), *(one.index for one in self.subtitles))

    def without(self, tracks: Collection[Tracks]) -> VideoInfo:
        """The same, with these tracks neither copied nor missed."""
        gone = {*tracks}
        audio = tuple(one for one in self.audio if not gone & {"audio", one.index})
        subtitles = tuple(one for one in self.subtitles if not gone & {"subtitles", one.index})
        lost = tuple(one for one in self.lost if not gone & {one.kind, one.index})
        return self.model_copy(update={"audio": audio, "subtitles": subtitles, "lost": lost})


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

    def part(self, first: int, stop: int) -> FrameIndex:
        """The frames from `first` on, up to `stop` and without it. A group of which some are left out cannot be copied."""
        groups = self.groups[first:stop].copy()
        groups[np.isin(groups, np.concatenate([self.groups[:first], self.groups[stop:]]))] = -1
        return FrameIndex(self.pts[first:stop], self.is_key[first:stop], groups)

    def to_bytes(self) -> bytes:
        return arrays.pack({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_bytes(cls, content: bytes) -> FrameIndex:
        columns: dict[str, Any] = dict(arrays.unpack(content))
        return cls(**columns)
