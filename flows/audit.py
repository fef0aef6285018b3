"""What was decided and what was deleted, a line each, in the results store: added to, never changed, and without biometric data.

A line outlives what it is about. So it names nobody, and a video by a mark that only whoever has the video, or its hash, can tell.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Literal
from uuid import uuid4

from pydantic import AwareDatetime, Field

from tasks.choosing import Decision
from tasks.method import Settings
from tasks.stores.backend import Backend
from tasks.stores.settings import results_store

AUDIT = "audit"


@cache
def _account() -> str:
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"


class AuditLine(Settings):
    """An event."""

    event: Literal["answered", "decided", "deleted"]
    """somebody said what happens to a person; a result was written with it; something was forgotten"""
    time: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    by: str = Field(default_factory=_account)
    """user and machine"""
    flow_run: str | None = None
    """Prefect's id"""
    video: str | None = None
    """see `mark_of`"""
    policy: str | None = None
    person: int | None = None
    """their number in that run's report"""
    decision: str | None = None
    unsure: bool | None = None
    seconds: float | None = None
    """on screen"""
    why: Literal["video", "person", "older"] | None = None
    """what was asked to be forgotten"""
    counts: dict[str, int] | None = None
    """of what was deleted"""


def mark_of(source_sha256: str) -> str:
    """By which a video's lines are found by whoever has it, and that tells nobody else which it is."""
    return hashlib.sha256(f"veil audit {source_sha256}".encode()).hexdigest()[:16]


def note(lines: Sequence[AuditLine], backend: Backend | None = None) -> None:
    """Writes lines of one event; as one object, so that none is without the others."""
    if lines:
        key = f"{AUDIT}/{lines[0].time:%Y-%m-%d/%H%M%S.%f}-{uuid4().hex[:8]}.jsonl"
        content = "".join(f"{line.model_dump_json(exclude_none=True)}\n" for line in lines)
        (backend or results_store()).write(key, content.encode())


def note_people(
    event: Literal["answered", "decided"], source_sha256: str, flow_run: str, policy: str, decisions: Sequence[Decision]
) -> None:
    """A line a person."""
    common = {"event": event, "flow_run": flow_run, "video": mark_of(source_sha256), "policy": policy}
    about = ({name: getattr(each, name) for name in ("person", "decision", "unsure", "seconds")} for each in decisions)
    note([AuditLine.model_validate(common | each) for each in about])


def read_lines(backend: Backend | None = None) -> Iterator[AuditLine]:
    """All of them, in order of time; what is none is left out."""
    store = backend or results_store()
    for entry in store.entries(f"{AUDIT}/"):
        for line in (store.read(entry.key) or b"").splitlines():
            yield AuditLine.model_validate_json(line)
