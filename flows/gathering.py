"""Has the parts of a stage worked on where the plan says, and gathers their results."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from prefect import Task
from prefect.futures import PrefectFuture

from flows.segment_runs import Wanted, run_segments
from tasks import progress
from tasks.errors import BadSetting
from tasks.parts import frames_of
from tasks.results import Manifest
from tasks.runners import Dask, Deployments, Runner
from tasks.stage import kept_result, key_of, prepared

R = TypeVar("R", bound=Manifest)
Call = Mapping[str, Any]
"""What a stage is called with, by name."""


class Part(NamedTuple, Generic[R]):
    """A part of a stage that is done."""

    key: str
    known: bool
    """from before"""
    result: R


class Gather(Protocol):
    """Does the parts of a stage, in whatever order, and gives them in theirs. Raises what a part of it raises."""

    def __call__(self, stage: Task[..., R], calls: Sequence[Call]) -> list[Part[R]]: ...


@contextmanager
def gathering(runner: Runner) -> Iterator[Gather]:
    """The way to do so that the plan names; what it needs is there until the block ends."""
    match runner:
        case Dask():
            with _cluster(runner) as submit:
                yield partial(_only_unknown, partial(_as_futures, submit, runner, counting=True))
        case Deployments():
            yield partial(_only_unknown, partial(_as_runs, runner))
        case _:
            yield partial(_as_futures, lambda stage, call: stage.submit(**call), runner)


def done(state: Any) -> Part[Any]:
    """What the state of a stage says that has ended. Raises what the stage raised."""
    result = state.result()
    return Part(str(state.data.metadata.storage_key), state.name == "Cached", result)


def _as_futures(
    submit: Callable[[Task[..., Any], Call], PrefectFuture[Any]],
    runner: Runner,
    stage: Task[..., R],
    calls: Sequence[Call],
    *,
    counting: bool = False,
) -> list[Part[R]]:
    futures = [submit(prepared(stage, runner.gpu_limit), call) for call in calls]
    parts = []
    for future, call in zip(futures, calls, strict=True):  # one by one: the first that fails ends the run, the others are not waited for
        future.result()
        parts.append(done(future.state))
        if counting:
            progress.advance(stage.name, _num_frames(call))
    return parts


def _only_unknown(gather: Gather, stage: Task[..., R], calls: Sequence[Call]) -> list[Part[R]]:
    """Has a part done elsewhere only where its result is not known, and where there is something to do."""
    keys = [key_of(stage, call) for call in calls]
    parts: dict[str, Part[Any]] = {}
    wanted: dict[str, Call] = {}
    for key, call in zip(keys, calls, strict=True):
        if not stage.refresh_cache and (result := kept_result(key)) is not None:
            parts[key] = Part(key, True, result)
            progress.advance(stage.name, _num_frames(call))
        elif _num_frames(call):
            wanted[key] = call
        elif key not in parts:
            parts[key] = done(stage(**call, return_state=True))
    if wanted:
        parts |= {part.key: part for part in gather(stage, list(wanted.values()))}
    return [parts[key] for key in keys]


def _as_runs(runner: Deployments, stage: Task[..., R], calls: Sequence[Call]) -> list[Part[R]]:
    wanted = [Wanted.of(stage, call, runner.gpu_limit) for call in calls]
    sent = [part for part in wanted if part.fits]
    if sent:
        run_segments(sent, runner, again=bool(stage.refresh_cache), done=lambda part: progress.advance(stage.name, part.num_frames))
    here = [
        done(prepared(stage, runner.gpu_limit)(**call, return_state=True))
        for part, call in zip(wanted, calls, strict=True)
        if not part.fits
    ]
    return [*here, *(Part(part.key, False, cast("R", part.result)) for part in sent)]


@contextmanager
def _cluster(runner: Dask) -> Iterator[Callable[[Task[..., Any], Call], PrefectFuture[Any]]]:
    """Submits to it; it is connected to, or started, when the first part is."""
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ImportError as error:
        raise BadSetting("runner dask", "needs prefect-dask", fix="pip install 'veil[dask]', or choose another runner") from error
    with DaskTaskRunner(address=runner.address or None) as tasks:
        yield lambda stage, call: tasks.submit(stage, dict(call))


def _num_frames(call: Call) -> int:
    return sum(each.num_frames for each in frames_of(call))
