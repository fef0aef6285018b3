"""Stage: detections to tracks, and tracks to persons, over the whole video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from tasks.faces import Detections
from tasks.false_positives import without_ignored
from tasks.grouping import group
from tasks.manifests import Followed, SegmentFaces, Shots, TrackSet, Video
from tasks.plan import BuildTracks, Ways
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.tracking import Extension, tracks_of_shot
from tasks.tracks import Shot, Track, tracks_to_bytes
from tasks.video.info import VideoInfo


@stage("build_tracks")
def build_tracks(
    video: Video, shots: Shots, faces: Sequence[SegmentFaces], followed: Sequence[Followed], settings: BuildTracks
) -> TrackSet:
    """Segments leave no mark: all detections of a shot are one list before anything is joined."""
    found = _joined(shots, faces, followed, _extension(video.info, settings), settings.ways)
    found = settings.false_positives.without(found, float(video.info.frame_rate))
    if settings.ignore:
        found = without_ignored(found, partial(video.at_places, settings.ignore))
    tracks = group(found, settings.same_person)
    return TrackSet(
        tracks_ref=ObjectStore().put("tracks", tracks_to_bytes(tracks)),
        num_tracks=len(tracks),
        num_persons=len({track.person for track in tracks}),
        ignored=settings.ignore,
    )


def _joined(shots: Shots, faces: Sequence[SegmentFaces], followed: Sequence[Followed], extension: Extension, ways: Ways) -> list[Track]:
    """The tracks of all shots; detections are given up again before anything else is done."""
    again = [each.found for each in followed if each.found]
    parts = [each.detections for each in (*faces, *again)]
    trails = {trail.start: trail.boxes for each in followed for trail in each.trails}
    return [track for shot in shots.shots for track in tracks_of_shot(_within(parts, shot), shot, extension, ways, trails)]


def _within(parts: Sequence[Detections], shot: Shot) -> Detections:
    """What was found in a shot, in whichever part: never all at once, for embeddings of hours are large."""
    near = [part for part in parts if len(part.looked) and part.looked[0] <= shot.last and part.looked[-1] >= shot.first]
    return Detections.concatenate(part.within(shot.first, shot.last) for part in near or parts[:1])


def _extension(info: VideoInfo, settings: BuildTracks) -> Extension:
    rate = float(info.frame_rate)
    lead, leaving = (
        max(settings.min_lead_frames, math.ceil(seconds * rate)) for seconds in (settings.lead_seconds, settings.leaving_seconds)
    )
    return Extension(lead, leaving, settings.most_unseen_frames, info.width, info.height)
