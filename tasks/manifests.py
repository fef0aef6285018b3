"""What the stages return: small, JSON, and naming the objects that hold the arrays and pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Literal

import av
import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks import arrays
from tasks.checking import Finding
from tasks.choosing import Decision
from tasks.copying import Stretch
from tasks.errors import BadSetting
from tasks.faces import Detections, Floats, Ints
from tasks.false_positives import Ignored
from tasks.glances import CHUNK_FRAMES
from tasks.method import Settings
from tasks.moments import frame_from
from tasks.results import Manifest, ObjectRef, ObjectStore
from tasks.tracks import Shot, Span, Track, tracks_from_bytes
from tasks.trails import Trail, trails_from_bytes
from tasks.video.hardware import ON_THE_CPU, DecoderSettings
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part
from tasks.video.sources import Source
from tasks.video.timecode import timecode_after


class PartOf(Settings):
    """What a video is a part of, in a manifest."""

    first: int
    """number in the whole of the part's first frame"""
    first_pts: int
    """of the whole"""
    index_ref: ObjectRef
    """of all frames of the whole"""
    duration_seconds: float
    """of the whole"""


_MOST_LINES = 100  # of a report, about one thing


def _shortened(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], f"and at {len(lines) - _MOST_LINES} more places"]


class SizeChange(Settings):
    """A picture size, from a frame on that is numbered in the whole file."""

    frame: int
    width: int
    height: int


class Video(Manifest):
    """A video as it is, without its path; or a part of it, whose frames are counted from the part's first."""

    info: VideoInfo
    index_ref: ObjectRef
    part_of: PartOf | None = None

    @property
    def index(self) -> FrameIndex:
        return FrameIndex.from_bytes(ObjectStore().get(self.index_ref))

    @property
    def part(self) -> Part | None:
        """What it is a part of, if it is."""
        if self.part_of is None:
            return None
        whole = FrameIndex.from_bytes(ObjectStore().get(self.part_of.index_ref))
        return Part(self.part_of.first, whole, self.part_of.duration_seconds)

    @property
    def in_whole(self) -> tuple[FrameIndex, int]:
        """The index of the whole file, and the number in it of the first frame."""
        part = self.part
        return (self.index, 0) if part is None else (part.index, part.first)

    @property
    def damaged(self) -> list[Span]:
        """First and last of frames that are damaged or may refer to such."""
        return self._numbered_here(self.info.damaged)

    @property
    def resized(self) -> list[Span]:
        """First and last of frames whose picture has another size."""
        return self._numbered_here(self.info.resized)

    def _numbered_here(self, spans: Sequence[Span]) -> list[Span]:
        first = 0 if self.part_of is None else self.part_of.first
        return [(begin - first, end - first) for begin, end in spans]

    def as_read(self, shots: Shots, size: Literal["first", "largest"]) -> Video:
        """The same video, with what was seen when it was read: `size` says which one the result has."""
        as_probed = {(each.width, each.height) for each in shots.sizes} <= {(self.info.width, self.info.height)}
        if not shots.damaged and not shots.num_strays and as_probed:
            return self
        (index, first), info = self.in_whole, self.info
        seconds = (index.pts - index.pts[first]) * float(info.time_base)
        sizes = [(each.width, each.height) for each in shots.sizes]
        width, height = max(sizes, key=math.prod) if size == "largest" and sizes else (info.width, info.height)
        begins = [each.frame for each in shots.sizes]
        ends = [*(begin - 1 for begin in begins[1:]), first + info.num_frames - 1]
        resized = [span for span, each in zip(zip(begins, ends, strict=True), sizes, strict=True) if each != (width, height)]
        damaged = [
            f"damaged from {seconds[begin]:.2f} s on (frames {begin - first} to {end - first}): covered whole"
            for begin, end in shots.damaged
        ]
        scaled = [
            f"the picture has another size from {seconds[begin]:.2f} s on (frames {begin - first} to {end - first}): "
            f"scaled to {width}x{height}"
            for begin, end in resized
        ]
        warnings = [*_shortened(damaged), *_shortened(scaled)]
        warnings += [f"{shots.num_strays} frames of the source have no time of their own, and are left out"] if shots.num_strays else []
        read = {"damaged": shots.damaged, "resized": tuple(resized), "width": width, "height": height}
        return self.model_copy(update={"info": info.model_copy(update=read | {"warnings": (*info.warnings, *warnings)})})

    @property
    def begins(self) -> int | None:
        """When a part's first frame is shown once it is a video of its own: when the whole's first frame was. None for a whole."""
        return None if self.part_of is None else self.part_of.first_pts

    @property
    def begins_seconds(self) -> float:
        """How long after the whole's first frame the video's first frame is shown."""
        return 0.0 if self.part_of is None else float((int(self.index.pts[0]) - self.part_of.first_pts) * self.info.time_base)

    def frames(self, source: Source, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames `first` to `last`, both included, each with its number; to be closed."""
        if self.part_of is None:
            return source.frames(self.info, self.index, first, last, decoder)
        return self._renumbered(source, first, last, decoder)

    def _renumbered(self, source: Source, first: int, last: int, decoder: DecoderSettings) -> Iterator[tuple[int, av.VideoFrame]]:
        part = self.part
        assert part is not None
        with closing(source.frames(self.info, part.index, part.first + first, part.first + last, decoder)) as frames:  # type: ignore[type-var]
            for number, frame in frames:
                yield number - part.first, frame

    def at_places(self, places: Sequence[Ignored], frames: Ints) -> list[tuple[npt.NDArray[np.bool_], Floats]]:
        """Of each place when it is ignored, (N,), and its box, (4,), on the decoded picture."""
        index, part = self.index, self.part
        return [(place.holds(frames, self.info, index, part), place.box(self.info)) for place in places]

    def stretch(self, start: str | None, end: str | None, preview_seconds: float | None) -> Video:
        """The same video from one moment up to another, without the frame there, and at most so long. Raises BadSetting for no frame."""
        index = self.index
        first = frame_from(start, self.info, index) if start else 0
        stop = frame_from(end, self.info, index) if end else len(index)
        if first >= len(index):
            problem = f"is beyond the video's end ({self.info.duration_seconds:.2f} s, {len(index)} frames)"
            raise BadSetting(f"start {start}", problem, fix="choose an earlier moment")
        if preview_seconds:
            until = index.pts[first] + preview_seconds / float(self.info.time_base)
            stop = max(first + 1, min(stop, int(np.searchsorted(index.pts, until))))
        if stop <= first:
            raise BadSetting(f"end {end}", "leaves no frame", fix="choose a later moment than the start")
        if (first, stop) == (0, len(index)):
            return self
        whole_seconds = self.info.duration_seconds
        starts = [*((index.pts - index.pts[0]) * float(self.info.time_base)).tolist(), whole_seconds]
        timecode = timecode_after(self.info.timecode, first, self.info.frame_rate) if self.info.timecode else None
        lasts = {"num_frames": stop - first, "duration_seconds": starts[stop] - starts[first]}
        info = self.info.model_copy(update=lasts | {"timecode": timecode})
        return Video(
            info=info,
            index_ref=ObjectStore().put("index", index.part(first, stop).to_bytes()),
            part_of=PartOf(first=first, first_pts=int(index.pts[0]), index_ref=self.index_ref, duration_seconds=whole_seconds),
        )


class Shots(Manifest):
    """All shots of a video, in order; every frame is in one."""

    shots: tuple[Shot, ...]
    glance_refs: tuple[ObjectRef, ...] = ()
    """grey thumbnails of all frames, `CHUNK_FRAMES` an object; none where the finder did not look at the pictures"""
    damaged: tuple[Span, ...] = ()
    """first and last of frames, numbered in the whole file, that a decoder concealed, or that may refer to such"""
    sizes: tuple[SizeChange, ...] = ()
    """the picture's first size, and each that is not the one before"""
    num_strays: int = 0
    """frames that a decoder gave where the index has none: they are left out"""

    def glances_of(self, first: int, last: int) -> tuple[ObjectRef, ...]:
        """The objects that hold the frames first to last."""
        return self.glance_refs[first // CHUNK_FRAMES : last // CHUNK_FRAMES + 1]

    def around(self, first: int, last: int) -> Shots:
        """The shots that have any of the frames first to last, whole, without their glances."""
        return Shots(shots=tuple(shot for shot in self.shots if shot.first <= last and shot.last >= first))


class SegmentFaces(Manifest):
    """What was found in a segment; frames are counted from the video's start."""

    detections_ref: ObjectRef
    num_looks: int
    """frames of which the whole picture was looked at"""
    num_frames: int
    reasons: dict[str, int] = Field(default_factory=dict)
    """looks by reason (see `tasks.samplers.looks`), those near an expected face apart"""

    @property
    def detections(self) -> Detections:
        return Detections.from_bytes(ObjectStore().get(self.detections_ref))


class Followed(Manifest):
    """Where faces of a segment went, seen from the pictures themselves."""

    trails_ref: ObjectRef
    found: SegmentFaces | None
    """faces that were looked for again where they should be, and are there"""

    @property
    def trails(self) -> list[Trail]:
        return trails_from_bytes(ObjectStore().get(self.trails_ref))


class Photos(Manifest):
    """Embeddings of the people on the photos."""

    embeddings_ref: ObjectRef
    notes: tuple[str, ...] = ()
    """what is wrong with the photos, a line each"""

    @property
    def embeddings(self) -> dict[str, Floats]:
        """(K, D) by name, K photos of each."""
        return {name: array.astype(np.float32) for name, array in arrays.unpack(ObjectStore().get(self.embeddings_ref)).items()}


class TrackSet(Manifest):
    """All tracks of a video, with their persons."""

    tracks_ref: ObjectRef
    num_tracks: int
    num_persons: int
    names: dict[int, str] = Field(default_factory=dict)
    """by person, those that were given by hand"""
    same_by_hand: tuple[tuple[int, ...], ...] = ()
    """groups of tracks of which somebody said that they show one person"""
    ignored: tuple[Ignored, ...] = ()
    """places at which there are no tracks because somebody said so"""

    @property
    def tracks(self) -> list[Track]:
        return tracks_from_bytes(ObjectStore().get(self.tracks_ref))


class Choice(Manifest):
    """The cover, a segment at a time, and what was decided about each person."""

    cover_refs: tuple[ObjectRef, ...]
    """one for each segment, so that a segment whose cover stays the same is not rendered again"""
    kept_refs: tuple[ObjectRef, ...]
    """the same for the faces that stay visible, so that they can be told from faces that were missed"""
    marks_refs: tuple[ObjectRef | None, ...]
    """what a review video shows of all of them; None where none was asked for"""
    decisions: tuple[Decision, ...]
    num_covered_frames: int
    notes: tuple[str, ...] = ()
    """who could not be told from whom, and what would help, a line each"""


class EncodedStretch(Settings):
    """A stretch's encoded picture, without sound."""

    stretch: Stretch
    picture_ref: ObjectRef


class RenderedSegment(Manifest):
    """What of a segment had to be encoded; the rest are the source's own packets."""

    encoded: tuple[EncodedStretch, ...]


class BlurCheck(Manifest):
    """What was seen in the finished video."""

    num_checked_frames: int
    findings: tuple[Finding, ...]
    missed: SegmentFaces | None
    """uncovered faces as detections, to be covered in another round"""
