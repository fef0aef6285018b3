"""Has segments worked on as flow runs of a deployment, and waits for them; what waits holds nothing but itself.

A run's idempotency key is its result's key with a number: whoever wants the same part, be it a job that was killed and is run again, or
another one beside it, gets the same run. A number is used up by a run that has ended without the result.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from uuid import UUID

from prefect import Task
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import get_run_context

from flows.process_segment import part_of
from flows.segment_server import SegmentServer
from tasks.errors import StoreError, VeilError
from tasks.parts import frames_of, name_of_part
from tasks.results import Manifest
from tasks.runners import Deployments
from tasks.stage import kept_result, key_of
from tasks.video.locations import name_of

_FIRST_WAIT_SECONDS = 0.5
_LOOK_EVERY = 4  # looks for what has ended, to one look at what is running
_ENOUGH_SIBLINGS = 3
_MOST_PARAMETER_BYTES = 400_000  # Prefect's server refuses more than 524,288


class SegmentFailed(VeilError):
    """A segment's run came to an end without its result."""


@dataclass(eq=False)
class Wanted:
    """A part whose result is wanted, and the runs that are to bring it."""

    name: str
    stage: str
    key: str
    num_frames: int
    parameters: dict[str, Any]
    runs: dict[UUID, FlowRun] = field(default_factory=dict)
    """those that have not ended, as they were last seen"""
    number: int = 0
    """of the next one"""
    num_lost: int = 0
    result: Manifest | None = None

    @property
    def fits(self) -> bool:
        """Whether the server takes so much: only faces that belong to no segment can have too many shots around them."""
        return len(json.dumps(self.parameters)) <= _MOST_PARAMETER_BYTES

    @classmethod
    def of(cls, stage: Task[..., Any], arguments: Mapping[str, Any], gpu_limit: str = "") -> Wanted:
        """The part of a stage that is called with these arguments."""
        key = key_of(stage, arguments)
        part = part_of(stage.name, arguments, stage.apart)  # type: ignore[attr-defined]
        parameters = {
            "source": arguments["source"],
            "part": part.model_dump(mode="json"),
            "key": key,
            "gpu_limit": gpu_limit,
        }
        name = f"{name_of(str(arguments['source']))} {name_of_part(stage.name, arguments)}"
        return cls(name, stage.name, key, sum(each.num_frames for each in frames_of(arguments)), parameters)


def run_segments(
    parts: Sequence[Wanted], runner: Deployments, *, again: bool = False, done: Callable[[Wanted], object] = lambda _: None
) -> None:
    """Returns when all parts have their results; `done` is told of each.

    again: have them computed even where they are known

    Raises SegmentFailed for a part that failed, or was lost too often; the others' runs are cancelled then. When it is interrupted in any
    other way they go on: what they find out is there when the job is run again.
    """
    stage = f"{parts[0].stage} on {runner.deployment}"
    with SegmentServer(runner, parts[0].stage) as server:
        gathering = _Gathering(server, runner, again, done)
        try:
            for part in parts:
                gathering.submit(part)
            gathering.wait(parts)
        except VeilError:
            server.cancel([run for part in parts for run in part.runs], f"{stage} has failed")
            raise


class _Gathering:
    def __init__(self, server: SegmentServer, runner: Deployments, again: bool, done: Callable[[Wanted], object]) -> None:
        self._server = server
        self._runner = runner
        self._again = again
        self._done = done
        self._job = f"{get_run_context().flow_run.id}/" if again else ""  # type: ignore[union-attr]
        self._rates: list[float] = []
        """seconds a frame of the runs that have brought a result"""

    def submit(self, part: Wanted) -> None:
        """Adds a run to a part, a new one or one that somebody else wanted."""
        while True:
            key = f"{self._job}{part.key}/{part.number}"
            part.number += 1
            run = self._server.submit(part.name, key, part.parameters | {"again": self._again}, part.stage)
            has_ended = run.state is not None and run.state.is_final()
            # One that has brought the result, meanwhile or before this flow run was suspended, is as good as one that will.
            if not has_ended or (run.state is not None and run.state.is_completed() and (self._again or kept_result(part.key))):
                part.runs[run.id] = run
                return

    def wait(self, parts: Sequence[Wanted]) -> None:
        left, wait_seconds, num_looks = list(parts), _FIRST_WAIT_SECONDS, 0
        while left:
            ended = {run.id: run for run in self._server.read([run for part in left for run in part.runs], ended=True)}
            before = len(left)
            left = [part for part in left if not self._is_done(part, ended)]
            num_looks += 1
            if left and num_looks % _LOOK_EVERY == 0:
                self._look_after(left)
            wait_seconds = _FIRST_WAIT_SECONDS if len(left) < before else min(wait_seconds * 1.5, self._runner.poll_seconds)
            time.sleep(wait_seconds if left else 0)

    def _is_done(self, part: Wanted, ended: Mapping[UUID, FlowRun]) -> bool:
        """Whether its result is there; submits it again where a run was lost. Raises SegmentFailed."""
        states = [(ended[run], ended[run].state) for run in list(part.runs) if run in ended]
        for run, state in states:
            del part.runs[run.id]
            assert state is not None
            completed = state.is_completed()
            part.result = kept_result(part.key) if completed or not self._again else None
            if part.result is not None:
                if completed and run.total_run_time:
                    self._rates.append(run.total_run_time.total_seconds() / part.num_frames)
                self._server.cancel(part.runs, "another run was faster")
                part.runs.clear()
                self._done(part)
                return True
            if completed:
                problem = f"{part.name} was done by a worker, and its result is not here"
                raise StoreError("the results store", problem, fix="give this machine and the workers the same one (`veil configure`)")
            if state.type == StateType.FAILED:
                raise SegmentFailed(part.name, f"failed on a worker ({state.message})", fix=f"look at the flow run {run.id}")
            self._lost(part, f"{state.name}: {state.message}")
        return False

    def _lost(self, part: Wanted, why: str) -> None:
        part.num_lost += 1
        if part.runs:  # its twin goes on
            return
        if part.num_lost >= self._runner.tries:
            raise SegmentFailed(part.name, f"was lost {part.num_lost} times, the last time as {why}", fix="look at the workers' logs")
        self.submit(part)

    def _look_after(self, left: Iterable[Wanted]) -> None:
        """Gives up runs that nobody works on any more, and gives a twin to those that are much slower than the others."""
        by_run = {run: part for part in left for run in part.runs}
        for run in self._server.lost(list(by_run), self._runner.lost_seconds):
            self._server.crash(run.id, f"no sign of life for {self._runner.lost_seconds:.0f} s")  # seen as ended at the next look
        if len(self._rates) < _ENOUGH_SIBLINGS:
            return
        usual = median(self._rates)
        for run in self._server.read([run for run, part in by_run.items() if len(part.runs) == 1], ended=False):
            part, seconds = by_run[run.id], run.estimated_run_time.total_seconds()
            if seconds > max(self._runner.straggler_seconds, self._runner.straggler_factor * usual * part.num_frames):
                self.submit(part)
