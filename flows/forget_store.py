"""Forgetting in the results store: what no job that stays needs is deleted, all versions of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from flows.job_record import JOBS, JobRecord, jobs
from tasks.results import OBJECTS, refs_in
from tasks.stage import RECORDS
from tasks.stores.backend import Backend, Entry
from tasks.stores.seal import believed_or_not

OTHERS = ("finished", "missed", "faces")
"""what is kept of a video beside stages' results and the objects that they name"""
_SETTLED = timedelta(hours=1)  # a stage under way writes objects first, and last the result that names them
_AT_ONCE = 16  # requests; a bucket answers slowly, and many at once


class Deleted(NamedTuple):
    """What is gone from a store."""

    counts: Counter[str]
    """by kind, such as `objects/tracks`"""
    num_bytes: int
    num_left: int
    """of what belongs to no known job, but is so new that a job under way may have just written it"""


def forget_jobs(doomed: Sequence[JobRecord], store: Backend) -> Deleted:
    """Deletes the jobs' results but those that other jobs used too, and whatever killed jobs left behind.

    The jobs themselves go last: where it is cut short, the same again brings it to its end.
    """
    keys = {job.key for job in doomed}
    staying = [job for job in jobs(backend=store) if job.key not in keys]
    live = _named_by(staying, store)
    dead = _named_by(doomed, store) - live
    settled = datetime.now(UTC) - _SETTLED if any(job.outcome == "running" for job in staying) else datetime.now(UTC) + _SETTLED
    entries = [entry for kind in (OBJECTS, RECORDS, *OTHERS) for entry in store.entries(f"{kind}/") if entry.key not in live]
    gone = [entry for entry in entries if entry.key in dead or entry.modified < settled]
    ends = [entry for entry in store.entries(f"{JOBS}/") if entry.key in keys]
    _remove(gone, store)
    _remove(ends, store)
    counts = Counter(kind_of(entry.key) for entry in (*gone, *ends))
    return Deleted(counts, sum(entry.num_bytes for entry in (*gone, *ends)), len(entries) - len(gone))


def kind_of(key: str) -> str:
    """What something in a store is.

    >>> kind_of("objects/tracks/0123"), kind_of("jobs/4567/89"), kind_of("stages/find_faces/v3/0123")
    ('objects/tracks', 'jobs', 'stages/find_faces')
    """
    parts = key.split("/")
    return "/".join(parts[:2]) if parts[0] in (OBJECTS, RECORDS) else parts[0]


def _named_by(named: Iterable[JobRecord], store: Backend) -> set[str]:
    """Keys of all that jobs used: of their results, and of the objects that these name."""
    keys = {f"{RECORDS}/{key}" for job in named for key in job.keys} | {key for job in named for key in job.records}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        contents = pool.map(store.read, keys)
        return keys.union(*(objects_in(content) for content in contents if content))


def objects_in(content: bytes) -> set[str]:
    """Keys of the objects that a result names; Prefect's records have it as a text inside."""
    try:
        said = json.loads(believed_or_not(content))
        if isinstance(said, dict) and isinstance(said.get("result"), str):
            said = json.loads(said["result"])
    except ValueError:
        return set()
    return {ref.key for ref in refs_in(said)}


def _remove(entries: Collection[Entry], store: Backend) -> None:
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(store.remove, [entry.key for entry in entries]):  # the first that fails is raised
            pass
