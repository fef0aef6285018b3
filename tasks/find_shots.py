"""Stage: where one shot ends and the next begins."""

from __future__ import annotations

from contextlib import closing

from tasks import progress
from tasks.glances import GlanceKeeper
from tasks.manifests import Shots, Video
from tasks.places import source_of
from tasks.plan import FindShots
from tasks.results import ObjectStore
from tasks.shot_finders.transitions import shots_between
from tasks.stage import stage
from tasks.video.thumbnails import thumbnail


@stage("find_shots")
def find_shots(source: str, video: Video, settings: FindShots) -> Shots:
    """Reads the video once, as thumbnails, and keeps them as glances.

    The search for faces reads it a second time: which frames it looks at depends on all shots, and on segments that are made of them.
    What the two can share are the thumbnails: a frame that no look needs is decoded there, but converted only here. Following faces reads a
    third time, but only where a face comes, goes or is lost: its end is known when all looks around it have been taken.
    """
    finder = settings.finder.load()
    keeper = GlanceKeeper(ObjectStore())
    with closing(progress.counted("find_shots", video.frames(source_of(source), 0, video.info.num_frames - 1))) as frames:
        thumbnails = keeper.passing(thumbnail(frame, finder.thumbnail_size) for _, frame in frames)
        transitions = finder.transitions(thumbnails)
    return Shots(shots=tuple(shots_between(transitions, video.info.num_frames)), glance_refs=keeper.refs())
