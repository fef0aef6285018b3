"""Where pictures come from, whatever they are stored as: one small interface, and a video file behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Protocol

import av
from pydantic import BeforeValidator, Field

from tasks.method import Settings
from tasks.tracks import Span
from tasks.video.files import File, renewed, sha256_of
from tasks.video.hardware import ON_THE_CPU, DecoderSettings
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.probe import check_opens, probe_file
from tasks.video.read import AsRead, FirstFileReading, read_frames

_RATE = re.compile(r"0*[1-9]\d{0,6}(/0*[1-9]\d{0,6})?|\d{1,4}\.\d{1,9}")


def _written_out(rate: object) -> object:
    """As people write it: `1e999999999` is no rate, and takes forever to find out."""
    if (isinstance(rate, str) and not _RATE.fullmatch(rate)) or (isinstance(rate, float) and not math.isfinite(rate)):
        raise ValueError("is no frame rate: write 25, 23.976 or 30000/1001")
    return rate


class Images(Settings):
    """What neither a folder of pictures nor bare pictures in one stream need to say."""

    frame_rate: Annotated[Fraction, BeforeValidator(_written_out), Field(gt=0, le=1000)] | None = Field(
        None, description="pictures per second of a folder, or of bare H.264 and the like; without it, what these say themselves, or 25"
    )


class FirstReading(Protocol):
    """A source that is read to its end for the first time.

    damaged: known at the end: frames that are damaged, or may refer to such
    strays: pts of frames that the index does not have where they came
    """

    damaged: tuple[Span, ...]
    strays: list[int]

    def __iter__(self) -> Iterator[AsRead]:
        """All frames in order, whatever their size."""


class Source(Protocol):
    """Frames in order, the same ones each time. All methods raise BadVideo, which names what is wrong."""

    @property
    def location(self) -> str:
        """Where it is, for people."""

    @property
    def file(self) -> File | None:
        """The one file that it is, with whatever sound it has; None where it is none."""

    def content_hash(self) -> str:
        """SHA-256, in hex, of what it is, wherever it lies."""

    def check(self) -> None:
        """Opens it, and looks at the first frame."""

    def probe(self, content_hash: str | None, images: Images) -> tuple[VideoInfo, FrameIndex]:
        """What it holds, and its frames; the hash where it is known already."""

    def frames(
        self, info: VideoInfo, index: FrameIndex, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames `first` to `last`, both included, each with its number; to be closed."""

    def first_reading(self, info: VideoInfo, index: FrameIndex, first: int, last: int) -> FirstReading:
        """The same frames, read for the first time: as they are, and damaged or not."""


@dataclass(frozen=True)
class VideoFile:
    """A video file."""

    location: str
    file: File

    def content_hash(self) -> str:
        return sha256_of(self.file)

    def check(self) -> None:
        check_opens(renewed(self.file))

    def probe(self, content_hash: str | None, images: Images) -> tuple[VideoInfo, FrameIndex]:
        return probe_file(self.file, content_hash, images.frame_rate)

    def frames(
        self, info: VideoInfo, index: FrameIndex, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        return read_frames(self.file, info, index, first, last, decoder)

    def first_reading(self, info: VideoInfo, index: FrameIndex, first: int, last: int) -> FirstReading:
        return FirstFileReading(self.file, info, index, first, last)
