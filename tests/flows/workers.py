"""Deployments, and real workers as processes of their own. All of them are gone when their block ends, whatever happens in it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId, FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectHTTPStatusError

ROOT = Path(__file__).parents[2]
_TICK_SECONDS = 0.05


def deploy_segments() -> tuple[str, str]:
    """A deployment of `process-segment` on a pool of its own; the runner's name of it, and the pool's."""
    from flows.process_segment import process_segment

    name = f"segments-{uuid4().hex[:8]}"
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    flow: Any = process_segment.from_source(source=str(ROOT), entrypoint="flows/process_segment.py:process_segment")
    flow.deploy(name=name, work_pool_name=name, build=False, push=False, print_next_steps=False)
    return f"process-segment/{name}", name


def runs_of(deployment: str) -> list[FlowRun]:
    """All flow runs of a deployment, in the order in which they were made."""
    with get_client(sync_client=True) as client:
        made = client.read_deployment_by_name(deployment)
        wanted = DeploymentFilter(id=DeploymentFilterId(any_=[made.id]))
        return sorted(client.read_flow_runs(deployment_filter=wanted), key=lambda run: run.created)  # type: ignore[arg-type, return-value]


@contextmanager
def worker(pool: str, log: Path, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """`prefect worker start` for a pool."""
    words = ["worker", "start", "--pool", pool, "--type", "process", "--name", f"worker-{uuid4().hex[:6]}", "--limit", "1"]
    environment = os.environ | {"PREFECT_WORKER_QUERY_SECONDS": "1", "VEIL_SEGMENTS_AT_ONCE": "1"} | variables
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *words],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        end_all(process)


def end_all(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it has started, as a machine that loses power does. Prefect gives flow runs sessions of their own."""
    below = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    for each in (process, *below):
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            each.kill()
    process.wait()


@contextmanager
def hands(deployment: str, work: Callable[[FlowRun, Any], None]) -> Iterator[None]:
    """In place of a worker: a thread that takes each run that is waiting, and does `work` with it and Prefect's client."""
    ended, failures = threading.Event(), list[BaseException]()

    def take() -> None:
        with get_client(sync_client=True) as client:
            made = DeploymentFilter(id=DeploymentFilterId(any_=[client.read_deployment_by_name(deployment).id]))
            waiting = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])))
            while not ended.is_set():
                with contextlib.suppress(PrefectHTTPStatusError, httpx.TransportError):  # a busy server; the run is taken, or lost, then
                    for run in client.read_flow_runs(deployment_filter=made, flow_run_filter=waiting):
                        work(run, client)
                time.sleep(_TICK_SECONDS)

    def guarded() -> None:
        try:
            take()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(timeout=60)
    assert not failures, failures
