"""Who is in a video: a folder with a page to look at, so that the right people can be picked."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.face_pictures import face_pictures
from flows.job import Job, segments_at_once
from flows.look_through import follow, look_through
from flows.people import People, people_of
from flows.people_file import changed_file, people_file_of
from flows.people_page import CONTENTS, write_people
from flows.request import check_source
from flows.whole_folder import check_folder, whole_folder
from tasks.by_hand import with_files_read
from tasks.hashing import file_sha256
from tasks.plan import Plan
from tasks.results import results_folder

DEFAULT_PLAN = Plan()


@flow(
    name="find-people",
    flow_run_name="{source}",
    task_runner=ThreadPoolTaskRunner(max_workers=segments_at_once()),  # type: ignore[arg-type]
    result_storage=results_folder() / "stages",
    persist_result=False,
)
def find_people(source: Path, folder: Path, plan: Plan = DEFAULT_PLAN, overwrite: bool = False) -> People:
    """Writes a page, a list and pictures of everybody in `source` into `folder`, whole or not at all, and returns the list.

    A `people.toml` there that somebody has changed stays as it is.

    What it finds out is kept: blurring the same video afterwards begins where people are chosen. Raises a VeilError that says what to do.
    """
    check_source(source)
    check_folder(folder, overwrite, CONTENTS)
    source_sha256 = file_sha256(source)
    plan = with_files_read(plan, source_sha256)
    job = Job()
    video, shots, _, faces = look_through(job, source, source_sha256, plan)
    tracks = follow(job, video, shots, faces, plan)
    people, views = people_of(tracks.tracks, source.name, video.info, video.index, names=tracks.names)
    pictures = face_pictures(source, video.info, video.index, views)
    names = changed_file(folder) or people_file_of(people, plan.edit_people).encode()
    with whole_folder(folder) as unfinished:
        write_people(unfinished, people, pictures, names)
    return people
