"""Stage: where one shot ends and the next begins."""

from __future__ import annotations

from collections import deque
from contextlib import closing

from tasks import progress
from tasks.first_reading import FirstReading
from tasks.glances import GlanceKeeper
from tasks.manifests import Shots, Video
from tasks.plan import FindShots
from tasks.results import ObjectStore
from tasks.shot_finders.transitions import shots_between
from tasks.stage import stage


@stage("find_shots")
def find_shots(source: str, video: Video, settings: FindShots) -> Shots:
    """Reads the video once, as thumbnails, keeps them as glances, and finds out what is damaged.

    The search for faces reads it a second time: which frames it looks at depends on all shots, and on segments that are made of them.
    What the two can share are the thumbnails: a frame that no look needs is decoded there, but converted only here. Following faces reads a
    third time, but only where a face comes, goes or is lost: its end is known when all looks around it have been taken.
    """
    finder = settings.finder.load()
    keeper = GlanceKeeper(ObjectStore())
    reading = FirstReading(source, video, finder.thumbnail_size)
    with closing(progress.counted("find_shots", reading.thumbnails())) as frames:
        transitions = finder.transitions(keeper.passing(frames))
        deque(frames, 0)  # what a finder does not look at is read all the same
    shots = shots_between(transitions, video.info.num_frames)
    return Shots(
        shots=tuple(shots),
        glance_refs=keeper.refs(),
        damaged=reading.damaged,
        sizes=reading.sizes,
        num_strays=reading.num_strays,
    )
