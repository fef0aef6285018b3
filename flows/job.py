"""Runs stages inside a flow, and writes down of each what it took and whether its result was known already."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any, ParamSpec, TypeVar

from prefect import Task, unmapped

from flows.report import StageRun
from tasks import progress
from tasks.models.session import num_cores
from tasks.results import Manifest

_CORES_A_SEGMENT = 4  # that decoding and encoding one keep busy

P = ParamSpec("P")
R = TypeVar("R", bound=Manifest)


def segments_at_once() -> int:
    """How many segments are worked on side by side: $VEIL_SEGMENTS_AT_ONCE, or one for every four cores."""
    given = os.environ.get("VEIL_SEGMENTS_AT_ONCE", "")
    return max(1, int(given) if given.isdigit() else num_cores() // _CORES_A_SEGMENT)


class Job:
    """A run's stages."""

    def __init__(self) -> None:
        self.stages: list[StageRun] = []

    def run(self, stage: Task[P, R], num_frames: int, *args: P.args, **kwargs: P.kwargs) -> R:
        """The stage's result; `num_frames` is how many frames it will say it has done."""
        started = time.monotonic()
        progress.begin(stage.name, num_frames)
        state: Any = stage(*args, return_state=True, **kwargs)
        result: R = state.result()
        self._note(stage.name, started, [state])
        return result

    def map(self, stage: Task[P, R], num_frames: int, parts: dict[str, Sequence[Any]], **same: Any) -> list[R]:
        """The stage's results for each part; `parts` are the arguments that differ, `same` those that do not."""
        started = time.monotonic()
        progress.begin(stage.name, num_frames)
        futures = stage.map(**parts, **{name: unmapped(value) for name, value in same.items()})  # type: ignore[call-overload]
        # One by one: the first that fails ends the run, and the others are not waited for.
        results = [future.result() for future in futures]
        self._note(stage.name, started, [future.state for future in futures])
        return results

    def _note(self, stage: str, started: float, states: Iterable[Any]) -> None:
        cached = [state.name == "Cached" for state in states]
        self.stages.append(
            StageRun(stage=stage, seconds=round(time.monotonic() - started, 3), num_parts=len(cached), num_cached=sum(cached))
        )
        progress.end(stage, all(cached))
