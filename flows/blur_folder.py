"""All videos in a folder, to another one under the same names. What was done before stays as it is; what fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from prefect import flow, get_run_logger
from prefect.artifacts import create_table_artifact

from flows.beginnings import check_beginnings
from flows.blur_video import DEFAULT_PLAN, blur_video
from flows.request import check_request, finished_before
from flows.run_names import named_after_source
from flows.sharing import ended, start_run
from tasks.errors import BadOutput, VeilError
from tasks.method import Settings
from tasks.places import folder_at
from tasks.plan import Plan
from tasks.video.join import FORMATS
from tasks.video.locations import Location, absolute, natural, suffix_of

BLUR_VIDEO = "blur-video/blur-video"
TABLE = "blur-folder"


class SomeFailed(VeilError):
    """Videos of a folder that were not blurred; all others were."""


class Outcome(Settings):
    """What became of a video."""

    video: str
    """its name in the folder"""
    outcome: Literal["blurred", "known", "failed"]
    said: str
    """of one that failed: why"""


@flow(name="blur-folder", flow_run_name=named_after_source, persist_result=False)
def blur_folder(
    source: Location, target: Location, plan: Plan = DEFAULT_PLAN, overwrite: bool = False, share_out: bool = False
) -> tuple[Outcome, ...]:
    """Blurs every video in `source` into `target`, under the same name, unless the same content was blurred there the same way before.

    What became of each is a table among the run's artifacts. Raises SomeFailed at the end if any failed, and another VeilError where
    nothing can be begun.

    Args:
        source: a folder, or s3://BUCKET/PREFIX/, as the worker sees it; folders in it are left alone
        target: another folder
        plan: who is blurred, how, and everything else; what is left as it is has the recommended value
        overwrite: replace what is at a target and came from something else
        share_out: each video is a run of the deployment blur-video, so that several workers share them
    """
    check_beginnings()
    if absolute(source.rstrip("/")) == absolute(target.rstrip("/")):
        raise BadOutput(target, "is the input itself", fix="choose another folder: a source is never changed")
    names = sorted((name for name in folder_at(source).names() if suffix_of(name) in FORMATS and not name.startswith(".")), key=natural)
    jobs = [(name, f"{source.rstrip('/')}/{name}", f"{target.rstrip('/')}/{name}") for name in names]
    work = _on_workers if share_out else _one_by_one
    outcomes = tuple(work(jobs, plan, overwrite))
    create_table_artifact(table=[outcome.model_dump() for outcome in outcomes], key=TABLE, description=f"Videos of {source}")
    if failed := [outcome for outcome in outcomes if outcome.outcome == "failed"]:
        why = "; ".join(f"{outcome.video} ({outcome.said})" for outcome in failed)
        raise SomeFailed(
            source, f"{len(failed)} of {len(outcomes)} videos failed: {why}", fix="mend them and run again: the others are done"
        )
    return outcomes


Jobs = list[tuple[str, str, str]]
"""name, source and target of each video"""


def _one_by_one(jobs: Jobs, plan: Plan, overwrite: bool) -> Iterator[Outcome]:
    """In this process, each a child run."""
    for name, source, target in jobs:
        if (known := _before(name, source, target, plan, overwrite)) is not None:
            yield known
            continue
        state = blur_video(source, target, plan, overwrite, return_state=True)
        yield _outcome(name, None if state.is_completed() else state.message or state.name)


def _on_workers(jobs: Jobs, plan: Plan, overwrite: bool) -> Iterator[Outcome]:
    """All at once, each a run of its own on the work pool."""
    begun = []
    for name, source, target in jobs:
        if (known := _before(name, source, target, plan, overwrite)) is not None:
            yield known
        else:
            asked = {"source": source, "target": target, "plan": plan.model_dump(mode="json"), "overwrite": overwrite}
            begun.append((name, start_run(BLUR_VIDEO, name, asked)))
    states = ended([run for _, run in begun])
    for name, run in begun:
        state = states[run]
        yield _outcome(name, None if state.is_completed() else state.message or state.name)


def _before(name: str, source: str, target: str, plan: Plan, overwrite: bool) -> Outcome | None:
    """What is known of a video without any work: that it is done, or cannot be done."""
    try:
        done = finished_before(check_request(source, target, plan, overwrite)) is not None
    except VeilError as error:
        return _outcome(name, str(error))
    return Outcome(video=name, outcome="known", said="") if done and not plan.rerun_from else None


def _outcome(name: str, problem: str | None) -> Outcome:
    if problem is not None:
        get_run_logger().error("%s: %s", name, problem)
    return Outcome(video=name, outcome="blurred" if problem is None else "failed", said=problem or "")
