"""Stage: persons put right by hand."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.editing import edit_tracks, edits_within
from tasks.faces import Detections
from tasks.manifests import SegmentFaces, TrackSet, Video
from tasks.named_people import EditPeople
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.tracks import tracks_to_bytes


@stage("edit_people")
def edit_people(video: Video, tracks: TrackSet, faces: Sequence[SegmentFaces], settings: EditPeople) -> TrackSet:
    """Raises BadPick for a point that meets no face."""
    # Only tracks that are cut need what they were made from; that of hours is large.
    detections = Detections.concatenate(each.detections for each in (faces if settings.splits else faces[:1]))
    edits = settings if video.part_of is None else edits_within(settings, video.info, video.index, video.part)
    edited = edit_tracks(tracks.tracks, detections, video.info, video.index, edits, video.part)
    return TrackSet(
        tracks_ref=ObjectStore().put("tracks", tracks_to_bytes(edited.tracks)),
        num_tracks=len(edited.tracks),
        num_persons=len({track.person for track in edited.tracks}),
        names=edited.names,
        same_by_hand=edited.same_by_hand,
        ignored=tracks.ignored,
    )
