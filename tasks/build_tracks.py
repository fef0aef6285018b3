"""Stage: detections to tracks, and tracks to persons, over the whole video."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from tasks.calibration import calibration_of
from tasks.faces import Detections
from tasks.false_positives import without_ignored
from tasks.glances import CHUNK_FRAMES, read_glances
from tasks.grouping import group
from tasks.manifests import Followed, SegmentFaces, Shots, TrackSet, Video
from tasks.plan import BuildTracks, Recogniser, Ways
from tasks.results import ObjectStore
from tasks.returns import with_places
from tasks.stage import stage
from tasks.tracking import Extension, tracks_of_shot
from tasks.tracks import Shot, Track, fades_between, tracks_to_bytes
from tasks.video.info import VideoInfo


@stage("build_tracks")
def build_tracks(
    video: Video,
    shots: Shots,
    faces: Sequence[SegmentFaces],
    followed: Sequence[Followed],
    recogniser: Recogniser,
    settings: BuildTracks,
) -> TrackSet:
    """Segments leave no mark: all detections of a shot are one list before anything is joined."""
    found = _joined(shots, faces, followed, _extension(video.info, settings), settings.ways)
    found = settings.false_positives.without(found, float(video.info.frame_rate))
    if settings.ignore:
        found = without_ignored(found, partial(video.at_places, settings.ignore))
    if shots.glance_refs:
        found = with_places(found, shots.shots, float(video.info.frame_rate), _thumbnails(shots))
    tracks = group(found, settings.merge_log_ratio, calibration_of(recogniser.method), fades_between(shots.shots))
    return TrackSet(
        tracks_ref=ObjectStore().put("tracks", tracks_to_bytes(tracks)),
        num_tracks=len(tracks),
        num_persons=len({track.person for track in tracks}),
        ignored=settings.ignore,
    )


def _thumbnails(shots: Shots) -> Callable[[int], npt.NDArray[np.uint8]]:
    """The glance of a frame, of which the last chunk that was needed is kept."""
    store = ObjectStore()
    read = lru_cache(maxsize=1)(lambda chunk: read_glances(shots.glance_refs[chunk : chunk + 1], 0, CHUNK_FRAMES - 1, store))

    def thumbnail(frame: int) -> npt.NDArray[np.uint8]:
        glances = read(frame // CHUNK_FRAMES)
        assert glances is not None
        return np.asarray(glances[frame % CHUNK_FRAMES], np.uint8)

    return thumbnail


def _joined(shots: Shots, faces: Sequence[SegmentFaces], followed: Sequence[Followed], extension: Extension, ways: Ways) -> list[Track]:
    """The tracks of all shots; detections are given up again before anything else is done."""
    again = [each.found for each in followed if each.found]
    parts = _Parts((*faces, *again))
    trails = {trail.start: trail.boxes for each in followed for trail in each.trails}
    return [track for shot in shots.shots for track in tracks_of_shot(parts.within(shot), shot, extension, ways, trails)]


class _Parts:
    """What was found in all parts of a video, of which only those of a shot are in memory: embeddings of hours are large."""

    def __init__(self, parts: Sequence[SegmentFaces]) -> None:
        self._parts = parts
        self._looked = [(int(found.looked[0]), int(found.looked[-1])) if len((found := part.detections).looked) else None for part in parts]
        self._open: dict[int, Detections] = {}

    def within(self, shot: Shot) -> Detections:
        """Of a shot that is not before the last one that was asked for."""
        near = [number for number, looked in enumerate(self._looked) if looked and looked[0] <= shot.last and looked[1] >= shot.first]
        needed = near or range(min(1, len(self._parts)))
        self._open = {number: self._open[number] if number in self._open else self._parts[number].detections for number in needed}
        return Detections.concatenate(found.within(shot.first, shot.last) for found in self._open.values())


def _extension(info: VideoInfo, settings: BuildTracks) -> Extension:
    rate = float(info.frame_rate)
    lead, leaving = (
        max(settings.min_lead_frames, math.ceil(seconds * rate)) for seconds in (settings.lead_seconds, settings.leaving_seconds)
    )
    return Extension(lead, leaving, settings.most_unseen_frames, info.width, info.height)
