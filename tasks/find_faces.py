"""Stage: the faces in a segment, found by looking at few of its frames."""

from __future__ import annotations

from contextlib import closing

from tasks import progress
from tasks.looking import Finder, look
from tasks.manifests import SegmentFaces, Video
from tasks.places import source_of
from tasks.plan import FindFaces
from tasks.results import ObjectStore
from tasks.segments import Segment
from tasks.stage import stage


@stage("find_faces")
def find_faces(source: str, video: Video, segment: Segment, settings: FindFaces) -> SegmentFaces:
    """Reads the segment once, forwards, with a window of decoded frames."""
    frames = video.frames(source_of(source), segment.first, segment.last)
    with (
        closing(progress.counted("find_faces", frames)) as counted,
        Finder(settings.detector.load(settings.runtime), settings.recogniser.load(settings.runtime)) as finder,
    ):
        found = look(counted, segment.shots, video.info, settings.sampler, finder)
    return SegmentFaces(
        detections_ref=ObjectStore().put("detections", found.to_bytes()), num_looks=len(found.looked), num_frames=segment.num_frames
    )
