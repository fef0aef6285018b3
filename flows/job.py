"""Runs stages inside a flow, and writes down of each what it took, whether its result was known already, and why not where it was not."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from prefect import Task
from prefect.exceptions import Pause

from flows.gathering import Gather, Part, done, gathering
from flows.job_record import JobRecord, StageNote, begin, digests_of, end, save, why_run
from flows.report import StageRun
from tasks import progress
from tasks.models.session import num_cores
from tasks.plan import Plan
from tasks.results import Manifest, Record, refs_in
from tasks.stage import check_kept, inputs_of, key_of, prepared
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

    def __init__(self, record: JobRecord, gather: Gather, before: JobRecord | None = None, rerun_from: StageName | None = None) -> None:
        self.record = record
        self._gather = gather
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
        arguments = inspect.signature(stage.fn).bind(*args, **kwargs).arguments
        self._expect([key_of(stage, arguments)])
        progress.begin(stage.name, num_frames)
        state: Any = prepared(stage, again=stage.name in self._again)(*args, return_state=True, **kwargs)
        part: Part[R] = done(state)
        self._note(stage, arguments, started, [part])
        return part.result

    def map(self, stage: Task[P, R], num_frames: int, parts: dict[str, Sequence[Any]], **same: Any) -> list[R]:
        """The stage's results for each part; `parts` are the arguments that differ, `same` those that do not."""
        started = time.monotonic()
        calls = [dict(zip(parts, values, strict=True)) | same for values in zip(*parts.values(), strict=True)]
        self._expect([key_of(stage, call) for call in calls])
        progress.begin(stage.name, num_frames)
        gathered = self._gather(prepared(stage, again=stage.name in self._again), calls)
        self._note(stage, {**parts, **same}, started, gathered)
        return [part.result for part in gathered]

    def _expect(self, keys: Sequence[str]) -> None:
        """Writes down what is about to be kept, so that it is found whatever happens."""
        self.record = self.record.model_copy(update={"pending": tuple(keys)})
        save(self.record)

    def _note(self, stage: Task[P, R], inputs: dict[str, Any], started: float, parts: Sequence[Part[R]]) -> None:
        for part in parts:
            if not part.known:
                check_kept(stage.name, part.key)
        num_known = sum(part.known for part in parts)
        all_known = num_known == len(parts)
        name: StageName = stage.name  # type: ignore[assignment]
        digests = digests_of(inputs_of(inputs, stage.apart))  # type: ignore[attr-defined]
        note = StageNote(
            stage=name,
            version=STAGES[name],
            seconds=round(time.monotonic() - started, 3),
            keys=tuple(part.key for part in parts),
            num_cached=num_known,
            num_bytes=sum(ref.num_bytes for part in parts for ref in refs_in(part.result.model_dump(mode="json"))),
            inputs=digests,
            why="its result was known" if all_known else why_run(name, digests, self._before, asked_for=name in self._again),
        )
        self.record = self.record.model_copy(update={"stages": (*self.record.stages, note), "pending": ()})
        save(self.record)
        progress.end(stage.name, all_known)


@contextmanager
def recorded(source_sha256: str, plan: Plan, target: str = "") -> Iterator[Job]:
    """A job of this flow run with a result at `target`, whose segments are worked on where the plan says; how it ended is written down."""
    with gathering(plan.runner) as gather:
        record, before = begin(source_sha256)
        job = Job(record.model_copy(update={"people": plan.names, "target": target}), gather, before, plan.rerun_from)
        try:
            yield job
        except Pause:
            end(job.record, "waiting")
            raise
        except BaseException:
            end(job.record, "failed")
            raise
        end(job.record, "completed")
