"""Results in a folder on this machine, or on a disk that machines share."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tasks.errors import NoSpace, StoreError
from tasks.stores.backend import Entry
from tasks.video.target import remove_abandoned, this_process

_ATTEMPTS = 3
_OURS = {"stages", "objects", "finished", "jobs", "audit", "missed", "faces"}  # folders that Veil makes


class FolderBackend:
    """A folder that only its owner can open."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def location(self) -> str:
        return str(self.root)

    def read(self, key: str) -> bytes | None:
        with _explained(self.root), suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            descriptor = os.open(self._path(key), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                if stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return file.read()
        return None

    def write(self, key: str, content: bytes) -> None:
        with _explained((self.root / key).parent), self.new_file(str(Path(key).parent)) as path:
            path.write_bytes(content)
            self.keep(path, key)

    def num_bytes(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def remove(self, key: str) -> None:
        path = self._path(key)
        with _explained(self.root):
            path.unlink(missing_ok=True)
            with suppress(OSError):  # the folder of a video's jobs is named after it: it goes with the last of them
                path.parent.rmdir()

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        above = self._path(prefix) if not prefix or prefix.endswith("/") else self._path(prefix).parent
        folders = os.walk(above) if not above.is_symlink() else ()
        for path in sorted(Path(folder) / name for folder, _, names in folders for name in names):
            key = str(path.relative_to(self.root))
            if key.startswith(prefix) and path.is_file() and not path.is_symlink() and not path.name.startswith(".new-"):
                about = path.stat()
                yield Entry(key, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))

    @contextmanager
    def new_file(self, kind: str) -> Iterator[Path]:
        """In the folder itself, so that it only has to be renamed; its name tells which process is at work on it."""
        folder = self._path(kind)
        with _explained(folder):
            descriptor, name = _new_in(folder)
            os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, path: Path, key: str) -> None:
        with _explained((self.root / key).parent):
            _make_private(self._path(key).parent)
            path.replace(self._path(key))

    def file(self, key: str) -> Path | None:
        path = self._path(key)
        return path if path.is_file() else None

    def _path(self, key: str) -> Path:
        """Raises StoreError where a link on the way leads out of the folder: what lies there is somebody else's."""
        path = self.root
        for part in Path(key).parts[:-1]:
            path /= part
            if path.is_symlink():
                raise StoreError(
                    path, "is a link, which Veil does not make in a folder of results", fix="remove it, or choose another folder"
                )
        return self.root / key

    def prepare(self) -> None:
        with _explained(self.root):
            theirs = self.root.is_dir() and any(path.name not in _OURS for path in self.root.iterdir())
            _make_private(self.root)
            if not theirs:  # a folder that somebody has other things in stays as it is; those that are made in it are private
                self.root.chmod(0o700)
            own = (self.root / name for name in _OURS)
            remove_abandoned(path for folder in own if not folder.is_symlink() for path in folder.glob("**/.new-*"))

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
