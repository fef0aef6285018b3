"""Runs stages inside a flow, and writes down of each what it took, whether its result was known already, and why not where it was not."""

from __future__ import annotations

import copy
import inspect
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from prefect import Task, unmapped
from prefect.exceptions import Pause

from flows.job_record import JobRecord, StageNote, begin, digests_of, end, save, why_run
from flows.report import StageRun
from tasks import progress
from tasks.errors import StoreError
from tasks.models.session import num_cores
from tasks.results import Manifest, Record, refs_in
from tasks.stage import inputs_of, is_kept, key_of
from tasks.stores.settings import results_store
from tasks.versions import STAGES, StageName

_CORES_A_SEGMENT = 4  # that decoding and encoding one keep busy

P = ParamSpec("P")
R = TypeVar("R", bound=Manifest)


def segments_at_once() -> int:
    """How many segments are worked on side by side: $VEIL_SEGMENTS_AT_ONCE, or one for every four cores."""
    given = os.environ.get("VEIL_SEGMENTS_AT_ONCE", "")
    return max(1, int(given) if given.isdigit() else num_cores() // _CORES_A_SEGMENT)


class Job:
    """A run's stages. What is known of it lies in the results store from the first stage's end on: see `flows.job_record`.

    before: the last job about the same source, with whose stages this one's are compared
    rerun_from: this stage and those after it are run even where their results are known
    """

    def __init__(self, record: JobRecord, before: JobRecord | None = None, rerun_from: StageName | None = None) -> None:
        self.record = record
        self._before = before
        self._again = list(STAGES)[list(STAGES).index(rerun_from) :] if rerun_from else []

    @property
    def stages(self) -> list[StageRun]:
        """As the report says it."""
        return [
            StageRun(stage=note.stage, seconds=note.seconds, num_parts=len(note.keys), num_cached=note.num_cached)
            for note in self.record.stages
        ]

    def keeps(self, record: Record) -> None:
        """Notes that something else about the video is kept there, so that it can be forgotten."""
        self.record = self.record.model_copy(update={"records": (*self.record.records, record.key)})

    def run(self, stage: Task[P, R], num_frames: int, *args: P.args, **kwargs: P.kwargs) -> R:
        """The stage's result; `num_frames` is how many frames it will say it has done."""
        started = time.monotonic()
        bound = inspect.signature(stage.fn).bind(*args, **kwargs)
        given = dict(bound.arguments)
        self._expect([key_of(stage, bound)])
        progress.begin(stage.name, num_frames)
        state: Any = self._prepared(stage)(*args, return_state=True, **kwargs)
        result: R = state.result()
        self._note(stage, given, started, [state], [result])
        return result

    def map(self, stage: Task[P, R], num_frames: int, parts: dict[str, Sequence[Any]], **same: Any) -> list[R]:
        """The stage's results for each part; `parts` are the arguments that differ, `same` those that do not."""
        started = time.monotonic()
        signature = inspect.signature(stage.fn)
        each = [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]
        self._expect([key_of(stage, signature.bind(**part, **same)) for part in each])
        progress.begin(stage.name, num_frames)
        prepared = self._prepared(stage)
        futures = prepared.map(**parts, **{name: unmapped(value) for name, value in same.items()})  # type: ignore[call-overload]
        # One by one: the first that fails ends the run, and the others are not waited for.
        results = [future.result() for future in futures]
        self._note(stage, {**parts, **same}, started, [future.state for future in futures], results)
        return results

    def _expect(self, keys: Sequence[str]) -> None:
        self.record = self.record.model_copy(update={"pending": tuple(keys)})
        save(self.record)

    def _prepared(self, stage: Task[P, R]) -> Task[P, R]:
        prepared = copy.copy(stage)
        prepared.refresh_cache = stage.name in self._again or stage.refresh_cache
        return prepared

    def _note(self, stage: Task[P, R], inputs: dict[str, Any], started: float, states: Iterable[Any], results: Sequence[R]) -> None:
        cached = [state.name == "Cached" for state in states]
        keys = [str(state.data.metadata.storage_key) for state in states]
        for key in (key for key, known in zip(keys, cached, strict=True) if not known):
            if not is_kept(key):  # Prefect logs that, and goes on
                raise StoreError(results_store().location, f"did not keep the result of {stage.name}", fix="run `veil doctor`")
        name: StageName = stage.name  # type: ignore[assignment]
        digests = digests_of(inputs_of(inputs, stage.apart))  # type: ignore[attr-defined]
        note = StageNote(
            stage=name,
            version=STAGES[name],
            seconds=round(time.monotonic() - started, 3),
            keys=tuple(keys),
            num_cached=sum(cached),
            num_bytes=sum(ref.num_bytes for result in results for ref in refs_in(result.model_dump(mode="json"))),
            inputs=digests,
            why="its result was known" if all(cached) else why_run(name, digests, self._before, asked_for=name in self._again),
        )
        self.record = self.record.model_copy(update={"stages": (*self.record.stages, note), "pending": ()})
        save(self.record)
        progress.end(stage.name, all(cached))


@contextmanager
def recorded(source_sha256: str, rerun_from: StageName | None = None, people: Iterable[str] = ()) -> Iterator[Job]:
    """A job of this flow run, in which `people` have names; how it ended is written down."""
    record, before = begin(source_sha256)
    job = Job(record.model_copy(update={"people": tuple(people)}), before, rerun_from)
    try:
        yield job
    except Pause:
        end(job.record, "waiting")
        raise
    except BaseException:
        end(job.record, "failed")
        raise
    end(job.record, "completed")
