"""Stage: detections to tracks, and tracks to persons, over the whole video."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.faces import Detections
from tasks.find_faces import SegmentFaces
from tasks.find_shots import Shots
from tasks.grouping import group
from tasks.plan import BuildTracks
from tasks.probe_video import Video
from tasks.results import Manifest, ObjectRef, ObjectStore
from tasks.stage import stage
from tasks.tracking import Extension, tracks_of_shot
from tasks.tracks import Track, tracks_from_bytes, tracks_to_bytes
from tasks.video.info import VideoInfo


class TrackSet(Manifest):
    """All tracks of a video, with their persons."""

    tracks_ref: ObjectRef
    num_tracks: int
    num_persons: int

    @property
    def tracks(self) -> list[Track]:
        return tracks_from_bytes(ObjectStore().get(self.tracks_ref))


@stage("build_tracks", version=1)
def build_tracks(video: Video, shots: Shots, faces: Sequence[SegmentFaces], settings: BuildTracks) -> TrackSet:
    """Segments leave no mark: their detections are one list before anything is joined."""
    detections = Detections.concatenate(each.detections for each in faces)
    extension = _extension(video.info, settings)
    found = [
        track
        for shot in shots.shots
        for track in tracks_of_shot(detections, shot, extension, settings.linker, settings.interpolator, settings.smoother)
    ]
    tracks = group(found, settings.same_person)
    return TrackSet(
        tracks_ref=ObjectStore().put("tracks", tracks_to_bytes(tracks)),
        num_tracks=len(tracks),
        num_persons=len({track.person for track in tracks}),
    )


def _extension(info: VideoInfo, settings: BuildTracks) -> Extension:
    rate = float(info.frame_rate)
    return Extension(round(settings.lead_seconds * rate), round(settings.leaving_seconds * rate), info.width, info.height)
