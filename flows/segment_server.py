"""What is asked of Prefect's server for segments' runs: few calls, none of which a server that is away for some minutes ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar
from uuid import UUID, uuid4

import httpx
from prefect import Task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.events.filters import EventFilter, EventOccurredFilter, EventResourceFilter
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling, Completed, Crashed, Pending

from tasks.errors import BadSetting, VeilError
from tasks.runners import Deployments

_RUNS_AT_ONCE, _EVENTS_AT_ONCE = 200, 50  # as many as the server gives back for one question
_ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED]
_AT_WORK = [StateType.PENDING, StateType.RUNNING]
_AWAY_SECONDS = 600.0
_AGAIN_AFTER_SECONDS = 5.0

T = TypeVar("T")


class ServerAway(VeilError):
    """Prefect's server did not answer for a long time."""


class SegmentServer:
    """The runs of one stage's parts; on the server they are below the flow run that waits for them."""

    def __init__(self, runner: Deployments, stage: str) -> None:
        self._runner = runner
        self._stage = stage
        self._stack = ExitStack()

    def __enter__(self) -> SegmentServer:
        """Raises BadSetting where there is no such deployment."""
        self._client = self._stack.enter_context(get_client(sync_client=True))
        try:
            self._deployment = self._patiently(lambda: self._client.read_deployment_by_name(self._runner.deployment))
        except ObjectNotFound as error:
            self._stack.close()
            fix = "make it with `veil deploy`, or choose another runner"
            raise BadSetting(f"runner.deployment {self._runner.deployment}", "is not on Prefect's server", fix=fix) from error
        self._above = self._task_run()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        state: Any = Completed() if error is None else Crashed(message=str(error))
        with self._stack, suppress(httpx.HTTPError):
            if self._above:
                self._client.set_task_run_state(self._above, state, force=True)

    def _task_run(self) -> UUID | None:
        """Stands for all of them in the flow run that waits; as `run_deployment` of Prefect makes one for each."""
        context = FlowRunContext.get()
        if context is None or context.flow_run is None:
            return None
        flow_run, task = context.flow_run.id, Task(name=f"{self._stage} on {self._deployment.name}", fn=lambda: None)
        made = self._patiently(lambda: self._client.create_task_run(task, flow_run, dynamic_key=str(uuid4()), state=Pending()))
        return made.id

    def submit(self, name: str, key: str, parameters: dict[str, Any], stage: str) -> FlowRun:
        """A run that waits for a worker; the one that there is, where there is one with that idempotency key. Raises BadSetting."""

        def create() -> FlowRun:
            return self._client.create_flow_run_from_deployment(
                self._deployment.id,
                parameters=parameters,
                name=name,
                tags=[stage],
                idempotency_key=key,
                parent_task_run_id=self._above,
                work_queue_name=self._runner.work_queue or None,
            )

        try:
            return self._patiently(create)
        except httpx.HTTPStatusError as error:
            fix = "make it anew with `veil deploy`, from this version of Veil"
            raise BadSetting(f"deployment {self._runner.deployment}", f"does not take {name} ({error})", fix=fix) from error

    def read(self, runs: Iterable[UUID], *, ended: bool) -> list[FlowRun]:
        """Those of the runs that have ended, or those that a worker has taken and that have not."""
        states, wanted, found = _ENDED if ended else _AT_WORK, list(runs), list[FlowRun]()
        for start in range(0, len(wanted), _RUNS_AT_ONCE):
            filtered = FlowRunFilter(
                id=FlowRunFilterId(any_=wanted[start : start + _RUNS_AT_ONCE]),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=states)),
            )
            found += self._patiently(lambda wanted=filtered: self._client.read_flow_runs(flow_run_filter=wanted, limit=_RUNS_AT_ONCE))  # type: ignore[misc]
        return found

    def lost(self, runs: Sequence[UUID], lost_seconds: float) -> list[FlowRun]:
        """Runs that a worker has taken, and of which the server has heard nothing for so long."""
        since = datetime.now(UTC) - timedelta(seconds=lost_seconds)
        silent = {f"prefect.flow-run.{run.id}": run for run in self.read(runs, ended=False) if run.state and run.state.timestamp < since}
        asked = list(silent)
        for start in range(0, len(asked), _EVENTS_AT_ONCE):
            wanted = EventFilter(
                occurred=EventOccurredFilter(since=since),
                resource=EventResourceFilter(id=asked[start : start + _EVENTS_AT_ONCE], distinct=True),
            )
            heard = self._patiently(lambda wanted=wanted: self._client.read_events(wanted, limit=_EVENTS_AT_ONCE))  # type: ignore[misc]
            for event in heard.events:
                silent.pop(event.resource.id, None)
        return list(silent.values())

    def crash(self, run: UUID, why: str) -> None:
        """Says on the server what has become of a run."""
        self._patiently(lambda: self._client.set_flow_run_state(run, Crashed(message=why), force=True))

    def cancel(self, runs: Iterable[UUID], why: str) -> None:
        """Has workers end the runs that are not wanted any more; those that have ended meanwhile stay as they are."""
        for run in list(runs):
            self._patiently(lambda run=run: self._client.set_flow_run_state(run, Cancelling(message=why)))  # type: ignore[misc]

    def _patiently(self, ask: Callable[[], T]) -> T:
        """The answer, when it comes. Raises ServerAway."""
        give_up = time.monotonic() + _AWAY_SECONDS
        while True:
            try:
                return ask()
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                passes = isinstance(error, httpx.TransportError) or error.response.status_code >= 500
                if not passes:
                    raise
                if time.monotonic() > give_up:
                    fix = "start it, and run again: what is done already is kept"
                    raise ServerAway("Prefect's server", f"does not answer ({error})", fix=fix) from error
                time.sleep(_AGAIN_AFTER_SECONDS)
