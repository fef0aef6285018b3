"""Stage: the faces in a segment, found by looking at few of its frames."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from tasks import progress
from tasks.glances import read_glances
from tasks.looking import look
from tasks.manifests import SegmentFaces, Video
from tasks.places import source_of
from tasks.plan import FindFaces
from tasks.results import ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.stage import stage


@stage("find_faces")
def find_faces(source: str, video: Video, segment: Segment, glance_refs: Sequence[ObjectRef], settings: FindFaces) -> SegmentFaces:
    """Reads the segment once, forwards, with a window of decoded frames; `glance_refs` are of the segment (see `Shots.glances_of`)."""
    store = ObjectStore()
    glances = read_glances(glance_refs, segment.first, segment.last, store)
    frames = video.frames(source_of(source), segment.first, segment.last)
    with closing(progress.counted("find_faces", frames)) as counted, settings.load() as finder:
        found, reasons = look(counted, segment.shots, video.info, settings.sampler, finder, glances)
    return SegmentFaces(
        detections_ref=store.put("detections", found.to_bytes()),
        num_looks=sum(number for reason, number in reasons.items() if not reason.endswith("near")),
        num_frames=segment.num_frames,
        reasons=dict(sorted(reasons.items())),
    )
