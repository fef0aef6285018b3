"""Prefect's database where it is a SQLite file on this machine: what was deleted there is also overwritten.

The API deletes rows, whose bytes stay in the file until something else is written over them; events it does not delete at all.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from prefect.client.orchestration import SyncPrefectClient
from prefect.settings import get_current_settings
from sqlalchemy.engine import make_url

_PATIENCE_SECONDS = 30.0
_HERE = ("127.0.0.1", "localhost", "::1")
_OF_A_RUN = ("prefect.task-run.", "prefect.artifact.", "prefect.artifact-collection.")
"""how resources are called that belong to a flow run alone, or to the runs about one video"""


def local_database() -> Path | None:
    """The file, where the server that is used is on this machine and keeps its records as this account's settings say."""
    settings = get_current_settings()
    url = settings.server.database.connection_url
    address = str(settings.api.url or "")
    if url is None or (address and urlsplit(address).hostname not in _HERE):
        return None
    read = make_url(url.get_secret_value())
    path = Path(read.database or "")
    return path if read.get_backend_name() == "sqlite" and path.is_file() else None


def wait_for_events(client: SyncPrefectClient, database: Path) -> None:
    """Until the server, which writes events by the batch, has written those that there are: one that is sent now comes last."""
    mark = f"veil.forget.{uuid4()}"
    resource = {"prefect.resource.id": mark}
    client.request(
        "POST",
        "/events",
        json=[{"id": str(uuid4()), "occurred": datetime.now(UTC).isoformat(), "event": "veil.forget", "resource": resource}],
    ).raise_for_status()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=_PATIENCE_SECONDS) as connection:
            if connection.execute("SELECT 1 FROM event_resources WHERE resource_id = ?", (mark,)).fetchone():
                return
        time.sleep(0.2)


def overwrite_deleted(database: Path, flow_runs: Collection[UUID] = (), patience_seconds: float = _PATIENCE_SECONDS) -> str | None:
    """Deletes the runs' events, and rewrites the file without what was deleted; what kept it from being done, if anything."""
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            _overwrite(database, flow_runs)
            return None
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                return str(error)
            time.sleep(0.5)


def _overwrite(database: Path, flow_runs: Collection[UUID]) -> None:
    connection = sqlite3.connect(database, timeout=2, isolation_level=None)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        events = _events_about(connection, {f"prefect.flow-run.{run}" for run in flow_runs})
        for statement in ("DELETE FROM event_resources WHERE event_id = ?", "DELETE FROM events WHERE id = ?"):
            connection.executemany(statement, [(event,) for event in events])
        # Lines of log come by the batch too, and may have come after their run was deleted.
        connection.execute("DELETE FROM log WHERE flow_run_id IS NOT NULL AND flow_run_id NOT IN (SELECT id FROM flow_run)")
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("database is locked")
    finally:
        connection.close()


def _events_about(connection: sqlite3.Connection, resources: set[str]) -> set[str]:
    """Events of these resources, and of all that belongs to them."""
    events, wave = set[str](), resources
    while wave:
        new = _column(connection, "SELECT event_id FROM event_resources WHERE resource_id = ?", wave) - events
        of_them = _column(connection, "SELECT resource_id FROM event_resources WHERE event_id = ?", new)
        wave = {each for each in of_them if each.startswith(_OF_A_RUN)} - resources
        resources |= wave
        events |= new
    return events


def _column(connection: sqlite3.Connection, statement: str, values: Iterable[str]) -> set[str]:
    return {found for value in values for (found,) in connection.execute(statement, (value,))}
