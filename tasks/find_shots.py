"""Stage: where one shot ends and the next begins."""

from __future__ import annotations

from tasks import progress
from tasks.manifests import Shots, Video
from tasks.places import source_of
from tasks.plan import FindShots
from tasks.shot_finders.transitions import shots_between
from tasks.stage import stage
from tasks.video.thumbnails import thumbnail


@stage("find_shots")
def find_shots(source: str, video: Video, settings: FindShots) -> Shots:
    """Reads the video once, as thumbnails: which frames faces are looked for in depends on all shots."""
    finder = settings.finder.load()
    frames = video.frames(source_of(source), 0, video.info.num_frames - 1)
    thumbnails = (thumbnail(frame, finder.thumbnail_size) for _, frame in progress.counted("find_shots", frames))
    return Shots(shots=tuple(shots_between(finder.transitions(thumbnails), video.info.num_frames)))
