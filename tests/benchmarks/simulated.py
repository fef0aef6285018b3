"""`python -m tests.benchmarks.simulated POOL SECONDS`: a worker that takes one flow run after the other from a work pool of Prefect's.

It asks, claims and runs them through the real API and the real flow engine, in this process: what it leaves out is the start of a process
for each run. `find_faces` sleeps for so long, and writes a real manifest and a real object.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any

from flows import environment

_IDLE_SECONDS = 0.2


def simulate(seconds: float) -> None:
    """Has `find_faces` sleep in this process from now on."""
    from tasks.find_faces import find_faces
    from tasks.manifests import SegmentFaces
    from tasks.results import ObjectStore

    def sleeps(source: str, video: Any, segment: Any, glance_refs: Any, settings: Any) -> SegmentFaces:
        time.sleep(seconds)
        content = f"{video.info.content_hash} {segment.first}".encode()
        return SegmentFaces(detections_ref=ObjectStore().put("detections", content), num_looks=1, num_frames=segment.num_frames)

    find_faces.fn = sleeps


def work(pool: str, seconds: float) -> None:
    """Until it is ended."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow
    from prefect.states import Pending

    from flows.process_segment import process_segment
    from tests.benchmarks.simulated_job import simulated_job

    simulate(seconds)
    flows: dict[str, Any] = {flow.name: flow for flow in (process_segment, simulated_job)}
    with get_client(sync_client=True) as client:
        names: dict[Any, str] = {}
        while True:
            waiting = client.get_scheduled_flow_runs_for_work_pool(pool, scheduled_before=datetime.now(UTC))
            for each in waiting:
                run = each.flow_run
                claimed = client.set_flow_run_state(run.id, Pending())
                if claimed.status.value != "ACCEPT" or claimed.state is None or claimed.state.type.value != "PENDING":
                    continue  # another worker was faster
                if run.flow_id not in names:
                    names[run.flow_id] = client.read_flow(run.flow_id).name
                run_flow(flows[names[run.flow_id]], flow_run=client.read_flow_run(run.id), return_type="state")
                break  # what was read is old now
            else:
                time.sleep(_IDLE_SECONDS)


if __name__ == "__main__":
    environment.prepare()
    work(sys.argv[1], float(sys.argv[2]))
