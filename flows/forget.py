"""Forgetting: every trace of a video, of a person, or of what is older than some days, in the results store and in Prefect."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Annotated, Literal
from uuid import UUID

from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.logging import get_run_logger
from pydantic import Field

from flows.audit import AuditLine, mark_of, note
from flows.forget_runs import ForgottenRun, days_ago, forget_runs, hide_left_faces, runs_about, runs_before, still_waiting
from flows.forget_store import forget_jobs
from flows.job_record import JobRecord, jobs
from flows.leftovers import leftovers_of
from flows.local_database import local_database, overwrite_deleted, wait_for_events
from tasks.method import Settings
from tasks.stores.settings import OWN_SERVER, results_store

Why = Literal["video", "person", "older"]


class Receipt(Settings):
    """What is gone."""

    why: Why
    videos: tuple[str, ...]
    """SHA-256"""
    num_jobs: int
    store: str
    results: dict[str, int]
    """how many of each kind"""
    num_bytes: int
    flow_runs: tuple[ForgottenRun, ...]
    """with their task runs, states, logs, inputs and artifacts"""
    unfinished: tuple[str, ...] = ()
    """what killed runs had left beside their results, which is gone too"""
    left: tuple[str, ...]
    """what is still there, and why"""


@flow(name="forget", persist_result=False)
def forget(
    older_than_days: Annotated[float, Field(ge=0, description="what was begun longer ago is forgotten, but what newer jobs use")] = 30,
) -> Receipt:
    """Forgets jobs and flow runs that are older, and whatever killed ones left behind.

    A video or a person is forgotten by the command `veil forget`: as a parameter of this flow, they would be known by it ever after.
    """
    receipt = with_database(forget_older(older_than_days))
    get_run_logger().info(
        "%d jobs, %d results and %d flow runs are gone", receipt.num_jobs, sum(receipt.results.values()), len(receipt.flow_runs)
    )
    return receipt


def forget_older(days: float) -> Receipt:
    """What was begun longer ago, but for jobs that still wait for an answer."""
    moment = days_ago(days)
    with get_client(sync_client=True) as client:
        old = [job for job in jobs() if job.started < moment]
        waiting = still_waiting(client, [UUID(job.flow_run_id) for job in old if job.outcome == "waiting"])
        doomed = [job for job in old if UUID(job.flow_run_id) not in waiting]
        return _forget(client, "older", doomed, runs_before(client, moment))


def forget_video(source_sha256: str, places: Collection[str] = ()) -> Receipt:
    """`places`: where it is, for runs that came to no hash."""
    with get_client(sync_client=True) as client:
        doomed = jobs(source_sha256)
        runs = runs_about(client, ids=_runs_of(doomed), videos=[source_sha256], places=places)
        return _forget(client, "video", doomed, runs)


def forget_person(name: str) -> Receipt:
    """All videos in whose jobs somebody of that name was known: tracks and detections hold the embeddings of everybody seen in them."""
    with get_client(sync_client=True) as client:
        every = jobs()
        videos = {job.source_sha256 for job in every if name in job.people}
        doomed = [job for job in every if job.source_sha256 in videos]
        runs = runs_about(client, ids=_runs_of(doomed), videos=videos, names=[name])
        return _forget(client, "person", doomed, runs)


def with_database(receipt: Receipt) -> Receipt:
    """Overwrites what was deleted in Prefect's database, where that can be done from here; the receipt says where not."""
    database = local_database()
    if database is None:
        left = "events on Prefect's server, for as long as it keeps them (7 days, unless it is set otherwise)"
    else:
        if OWN_SERVER not in os.environ:  # it has ended already, with whatever it had not written
            with get_client(sync_client=True) as client:
                wait_for_events(client, database)
        problem = overwrite_deleted(database, [run.id for run in receipt.flow_runs])
        left = f"bytes of deleted rows in {database} ({problem}): forget again" if problem else ""
    return receipt.model_copy(update={"left": (*receipt.left, left)}) if left else receipt


def _forget(client: SyncPrefectClient, why: Why, doomed: Sequence[JobRecord], runs: Collection[FlowRun]) -> Receipt:
    """Jobs go last: they name the rest, so that where it is cut short, the same again brings it to its end."""
    store = results_store()
    num_under_way = sum(job.outcome == "running" for job in doomed)
    hide_left_faces(client)
    gone = forget_runs(client, runs)
    unfinished = leftovers_of(doomed).remove_abandoned()
    deleted = forget_jobs(doomed, store)
    staying = leftovers_of(doomed)
    left = [f"{name}, which was not finished" for name in staying.names]
    left += [f"whatever was not finished beside {error.subject}: {error.problem}" for error in staying.unknown]
    if num_under_way:
        left.append(f"{num_under_way} jobs were not at their end: if they are under way, stop them and forget again")
    if deleted.num_left:
        left.append(f"{deleted.num_left} results that no job names, less than an hour old: others may be at work on them")
    videos = tuple(sorted({job.source_sha256 for job in doomed}))
    marks: list[str | None] = [mark_of(video) for video in videos] or [None]
    note(
        [
            AuditLine(event="deleted", why=why, video=mark, counts=dict(deleted.counts) if place == 0 else None)
            for place, mark in enumerate(marks)
        ],
        store,
    )
    return Receipt(
        why=why,
        videos=videos,
        num_jobs=len(doomed),
        store=store.location,
        results=dict(sorted(deleted.counts.items())),
        num_bytes=deleted.num_bytes,
        flow_runs=tuple(gone),
        unfinished=tuple(unfinished),
        left=tuple(left),
    )


def _runs_of(doomed: Sequence[JobRecord]) -> set[str]:
    return {job.flow_run_id for job in doomed}
