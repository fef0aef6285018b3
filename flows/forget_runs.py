"""Forgetting in Prefect: flow runs with their task runs, states, logs, inputs and artifacts, through its API."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterParentFlowRunId,
    FlowRunFilterTags,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun

from flows.run_names import FACES, video_tag
from tasks.method import Settings
from tasks.video.locations import folder_of

_FLOWS = ("blur-video", "blur-folder", "find-people", "export-video", "process-segment")
"""those whose runs are about a video"""
_PAGE = 200
_LONGEST_SECONDS = 30.0  # that the server, which deletes logs behind our back, is waited for


class ForgottenRun(Settings):
    """A flow run that is gone."""

    id: UUID
    name: str
    num_artifacts: int
    num_logs: int


def runs_about(
    client: SyncPrefectClient, *, ids: Collection[str], videos: Collection[str], places: Collection[str] = (), names: Collection[str] = ()
) -> list[FlowRun]:
    """Flow runs by their ids, by the SHA-256 of their videos, and by what their parameters say; with those that they started.

    places: locations of videos, for runs that came to no hash; names: of people
    """
    tags = {video_tag(video) for video in videos}
    every = list(_runs(client, flow_filter=FlowFilter(name=FlowFilterName(any_=list(_FLOWS)))))
    places = {*places, *(str(run.parameters.get("source")) for run in every if tags & set(run.tags) or str(run.id) in ids)}
    words = {*names, *videos}  # a segment's run has its video's hash among its parameters
    found = {run.id: run for run in every if str(run.id) in ids or tags & set(run.tags) or _says(run, places, words)}
    wave = set(found)
    while wave:
        parents = FlowRunFilter(parent_flow_run_id=FlowRunFilterParentFlowRunId(any_=list(wave)))
        children = {run.id: run for run in _runs(client, flow_run_filter=parents)}
        wave = set(children) - set(found)
        found |= children
    return list(found.values())


def runs_before(client: SyncPrefectClient, moment: datetime) -> list[FlowRun]:
    """Runs about videos that began before then and are over."""
    every = _runs(client, flow_filter=FlowFilter(name=FlowFilterName(any_=list(_FLOWS))))
    return [run for run in every if (run.start_time or run.created or moment) < moment and (run.state is None or run.state.is_final())]


def forget_runs(client: SyncPrefectClient, runs: Collection[FlowRun]) -> list[ForgottenRun]:
    """Deletes them, and waits until their logs are gone too."""
    gone = [_forget(client, run) for run in runs]
    deadline = time.monotonic() + _LONGEST_SECONDS
    while runs and client.read_logs(_logs_of(run.id for run in runs), limit=1) and time.monotonic() < deadline:
        time.sleep(0.2)
    return gone


def hide_left_faces(client: SyncPrefectClient) -> int:
    """Deletes the forms and tables with faces of runs that are over without having done so: nobody answered in time, or killed."""
    left = [
        run
        for run in _runs(client, flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[FACES])))
        if run.state and run.state.is_final()
    ]
    for run in left:
        for artifact in client.read_artifacts(artifact_filter=_artifacts_of(run)):
            if (artifact.key or "").startswith("people-"):
                client.delete_artifact(artifact.id)
        for form in client.filter_flow_run_input(run.id, "suspended-people-", limit=_PAGE, exclude_keys=set()):
            client.delete_flow_run_input(run.id, form.key)
        client.update_flow_run(run.id, tags=[tag for tag in run.tags if tag != FACES])
    return len(left)


def still_waiting(client: SyncPrefectClient, runs: Collection[UUID]) -> set[UUID]:
    """Which of them are there and not over."""
    found = _runs(client, flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(runs)))) if runs else ()
    return {run.id for run in found if run.state is not None and not run.state.is_final()}


def _forget(client: SyncPrefectClient, run: FlowRun) -> ForgottenRun:
    artifacts = client.read_artifacts(artifact_filter=_artifacts_of(run), limit=_PAGE)
    for artifact in artifacts:
        client.delete_artifact(artifact.id)
    num_logs = _count(lambda offset: client.read_logs(_logs_of([run.id]), limit=_PAGE, offset=offset))
    client.delete_flow_run(run.id)
    return ForgottenRun(id=run.id, name=run.name, num_artifacts=len(artifacts), num_logs=num_logs)


def _count(read: Callable[[int], Sequence[object]]) -> int:
    """How many there are, of what is read by pages."""
    number = 0
    while page := read(number):
        number += len(page)
    return number


def _says(run: FlowRun, places: Collection[str], names: Collection[str]) -> bool:
    """Whether a run was about one of these places or the folder of one, unless it says that another video was there; or about somebody."""
    other = any(tag.startswith("video:") for tag in run.tags)
    source = str(run.parameters.get("source")).rstrip("/")
    over = run.state is not None and run.state.is_final()  # a folder's run that goes on is left to it
    here = not other and (source in places or (over and source in map(folder_of, places)))
    return here or any(name in (text, *PurePath(text).parts, PurePath(text).stem) for text in _texts(run.parameters) for name in names)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _runs(client: SyncPrefectClient, **filters: Any) -> Iterator[FlowRun]:
    offset = 0
    while page := client.read_flow_runs(**filters, limit=_PAGE, offset=offset):
        yield from page
        offset += len(page)


def _artifacts_of(run: FlowRun) -> ArtifactFilter:
    return ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))


def _logs_of(runs: Iterable[UUID]) -> LogFilter:
    return LogFilter(flow_run_id=LogFilterFlowRunId(any_=list(runs)))


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)
