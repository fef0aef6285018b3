"""Results in a folder on this machine, or on a disk that machines share."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tasks.errors import NoSpace, StoreError
from tasks.stores.backend import Entry
from tasks.video.target import remove_abandoned, this_process

_ATTEMPTS = 3


class FolderBackend:
    """A folder that only its owner can open."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def location(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes | None:
        with _explained(self.root), suppress(FileNotFoundError, NotADirectoryError):
            return (self.root / key).read_bytes()
        return None

    def write(self, key: str, content: bytes) -> None:
        with _explained((self.root / key).parent), self.new_file(str(Path(key).parent)) as path:
            path.write_bytes(content)
            self.keep(path, key)

    def num_bytes(self, key: str) -> int | None:
        path = self.root / key
        return path.stat().st_size if path.is_file() else None

    def remove(self, key: str) -> None:
        path = self.root / key
        with _explained(self.root):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # the folder of a video's jobs is named after it: it goes with the last of them
                path.parent.rmdir()

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        above = self.root / prefix if prefix.endswith("/") else (self.root / prefix).parent
        for path in sorted(above.rglob("*")):
            key = str(path.relative_to(self.root))
            if key.startswith(prefix) and path.is_file() and not path.name.startswith(".new-"):
                about = path.stat()
                yield Entry(key, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))

    @contextmanager
    def new_file(self, kind: str) -> Iterator[Path]:
        """In the folder itself, so that it only has to be renamed; its name tells which process is at work on it."""
        folder = self.root / kind
        with _explained(folder):
            descriptor, name = _new_in(folder)
            os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, path: Path, key: str) -> None:
        with _explained((self.root / key).parent):
            _make_private((self.root / key).parent)
            path.replace(self.root / key)

    def file(self, key: str) -> Path | None:
        path = self.root / key
        return path if path.is_file() else None

    def prepare(self) -> None:
        with _explained(self.root):
            _make_private(self.root)
            self.root.chmod(0o700)
            remove_abandoned(self.root.glob("**/.new-*"))

    def encryption(self, key: str) -> str | None:
        return None


def _new_in(folder: Path) -> tuple[int, str]:
    """A new file; once more where somebody else, who forgot the last one there, has just removed the folder."""
    for _ in range(_ATTEMPTS):
        _make_private(folder)
        with suppress(FileNotFoundError):
            return tempfile.mkstemp(dir=folder, prefix=f".new-{this_process()}-")
    return tempfile.mkstemp(dir=folder, prefix=f".new-{this_process()}-")


def _make_private(folder: Path) -> None:
    """Makes a folder, and those above it that are not there, for its owner alone: Python's own way does so for the last one only."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(folder, "the disk is full", fix="free some space or set VEIL_RESULTS to a larger disk, then run again") from error
        problem = f"results cannot be kept here ({error.strerror})"
        raise StoreError(folder, problem, fix="set VEIL_RESULTS to a writable folder") from error
