"""What every flow begins with: the source looked through, with the same arguments and so the same cached results for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flows.job import Job
from tasks.build_tracks import build_tracks
from tasks.edit_people import edit_people
from tasks.errors import BadVideo
from tasks.find_faces import find_faces
from tasks.find_shots import find_shots
from tasks.follow_faces import follow_faces
from tasks.manifests import SegmentFaces, Shots, TrackSet, Video
from tasks.plan import Plan
from tasks.probe_video import probe_video
from tasks.read_sequences import read_sequences
from tasks.segments import Segment, cut_into_segments


class LookedThrough(NamedTuple):
    """All that is known of a video before anybody is followed or chosen."""

    video: Video
    shots: Shots
    segments: Sequence[Segment]
    faces: list[SegmentFaces]


def look_through(job: Job, source: str, source_sha256: str, plan: Plan, check_fits: Callable[[Video], None] | None = None) -> LookedThrough:
    """Probes the source, finds its shots, and the faces in each of its segments.

    `check_fits` is asked as soon as it is known what the source is, and raises what is wrong with it.
    """
    video = job.run(probe_video, 0, source, source_sha256, plan.images).stretch(plan.start, plan.end, plan.preview_seconds)
    plan.choose_people.check_times(video.info, video.index, video.part)
    if check_fits is not None:
        check_fits(video)
    num_frames = video.info.num_frames
    shots = job.run(find_shots, num_frames, source, video, plan.find_shots)
    video = video.as_read(shots, plan.picture_size)
    if plan.damage == "refuse" and (video.info.cut_off or video.damaged):
        damage = next(line for line in video.info.warnings if line == video.info.cut_off or line.startswith("damaged from "))
        raise BadVideo(source, damage, fix="copy or download it again, or set damage to conceal")
    segments = cut_into_segments(shots.shots, round(plan.segment_seconds * video.info.frame_rate))
    if plan.sequences:
        faces = [job.run(read_sequences, 0, video, plan.sequences, plan.find_faces.recogniser)]
        return LookedThrough(video, shots, segments, faces)
    parts: dict[str, Sequence[Any]] = {
        "segment": segments,
        "glance_refs": [shots.glances_of(segment.first, segment.last) for segment in segments],
    }
    faces = job.map(find_faces, num_frames, parts, source=source, video=video, settings=plan.find_faces)
    return LookedThrough(video, shots, segments, faces)


def follow(job: Job, source: str, looked: LookedThrough, faces: Sequence[SegmentFaces], plan: Plan) -> TrackSet:
    """The tracks of a video and their persons, put right by hand where somebody did; `faces` are those of all segments, or more."""
    video, shots, segments = looked.video, looked.shots, () if plan.sequences else looked.segments
    same = {"source": source, "video": video, "linker": plan.build_tracks.linker, "looking": plan.find_faces}
    inside = [shots.around(segment.first, segment.last) for segment in segments]
    inside += [shots.around(0, video.info.num_frames)] * (len(faces) - len(inside))
    followed = job.map(follow_faces, 0, {"faces": faces, "shots": inside}, settings=plan.follow_faces, **same)
    tracks = job.run(build_tracks, 0, video, shots, faces, followed, plan.find_faces.recogniser, plan.build_tracks)
    return tracks if plan.edit_people.is_nothing else job.run(edit_people, 0, video, tracks, faces, plan.edit_people)
