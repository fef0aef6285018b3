"""Pictures as a video: those of a folder, a frame a picture, in the order of their numbers; or a single one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

import av
import numpy as np

from tasks.errors import BadVideo
from tasks.video.files import Folder, num_bytes_of, renewed, sha256_of
from tasks.video.fitting import in_size
from tasks.video.hardware import ON_THE_CPU, DecoderSettings
from tasks.video.info import ColourRange, FrameIndex, VideoInfo
from tasks.video.locations import matching, natural
from tasks.video.parallel import in_order
from tasks.video.pictures.kinds import BROKEN, KINDS, Kind, TooLarge, WrittenKind, decode, header_of
from tasks.video.pictures.orientation import Header, matrix_of
from tasks.video.read import UndamagedReading, ahead
from tasks.video.scan import USUAL_RATE
from tasks.video.sources import Images
from tasks.video.upright import is_mirrored, rotation_of
from tasks.video.whole import DAMAGED

CONTAINER = "image2"
"""what the container of a video is called that is a folder of pictures"""

_MOST_BYTES = 1 << 30  # of one file: as many as the largest picture has, uncompressed
_READERS = 8  # of whole files at once: much of it is waiting
_RANGES: dict[int, ColourRange] = {0: "unspecified", 1: "limited", 2: "full"}


class _Seen(NamedTuple):
    """What a look at one file tells."""

    header: Header
    num_bytes: int
    has_more: bool
    """whether there is anything in it but the picture"""


@dataclass(frozen=True)
class PictureFolder:
    """The pictures in a folder, those whose names fit a pattern, or one alone, as a source. There is no sound."""

    location: str
    folder: Folder
    pattern: str | None = None
    file: None = None
    only: str | None = None
    """the name of the one that is meant"""

    @cached_property
    def names(self) -> list[str]:
        """In order. Raises BadVideo where there are none, or they are of several kinds."""
        if self.only is not None:
            return [self.only]
        there = self.folder.names()
        if self.pattern is None:
            found = sorted((name for name in there if not name.startswith(".") and _suffix(name) in KINDS), key=natural)
        else:
            found = matching(there, self.pattern)
        if not found:
            what = "holds no pictures" if self.pattern is None else "is the name of no file"
            raise BadVideo(self.location, what, fix=f"name a folder of {', '.join(KINDS)}, or a pattern such as img%07d.png or *.jpg")
        kinds = Counter(KINDS[_suffix(name)].codec if _suffix(name) in KINDS else _suffix(name) for name in found)
        if len(kinds) > 1 or _suffix(found[0]) not in KINDS:
            said = ", ".join(kinds)
            problem = f"holds files of different kinds ({said})" if len(kinds) > 1 else f"means files of a kind that is not read ({said})"
            raise BadVideo(self.location, problem, fix=f"name one kind, such as *.png, of {', '.join(KINDS)}")
        return found

    @property
    def kind(self) -> Kind:
        return KINDS[_suffix(self.names[0])]

    def content_hash(self) -> str:
        """Of the names in order, and of each file's content; of one that is alone, as of any file."""
        if self.only is not None:
            return sha256_of(self.folder.file(self.only))
        hashes = in_order(lambda name: sha256_of(self.folder.file(name)), self.names, _READERS)
        lines = (f"{name}\0{sha256}\n" for name, sha256 in zip(self.names, hashes, strict=True))
        return hashlib.sha256(b"pictures\n" + "".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def check(self) -> None:
        renewed(self.folder.file(self.names[0]))
        self._num_bytes(self.names[0])
        self._decoded(self.names[0])

    def probe(self, content_hash: str | None, images: Images) -> tuple[VideoInfo, FrameIndex]:
        seen = list(in_order(self._look, self.names, _READERS))
        for name, one in zip(self.names, seen, strict=True):
            self._check_same(name, one.header, seen[0].header)
        frame = self._decoded(self.names[0])
        matrix = matrix_of(seen[0].header.orientation)
        num_frames = len(seen)
        frame_rate = images.frame_rate or USUAL_RATE
        dropped = ["metadata, thumbnails or further pictures in the files"] if any(one.has_more for one in seen) else []
        info = VideoInfo(
            content_hash=content_hash or self.content_hash(),
            num_bytes=sum(one.num_bytes for one in seen),
            container=CONTAINER,
            stream_index=0,
            codec=self.kind.codec,
            profile=None,
            pixel_format=frame.format.name,
            width=frame.width,
            height=frame.height,
            frame_rate=frame_rate,
            time_base=1 / frame_rate,
            num_frames=num_frames,
            duration_seconds=float(num_frames / frame_rate),
            rotation_degrees=rotation_of(matrix),
            mirrored=is_mirrored(matrix),
            display_matrix=matrix,
            sample_aspect=Fraction(1),
            colour_range=_RANGES.get(int(frame.color_range), "unspecified"),
            colour_primaries=int(frame.color_primaries),
            colour_transfer=int(frame.color_trc),
            colour_matrix=int(frame.colorspace),
            reorder_frames=0,
            seekable=True,
            audio=(),
            subtitles=(),
            dropped=tuple(dropped),
        )
        numbers = np.arange(num_frames, dtype=np.int64)
        return info, FrameIndex(numbers, np.ones(num_frames, np.bool_), groups=numbers)

    def frames(
        self, info: VideoInfo, index: FrameIndex, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """The decoder makes no difference: pictures are decoded on the CPU, in threads of their own."""
        if not 0 <= first <= last < len(index):
            raise ValueError(f"frames {first} to {last} of a video with {len(index)}")
        return self.some(info, index, range(first, last + 1))

    def some(self, info: VideoInfo, index: FrameIndex, numbers: Sequence[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """The frames with these numbers, and no others are read; decoded in threads of their own."""
        if len(self.names) < len(index):
            raise BadVideo(self.location, f"has {len(self.names)} pictures where there were {len(index)}", fix="start again")
        return ahead((number, self._frame(number, frame, info, index)) for number, frame in self.decoded(numbers))

    def first_reading(self, info: VideoInfo, index: FrameIndex, first: int, last: int) -> UndamagedReading:
        """A picture that cannot be decoded is an error: it can be taken out of the folder."""
        return UndamagedReading(self.decoded(range(first, last + 1)))

    def decoded(self, numbers: Sequence[int]) -> Iterator[tuple[int, av.VideoFrame]]:
        """The pictures with these numbers, as they are."""
        return in_order(lambda number: (number, self._decoded(self.names[number])), numbers)

    def picture(self, number: int) -> bytes:
        """The file of a frame."""
        return self._read(self.names[number])

    def _frame(self, number: int, frame: av.VideoFrame, info: VideoInfo, index: FrameIndex) -> av.VideoFrame:
        sized = in_size(frame, info, number, self.location)
        sized.pts, sized.time_base = int(index.pts[number]), info.time_base
        return sized

    def _look(self, name: str) -> _Seen:
        num_bytes = self._num_bytes(name)
        content, kind = self._read(name), self.kind
        try:
            header = header_of(content, kind)
            return _Seen(header, num_bytes, not isinstance(kind, WrittenKind) or kind.clean(content) != content)
        except BROKEN as error:
            raise self._bad(name, error) from error

    def _num_bytes(self, name: str) -> int:
        """Raises BadVideo for more than are read."""
        try:
            num_bytes = num_bytes_of(self.folder.file(name))
        except OSError as error:
            raise self._unreadable(name, error) from error
        if num_bytes > _MOST_BYTES:
            raise self._bad(name, TooLarge(f"has {num_bytes} bytes, more than any picture that is read"))
        return num_bytes

    def _check_same(self, name: str, header: Header, first: Header) -> None:
        if header.orientation != first.orientation:
            problem = f"{name} is turned another way than {self.names[0]} (Exif orientation)"
            raise BadVideo(self.location, problem, fix="turn the pictures themselves first")

    def _decoded(self, name: str) -> av.VideoFrame:
        try:
            return decode(self._read(name), self.kind)
        except BROKEN as error:
            raise self._bad(name, error) from error

    def _read(self, name: str) -> bytes:
        try:
            return self.folder.file(name).read_bytes()
        except OSError as error:
            raise self._unreadable(name, error) from error

    def _bad(self, name: str, error: Exception) -> BadVideo:
        problem = str(error) if isinstance(error, ValueError) else "is damaged"
        fix = "scale it down first" if isinstance(error, TooLarge) else DAMAGED
        return BadVideo(self.location, self._said(name, problem), fix=fix)

    def _unreadable(self, name: str, error: OSError) -> BadVideo:
        return BadVideo(self.location, self._said(name, f"cannot be read ({error.strerror})"), fix="check that file")

    def _said(self, name: str, problem: str) -> str:
        return problem if self.only is not None else f"{name} {problem}"


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
