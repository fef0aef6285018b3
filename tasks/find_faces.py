"""Stage: the faces in a segment, found by looking at few of its frames."""

from __future__ import annotations

from pathlib import Path

from tasks import progress
from tasks.faces import Detections
from tasks.looking import Finder, look
from tasks.plan import FindFaces
from tasks.probe_video import Video
from tasks.results import Manifest, ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.stage import stage
from tasks.video.read import read_frames


class SegmentFaces(Manifest):
    """What was found in a segment; frames are counted from the video's start."""

    detections_ref: ObjectRef
    num_looks: int
    num_frames: int

    @property
    def detections(self) -> Detections:
        return Detections.from_bytes(ObjectStore().get(self.detections_ref))


@stage("find_faces", version=1)
def find_faces(source: Path, video: Video, segment: Segment, settings: FindFaces) -> SegmentFaces:
    """Reads the segment once, forwards, with a window of decoded frames."""
    finder = Finder(settings.detector.load(), settings.recogniser.load())
    frames = read_frames(source, video.info, video.index, segment.first, segment.last)
    found = look(progress.counted("find_faces", frames), segment.shots, video.info, settings.sampler, finder)
    return SegmentFaces(
        detections_ref=ObjectStore().put("detections", found.to_bytes()), num_looks=len(found.looked), num_frames=segment.num_frames
    )
