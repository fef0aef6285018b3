"""A run of a deployment, as a worker would run it, in this process; and what Prefect's API says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import Artifact, FlowRun
from prefect.exceptions import Pause
from prefect.flow_engine import run_flow
from prefect.states import State

from flows.blur_video import blur_video
from tasks.plan import make_plan


class Deployed:
    """A run of `blur_video`: `go` is what a worker does each time that the server hands it out."""

    def __init__(self, source: Path, target: Path, values: dict[str, Any]) -> None:
        plan = make_plan(values)
        parameters = {"source": str(source), "target": str(target), "plan": plan.model_dump(mode="json", exclude_defaults=True)}
        self._parameters: dict[str, Any] = {"source": str(source), "target": str(target), "plan": plan}
        with get_client(sync_client=True) as client:
            deployment = client.create_deployment(client.create_flow(blur_video), "test")  # type: ignore[arg-type]
            self.id: UUID = client.create_flow_run_from_deployment(deployment, parameters=parameters).id

    def go(self) -> State:
        try:
            return run_flow(blur_video, flow_run=self.run, parameters=self._parameters, return_type="state")  # type: ignore[return-value]
        except Pause as pause:  # which a worker's process ends with
            return pause.state

    @property
    def run(self) -> FlowRun:
        with get_client(sync_client=True) as client:
            return client.read_flow_run(self.id)

    def inputs(self) -> dict[str, str]:
        """What was asked and answered, by key."""
        with get_client(sync_client=True) as client:
            return {each.key: each.value for each in client.filter_flow_run_input(self.id, "suspended-", limit=50, exclude_keys=set())}

    def answer(self, **people: str) -> dict[str, Any]:
        """As the API takes it; says what came of it."""
        with get_client(sync_client=True) as client:
            return client.request("POST", f"/flow_runs/{self.id}/resume", json={"run_input": people}).json()


def artifacts_of(run: UUID) -> dict[str, Artifact]:
    """By the first word of their keys."""
    with get_client(sync_client=True) as client:
        found = client.request("POST", "/artifacts/filter", json={"artifacts": {"flow_run_id": {"any_": [str(run)]}}}).json()
    return {each["key"].partition("-")[0]: Artifact.model_validate(each) for each in found}
