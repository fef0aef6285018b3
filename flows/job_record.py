"""What is kept of each job: which results it used, what they took, and why they were computed. It names all that is kept of a video."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel

from tasks.errors import BadSetting
from tasks.method import FOR_A_KEY, Settings
from tasks.results import Manifest, Record
from tasks.stores.backend import Backend
from tasks.stores.settings import results_store
from tasks.versions import STAGES, StageName

JOBS = "jobs"
Outcome = Literal["running", "waiting", "completed", "failed"]
"""waiting: suspended until somebody answers"""


class StageNote(Settings):
    """A stage of a job, once it has ended."""

    stage: StageName
    version: int
    seconds: float
    keys: tuple[str, ...]
    """of its parts' results"""
    num_cached: int
    """parts whose result was known already"""
    num_bytes: int
    """of the objects that its results name"""
    inputs: dict[str, str]
    """by name, what it was given, as a hash"""
    why: str


class JobRecord(Manifest):
    """A job, as far as it has come."""

    flow_run_id: str
    """Prefect's"""
    name: str
    """the flow run's"""
    source_sha256: str
    started: AwareDatetime
    ended: AwareDatetime | None = None
    outcome: Outcome = "running"
    stages: tuple[StageNote, ...] = ()
    pending: tuple[str, ...] = ()
    """of the stage that is under way: keys of the results that it will have, so that those of a killed job are named too"""
    people: tuple[str, ...] = ()
    """names that were given: of photos, and by hand"""
    target: str = ""
    """where its result goes; beside it, a killed job leaves what was unfinished"""
    records: tuple[str, ...] = ()
    """keys of what else was kept about the video"""

    @property
    def keys(self) -> frozenset[str]:
        """Of all stages' results."""
        return frozenset(self.pending).union(*(note.keys for note in self.stages))

    @property
    def key(self) -> str:
        """Keys of one video's jobs are in the order of their beginnings."""
        return f"{JOBS}/{self.source_sha256}/{self.started.astimezone(UTC):%Y%m%dT%H%M%S.%f}-{self.flow_run_id}"


def begin(source_sha256: str) -> tuple[JobRecord, JobRecord | None]:
    """The record of a job that begins in this flow run, and that of the last one about the same source."""
    from prefect.runtime import flow_run

    before = latest(source_sha256)
    name, identity = str(flow_run.name), str(flow_run.id)
    return JobRecord(flow_run_id=identity, name=name, source_sha256=source_sha256, started=datetime.now(UTC)), before


def save(record: JobRecord) -> None:
    Record(record.key).write(record)


def end(record: JobRecord, outcome: Outcome) -> None:
    save(record.model_copy(update={"ended": datetime.now(UTC), "outcome": outcome}))


def latest(source_sha256: str) -> JobRecord | None:
    """The last job about a source."""
    return max(jobs(source_sha256), key=lambda job: job.started, default=None)


def jobs(source_sha256: str = "", backend: Backend | None = None) -> list[JobRecord]:
    """All jobs, or those about one source, in the order of their keys."""
    store = backend or results_store()
    prefix = f"{JOBS}/{source_sha256}/" if source_sha256 else f"{JOBS}/"
    read = (Record(entry.key, store).read() for entry in store.entries(prefix))
    return [record for record in read if isinstance(record, JobRecord)]


def find_job(word: str) -> JobRecord:
    """By a flow run's id or name, or the beginning of a source's hash; the last one of several. Raises BadSetting for none."""
    fits = [job for job in jobs() if word in (job.flow_run_id, job.name) or (len(word) >= 8 and job.source_sha256.startswith(word))]
    if not fits:
        known = sorted({job.name for job in jobs()})
        said = f"known ones: {', '.join(known[-10:])}" if known else "none was run with this results store"
        raise BadSetting(f"job {word}", "is not known here", fix=f"give the video, or a flow run's name or id; {said}")
    return max(fits, key=lambda job: job.started)


def digests_of(inputs: dict[str, object]) -> dict[str, str]:
    """Hashes of what a stage is given; of settings, of each one."""
    flat: dict[str, object] = {}
    for name, value in inputs.items():
        if name == "settings" and isinstance(value, BaseModel):
            flat |= {f"settings.{key}": getattr(value, key) for key in type(value).model_fields}
        else:
            flat[name] = value
    return {name: _digest(value) for name, value in sorted(flat.items())}


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=lambda model: model.model_dump(mode="json", context=FOR_A_KEY))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def why_run(stage: StageName, inputs: dict[str, str], before: JobRecord | None, *, asked_for: bool) -> str:
    """Why a stage's result was not known, as far as the last job about the same source tells."""
    if asked_for:
        return "it was asked for (rerun_from)"
    notes = [note for note in before.stages if note.stage == stage] if before else []
    if not notes:
        return "it had not been run for this video"
    last = notes[-1]
    if last.version != STAGES[stage]:
        return f"its version went from {last.version} to {STAGES[stage]}"
    changed = sorted(name for name in inputs.keys() | last.inputs.keys() if inputs.get(name) != last.inputs.get(name))
    return f"other than last time: {', '.join(changed)}" if changed else "its result was gone"
