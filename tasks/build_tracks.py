"""Stage: detections to tracks, and tracks to persons, over the whole video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from tasks.faces import Detections
from tasks.false_positives import without_ignored
from tasks.grouping import group
from tasks.manifests import Followed, SegmentFaces, Shots, TrackSet, Video
from tasks.plan import BuildTracks
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.tracking import Extension, tracks_of_shot
from tasks.tracks import tracks_to_bytes
from tasks.video.info import VideoInfo


@stage("build_tracks")
def build_tracks(
    video: Video, shots: Shots, faces: Sequence[SegmentFaces], followed: Sequence[Followed], settings: BuildTracks
) -> TrackSet:
    """Segments leave no mark: their detections are one list before anything is joined."""
    again = [each.found for each in followed if each.found]
    detections = Detections.concatenate(each.detections for each in (*faces, *again))
    trails = {trail.start: trail.boxes for each in followed for trail in each.trails}
    extension = _extension(video.info, settings)
    found = [track for shot in shots.shots for track in tracks_of_shot(detections, shot, extension, settings.ways, trails)]
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


def _extension(info: VideoInfo, settings: BuildTracks) -> Extension:
    rate = float(info.frame_rate)
    lead, leaving = (
        max(settings.min_lead_frames, math.ceil(seconds * rate)) for seconds in (settings.lead_seconds, settings.leaving_seconds)
    )
    return Extension(lead, leaving, settings.most_unseen_frames, info.width, info.height)
