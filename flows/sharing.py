"""Runs of deployments that a flow starts and waits for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment
from prefect.runtime import flow_run as this_run

RUNS_AGAIN_WITHIN = timedelta(minutes=2)
"""A run whose worker died is started again by an automation, so it has not ended before."""
_LOOK_SECONDS = 5.0


def start_run(deployment: str, name: str, parameters: dict[str, Any]) -> UUID:
    """Starts a run as a child of this one. This run, begun again, finds the one that it has started before."""
    run: Any = run_deployment(
        deployment, parameters=parameters, flow_run_name=name, timeout=0, idempotency_key=f"{this_run.id}/{deployment}/{name}"
    )
    return UUID(str(run.id))


def ended(runs: Iterable[UUID]) -> dict[UUID, State[Any]]:
    """How they ended, once all have."""
    waiting, states = set(runs), dict[UUID, State[Any]]()
    with get_client(sync_client=True) as client:
        while waiting:
            for run in sorted(waiting):
                state = client.read_flow_run(run).state
                if state is not None and _has_ended(state):
                    states[run] = state
            waiting -= states.keys()
            if waiting:
                time.sleep(_LOOK_SECONDS)
    return states


def _has_ended(state: State[Any]) -> bool:
    """Whether nothing more will come of it by itself."""
    return state.is_final() and not (state.is_crashed() and datetime.now(UTC) - state.timestamp < RUNS_AGAIN_WITHIN)
