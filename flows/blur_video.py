"""The pipeline: a video in, the same video with the right faces gone out."""

from __future__ import annotations

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.asking import answered, check_can_ask
from flows.audit import note_people
from flows.beginnings import check_beginnings
from flows.job import Job, recorded, segments_at_once
from flows.look_through import follow, look_through
from flows.missed import remember_missed
from flows.pages import Pages, show_known, shown
from flows.rendering import render
from flows.report import BlurReport, make_report
from flows.request import Request, check_request, finished_before, remember
from flows.run_names import named_after_source, tag_run, video_tag
from tasks.choose_people import choose_people
from tasks.plan import Plan
from tasks.read_photos import read_photos
from tasks.video.locations import Location

DEFAULT_PLAN = Plan()


@flow(
    name="blur-video",
    flow_run_name=named_after_source,
    task_runner=ThreadPoolTaskRunner(max_workers=segments_at_once()),  # type: ignore[arg-type]
    persist_result=False,
)
def blur_video(source: Location, target: Location, plan: Plan = DEFAULT_PLAN, overwrite: bool = False) -> BlurReport:
    """Writes `source` to `target` with the faces covered that the plan says, and returns what was done.

    Stages whose results are known are not run again. Raises a VeilError that says what to do; `target` is then as it was before.

    Args:
        source: the video: a file, a folder of pictures, or either at s3://BUCKET/KEY, as the worker sees it
        target: where the result goes: a name that ends in .mp4, .mov, .mkv or the like, or a folder for pictures; never the source
        plan: who is blurred, how, and everything else; what is left as it is has the recommended value
        overwrite: replace what is at the target
    """
    check_beginnings()
    check_can_ask(plan)
    request = check_request(source, target, plan, overwrite)
    tag_run(video_tag(request.source_sha256))
    if (done := finished_before(request)) and not plan.rerun_from:
        show_known(request, done)
        return done
    plan = request.plan
    with recorded(request.source_sha256, plan, request.target.location) as job, shown(job, request) as pages:
        return _blur(job, pages, request)


def _blur(job: Job, pages: Pages, request: Request) -> BlurReport:
    plan, source = request.plan, request.source.location
    photos = job.run(read_photos, 0, request.photos, request.photo_sha256s, plan.find_faces) if request.photos else None
    looked = look_through(job, source, request.source_sha256, plan, request.check_fits)
    video, shots, segments, faces = looked
    request = answered(job, request, looked, photos)
    plan = request.plan
    job.keeps(request.record)
    for repair in range(plan.verify_blur.repairs + 1):
        tracks = follow(job, source, looked, faces, plan)
        choice = job.run(
            choose_people,
            0,
            video,
            tracks,
            photos,
            segments,
            plan.find_faces.recogniser,
            plan.choose_people,
            marked=plan.blur_faces.show == "boxes",
        )
        pages.show_people(job, video, tracks, choice.decisions)
        with request.target.whole() as written:
            rendering = render(job, request, looked, tracks, choice, written)
            if rendering.check.missed is None or repair == plan.verify_blur.repairs:
                # Written down first: a record without its result is nothing, a result without its record would be taken for a stranger's.
                job.keeps(remember_missed(request.source_sha256, request.photo_sha256s, plan, faces[len(looked.faces) :]))
                report = remember(request, rendering.sha256, make_report(video.info, plan, shots, faces, choice, rendering, job.stages))
                written.keep()
                note_people("decided", request.source_sha256, job.record.flow_run_id, plan.choose_people.policy, choice.decisions)
                pages.show_result(report)
                break
        faces = [*faces, rendering.check.missed]
    return report
