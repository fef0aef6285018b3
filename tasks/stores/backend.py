"""What a results store can do, wherever it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """Something that is kept."""

    key: str
    num_bytes: int
    modified: datetime
    """in UTC"""


class Backend(Protocol):
    """Bytes under keys such as `objects/tracks/0123`; each is whole or not there. All calls raise StoreError, and NoSpace where it is full.

    Two that write the same key at once leave what one of them wrote.
    """

    @property
    def location(self) -> str:
        """As `VEIL_RESULTS` takes it."""

    def read(self, key: str) -> bytes | None:
        """None where there is nothing."""

    def write(self, key: str, content: bytes) -> None: ...

    def num_bytes(self, key: str) -> int | None:
        """None where there is nothing."""

    def remove(self, key: str) -> None:
        """Nothing happens where there is nothing."""

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All that is kept under keys that begin so, in the order of the keys."""

    def new_file(self, kind: str) -> AbstractContextManager[Path]:
        """A file on this machine to fill and `keep`; gone after the block, whatever happens."""

    def keep(self, path: Path, key: str) -> None:
        """Puts such a file under a key."""

    def file(self, key: str) -> Path | None:
        """What is under a key, as a file on this machine that is not to be changed; None where there is nothing."""

    def prepare(self) -> None:
        """Makes it ready for its first use, and removes what killed processes left half written."""

    def encryption(self, key: str) -> str | None:
        """How what is under the key is encrypted at rest, as far as the store says so; None where it is not."""
