"""What the stages return: small, JSON, and naming the objects that hold the arrays and pictures."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from tasks import arrays
from tasks.checking import Finding
from tasks.choosing import Decision
from tasks.faces import Detections, Floats
from tasks.glances import CHUNK_FRAMES
from tasks.results import Manifest, ObjectRef, ObjectStore
from tasks.tracks import Shot, Track, tracks_from_bytes
from tasks.video.info import FrameIndex, VideoInfo


class Video(Manifest):
    """A video as it is, without its path."""

    info: VideoInfo
    index_ref: ObjectRef
    whole: bool = True
    """False for a preview of its first seconds"""

    @property
    def index(self) -> FrameIndex:
        return FrameIndex.from_bytes(ObjectStore().get(self.index_ref))

    def first_seconds(self, seconds: float) -> Video:
        """The same video, as if it ended after so many seconds, and at least one frame."""
        index = self.index
        num_frames = max(1, int(np.searchsorted(index.pts, index.pts[0] + seconds / float(self.info.time_base))))
        if num_frames == len(index):
            return self
        first = FrameIndex(index.pts[:num_frames], index.is_key[:num_frames])
        info = self.info.model_copy(update={"num_frames": num_frames, "duration_seconds": seconds})
        return Video(info=info, index_ref=ObjectStore().put("index", first.to_bytes()), whole=False)


class Shots(Manifest):
    """All shots of a video, in order; every frame is in one."""

    shots: tuple[Shot, ...]
    glance_refs: tuple[ObjectRef, ...] = ()
    """grey thumbnails of all frames, `CHUNK_FRAMES` an object; none where the finder did not look at the pictures"""

    def glances_of(self, first: int, last: int) -> tuple[ObjectRef, ...]:
        """The objects that hold the frames first to last."""
        return self.glance_refs[first // CHUNK_FRAMES : last // CHUNK_FRAMES + 1]


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


class Photos(Manifest):
    """Embeddings of the people on the photos."""

    embeddings_ref: ObjectRef

    @property
    def embeddings(self) -> dict[str, Floats]:
        """(K, D) by name, K photos of each."""
        return {name: array.astype(np.float32) for name, array in arrays.unpack(ObjectStore().get(self.embeddings_ref)).items()}


class TrackSet(Manifest):
    """All tracks of a video, with their persons."""

    tracks_ref: ObjectRef
    num_tracks: int
    num_persons: int

    @property
    def tracks(self) -> list[Track]:
        return tracks_from_bytes(ObjectStore().get(self.tracks_ref))


class Choice(Manifest):
    """The cover, a segment at a time, and what was decided about each person."""

    cover_refs: tuple[ObjectRef, ...]
    """one for each segment, so that a segment whose cover stays the same is not rendered again"""
    kept_refs: tuple[ObjectRef, ...]
    """the same for the faces that stay visible, so that they can be told from faces that were missed"""
    decisions: tuple[Decision, ...]
    num_covered_frames: int


class RenderedSegment(Manifest):
    """A segment's encoded picture, without sound."""

    picture_ref: ObjectRef
    num_frames: int


class BlurCheck(Manifest):
    """What was seen in the finished video."""

    num_checked_frames: int
    findings: tuple[Finding, ...]
    missed: SegmentFaces | None
    """uncovered faces as detections, to be covered in another round"""
