"""What Veil knows of a video, for other programs: a timeline with markers, tables, a matte, or the thesis's sequences."""

from __future__ import annotations

from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.export_target import check_export
from flows.job import recorded, segments_at_once
from flows.look_through import follow, look_through
from flows.missed import missed_before
from flows.request import check_models, check_source
from flows.run_names import named_after_source, tag_run, video_tag
from tasks import progress
from tasks.by_hand import with_files_read
from tasks.choose_people import choose_people
from tasks.exports.appearances import Told, told
from tasks.exports.matte import write_matte
from tasks.exports.sequences import write_sequences
from tasks.exports.table import write_appearances, write_boxes
from tasks.exports.timeline import write_timeline
from tasks.photos import photo_files, photo_sha256
from tasks.plan import Plan
from tasks.read_photos import read_photos
from tasks.results import ObjectStore
from tasks.selectors.verdicts import Evidence
from tasks.tracks import Cover
from tasks.video.locations import Location, name_of
from tasks.video.target import whole_file

DEFAULT_PLAN = Plan()


@flow(
    name="export-video",
    flow_run_name=named_after_source,
    task_runner=ThreadPoolTaskRunner(max_workers=segments_at_once()),  # type: ignore[arg-type]
    persist_result=False,
)
def export_video(source: Location, target: Path, plan: Plan = DEFAULT_PLAN, overwrite: bool = False, boxes: bool = False) -> int:
    """Writes what is known of `source`, as `plan` decides it, to `target`, whose ending says how; returns the number of tracks.

    Stages whose results are known are not run again; the video itself is not rendered. With `boxes` a table has a row a face and frame.
    Faces that a finished `blur_video` of the same plan found when it checked its result are among the tracks.

    Raises a VeilError that says what to do.
    """
    found = check_source(source)
    check_export(source, target, overwrite, boxes)
    check_models(plan)
    source_sha256 = found.content_hash()
    plan = with_files_read(plan, source_sha256)
    files = tuple(photo_files(plan.choose_people.photos))
    hashes = tuple((name, photo_sha256(path)) for name, path in files)
    tag_run(video_tag(source_sha256))
    with recorded(source_sha256, plan, str(target)) as job:
        photos = job.run(read_photos, 0, files, hashes, plan.find_faces) if files else None
        looked = look_through(job, source, source_sha256, plan)
        video = looked.video
        tracks = follow(job, source, looked, [*looked.faces, *missed_before(source_sha256, hashes, plan)], plan)
        choice = job.run(choose_people, 0, video, tracks, photos, looked.segments, plan.find_faces.recogniser, plan.choose_people)
    cover = Cover.concatenate([Cover.from_bytes(ObjectStore().get(each)) for each in choice.cover_refs])
    evidence = Evidence(tracks.tracks, {}, video.info, video.index, video.part)
    known = told(name_of(source), evidence, choice.decisions, cover)
    with whole_file(target, private=target.suffix.lower() == ".json") as written:  # embeddings are for their owner alone
        _write(known, source, written.path, plan, boxes)
        written.keep()
    return tracks.num_tracks


def _write(known: Told, source: str, path: Path, plan: Plan, boxes: bool) -> None:
    match path.suffix.lower():
        case ".otio":
            write_timeline(known, source, path)
        case ".csv":
            (write_boxes if boxes else write_appearances)(known, path)
        case ".json":
            write_sequences(known.tracks, path, plan.find_faces.recogniser.boundary)
        case _:
            progress.begin("write_matte", len(known.index))
            write_matte(known, plan.blur_faces.blur, path)
            progress.end("write_matte", cached=False)
