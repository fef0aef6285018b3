"""Prefect's database where it is a SQLite file on this machine: what was deleted there is also overwritten.

The API deletes rows, whose bytes stay in the file until something else is written over them; events it does not delete at all.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from prefect.settings import get_current_settings
from sqlalchemy.engine import make_url

_PATIENCE_SECONDS = 30.0
_HERE = ("127.0.0.1", "localhost", "::1")


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


def overwrite_deleted(database: Path, flow_runs: Collection[UUID]) -> str | None:
    """Deletes the runs' events, and rewrites the file without what was deleted; what kept it from being done, if anything."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
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
        for run in flow_runs:
            about = "SELECT event_id FROM event_resources WHERE resource_id = ?"
            events = [event for (event,) in connection.execute(about, (f"prefect.flow-run.{run}",))]
            for table, column in (("event_resources", "event_id"), ("events", "id")):
                connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", [(event,) for event in events])
        connection.execute("VACUUM")
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("database is locked")
    finally:
        connection.close()
