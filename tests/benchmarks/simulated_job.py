"""A job with everything around its stages, and nothing in them: real flow runs, keys, manifests and records."""

from __future__ import annotations

import hashlib

from prefect import flow

from flows.job import recorded
from tasks.find_faces import find_faces
from tasks.manifests import Video
from tasks.plan import FindFaces, Plan
from tasks.results import ObjectStore
from tasks.runners import HERE, Runner
from tasks.segments import cut_into_segments
from tasks.tracks import Shot
from tests.fakes import frame_index, video_info

_SHOT_FRAMES = 100
_SHOTS_A_SEGMENT = 60  # of five minutes at 25 frames/s; what a segment's parameters say of them travels with it


@flow(name="simulated-job", persist_result=False)
def simulated_job(source: str, num_bytes: int, number: int, num_segments: int, runner: Runner = HERE) -> float:
    """Returns the seconds that gathering the segments took. Jobs of another number are about another video."""
    num_frames = num_segments * _SHOTS_A_SEGMENT * _SHOT_FRAMES
    sha256 = hashlib.sha256(f"video {number}".encode()).hexdigest()
    info = video_info(content_hash=sha256, num_bytes=num_bytes, num_frames=num_frames)
    video = Video(info=info, index_ref=ObjectStore().put("index", frame_index(video_info()).to_bytes()))
    firsts = range(0, num_frames, _SHOT_FRAMES)
    shots = [Shot(first=each, last=each + 99, visible_first=each, visible_last=each + 100) for each in firsts]
    segments = cut_into_segments(shots, _SHOTS_A_SEGMENT * _SHOT_FRAMES)
    assert len(segments) == num_segments
    parts = {"segment": segments, "glance_refs": [() for _ in segments]}
    with recorded(sha256, Plan(runner=runner)) as job:
        job.map(find_faces, num_frames, parts, source=source, video=video, settings=FindFaces())
    return job.stages[-1].seconds
