"""Many segments and many jobs: what orchestration takes for each, how throughput grows with workers, and where it stops growing.

    python -m tests.benchmarks.scale [--segments 96] [--jobs 1000] [--workers 1 2 4 8] [--seconds 5] [--database sqlite] [--json OUT.json]

Real: the server, the deployments, the runner `deployments`, the flow engine, keys, manifests and records. Simulated: the stage, which
sleeps for `--seconds`, and the workers, which run one flow run after the other in their own process (see `simulated`). `--segments` is one
video that is shared out (96 of five minutes are eight hours), `--jobs` so many queued jobs of one segment each; 0 leaves one of them out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.benchmarks.running import bench
from tests.benchmarks.tables import table_of
from tests.clips import draw_clip, two_people_script
from tests.postgres import postgres

ROOT = Path(__file__).parents[2]


@contextmanager
def workers(pool: str, number: int, seconds: float) -> Iterator[None]:
    """So many, ready to take what is queued."""
    command = [sys.executable, "-m", "tests.benchmarks.simulated", pool, str(seconds)]
    quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    started = [subprocess.Popen(command, cwd=ROOT, env=os.environ.copy(), **quiet) for _ in range(number)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def deploy(name: str, flow: str, entrypoint: str) -> Any:
    """A pool with a deployment; returns the deployment's id."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.deployments.runner import RunnerDeployment

    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    made: Any = RunnerDeployment.from_entrypoint(f"{ROOT}/{entrypoint}:{flow}", name=name)
    return made.apply(work_pool_name=name)


def warm(deployment: Any, parameters: dict[str, Any], number: int) -> None:
    """Has each worker do something first, so that it is loaded when the clock starts."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        runs = [
            client.create_flow_run_from_deployment(deployment, parameters=parameters | {"number": -1 - n}).id for n in range(3 * number)
        ]
        wait_for(client, runs)


def wait_for(client: Any, runs: Sequence[Any]) -> None:
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType

    def num(state: StateType) -> int:
        found = 0
        for start in range(0, len(runs), 200):
            which = FlowRunFilterId(any_=list(runs[start : start + 200]))
            ended = FlowRunFilterState(type=FlowRunFilterStateType(any_=[state]))
            found += client.count_flow_runs(flow_run_filter=FlowRunFilter(id=which, state=ended))
        return found

    while (done := num(StateType.COMPLETED)) < len(runs):
        if failed := num(StateType.FAILED) + num(StateType.CRASHED):
            raise RuntimeError(f"{failed} of {len(runs)} runs failed, {done} are done")
        time.sleep(0.5)


def share_out(name: str, number: int, num_segments: int, seconds: float, source: dict[str, Any]) -> dict[str, Any]:
    """One job, whose segments are runs of `process-segment` on so many workers."""
    from tasks.runners import Deployments
    from tests.benchmarks.simulated_job import simulated_job

    pool = f"{name}-{number}"
    deploy(pool, "process_segment", "flows/process_segment.py")
    runner = Deployments(deployment=f"process-segment/{pool}", poll_seconds=2)
    with workers(pool, number, seconds):
        simulated_job(**source, number=-number, num_segments=2 * number, runner=runner)  # until all workers are loaded
        started = time.perf_counter()
        simulated_job(**source, number=number, num_segments=num_segments, runner=runner)
        taken = time.perf_counter() - started
    return row(number, num_segments, seconds, taken)


def queue(name: str, number: int, num_jobs: int, seconds: float, source: dict[str, Any]) -> dict[str, Any]:
    """So many jobs of one segment each, in a queue, for so many workers."""
    from prefect.client.orchestration import get_client

    pool = f"{name}-{number}"
    deployment = deploy(pool, "simulated_job", "tests/benchmarks/simulated_job.py")
    parameters = source | {"num_segments": 1}
    with workers(pool, number, seconds), get_client(sync_client=True) as client:
        warm(deployment, parameters, number)
        started = time.perf_counter()
        first = 10_000 * number  # of videos that nobody knows yet
        runs = [
            client.create_flow_run_from_deployment(deployment, parameters=parameters | {"number": first + each}).id
            for each in range(num_jobs)
        ]
        queued = time.perf_counter() - started
        wait_for(client, runs)
        taken = time.perf_counter() - started
    return row(number, num_jobs, seconds, taken) | {"queued_seconds": queued}


def row(number: int, num_parts: int, seconds: float, taken: float) -> dict[str, Any]:
    """Overhead is what a worker spends on a part beside the part itself, waiting included."""
    return {
        "workers": number,
        "parts": num_parts,
        "part_seconds": seconds,
        "seconds": taken,
        "parts_a_minute": 60 * num_parts / taken,
        "overhead_seconds": taken * number / num_parts - seconds,
        "busy_percent": 100 * num_parts * seconds / (taken * number),
    }


def show(title: str, rows: Sequence[dict[str, Any]], console: Console) -> None:
    columns = ["workers", "parts", "seconds", "parts a minute", "overhead a part", "workers busy"]
    lines = [
        [
            str(each["workers"]),
            str(each["parts"]),
            f"{each['seconds']:.1f}",
            f"{each['parts_a_minute']:.1f}",
            f"{each['overhead_seconds']:.2f} s",
            f"{each['busy_percent']:.0f} %",
        ]
        for each in rows
    ]
    console.print(table_of(title, columns, lines, num_left=0))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=96)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--seconds", type=float, default=5.0, help="how long a segment's stage sleeps")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql", help="of Prefect's server")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console = Console()
    found: dict[str, list[dict[str, Any]]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="veil-scale-"))
        if options.database == "postgresql":
            os.environ["PREFECT_API_DATABASE_CONNECTION_URL"] = stack.enter_context(postgres(Path(folder)))
        os.environ["PREFECT_API_URL"] = stack.enter_context(bench()).api_url
        clip = Path(folder) / "day.mp4"
        draw_clip(two_people_script(), clip, size=(320, 180), frame_rate=Fraction(15))
        source = {"source": str(clip), "num_bytes": clip.stat().st_size}
        for title, parts, measure in (("segments of one video", options.segments, share_out), ("queued jobs", options.jobs, queue)):
            for number in options.workers if parts else ():
                found.setdefault(title, []).append(measure(title.replace(" ", "-"), number, parts, options.seconds, source))
                console.print(f"{title}, {number} workers: {found[title][-1]['seconds']:.1f} s")
    for title, rows in found.items():
        show(f"{title}, {options.seconds:g} s each, {options.database}", rows, console)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
