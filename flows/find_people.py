"""Who is in a video: a folder with a page to look at, so that the right people can be picked."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.beginnings import check_beginnings
from flows.face_pictures import face_pictures
from flows.job import recorded, segments_at_once
from flows.look_through import follow, look_through
from flows.people import People, people_of
from flows.people_file import changed_file, people_file_of
from flows.people_page import CONTENTS, write_people
from flows.request import check_models, check_source
from flows.run_names import named_after_source, tag_run, video_tag
from tasks.by_hand import with_files_read
from tasks.plan import Plan
from tasks.video.locations import Location, name_of
from tasks.video.whole_folder import check_folder, whole_folder

DEFAULT_PLAN = Plan()


@flow(
    name="find-people",
    flow_run_name=named_after_source,
    task_runner=ThreadPoolTaskRunner(max_workers=segments_at_once()),  # type: ignore[arg-type]
    persist_result=False,
)
def find_people(source: Location, folder: Path, plan: Plan = DEFAULT_PLAN, overwrite: bool = False) -> People:
    """Writes a page, a list and pictures of everybody in `source` into `folder`, whole or not at all, and returns the list.

    A `people.toml` there that somebody has changed stays as it is.

    What it finds out is kept: blurring the same video afterwards begins where people are chosen. Raises a VeilError that says what to do.

    Args:
        source: the video: a file, a folder of pictures, or either at s3://BUCKET/KEY, as the worker sees it
        folder: a new or empty folder that the worker can write to. It will show faces: delete it when it is no longer needed
        plan: how faces are found and followed; what is left as it is has the recommended value
        overwrite: replace an earlier page in the folder
    """
    check_beginnings()
    found = check_source(source)
    check_folder(folder, overwrite, CONTENTS)
    source_sha256 = found.content_hash()
    plan = with_files_read(plan, source_sha256)
    check_models(plan)
    tag_run(video_tag(source_sha256))
    with recorded(source_sha256, plan, str(folder)) as job:
        looked = look_through(job, source, source_sha256, plan)
        video = looked.video
        tracks = follow(job, source, looked, looked.faces, plan)
    people, views = people_of(tracks.tracks, name_of(source), video.info, video.index, video.begins_seconds, tracks.names)
    pictures = face_pictures(partial(video.frames, found), video.info, video.index, views)
    names = changed_file(folder) or people_file_of(people, plan.edit_people).encode()
    with whole_folder(folder) as unfinished:
        write_people(unfinished.path, people, pictures, names)
        unfinished.keep()
    return people
