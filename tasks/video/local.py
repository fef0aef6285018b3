"""Places on this machine's disks."""

from __future__ import annotations

import os
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import BadOutput, BadVideo
from tasks.hashing import file_sha256
from tasks.video.target import WholeFile, whole_file
from tasks.video.whole_folder import WholeFolder, check_folder, whole_folder


@dataclass(frozen=True)
class LocalFolder:
    """A folder on disk."""

    path: Path

    def names(self) -> list[str]:
        try:
            return [entry.name for entry in os.scandir(self.path) if entry.is_file()]
        except OSError as error:
            raise BadVideo(self.path, f"is no folder that can be read ({error.strerror})", fix="check the path") from error

    def file(self, name: str) -> Path:
        return self.path / name


@dataclass(frozen=True)
class LocalFilePlace:
    """A file's place on disk."""

    path: Path

    def check(self) -> None:
        folder = self.path.parent
        if self.path.is_dir():
            raise BadOutput(self.path, "is a folder", fix="give the name of a file in it")
        if not folder.is_dir():
            raise BadOutput(folder, "is not a folder", fix="make it first, or choose another")
        if not os.access(folder, os.W_OK):
            raise BadOutput(folder, "cannot be written to", fix="choose another folder, or change its permissions")

    def is_there(self) -> bool:
        return self.path.exists()

    def sha256(self) -> str | None:
        return file_sha256(self.path) if self.path.is_file() else None

    @contextmanager
    def unfinished(self) -> Iterator[LocalNewFile]:
        with whole_file(self.path) as file:
            yield LocalNewFile(file)


@dataclass(frozen=True)
class LocalNewFile:
    """A file beside its place."""

    file: WholeFile

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def location(self) -> str:
        return str(self.file.path)

    def sha256(self) -> str:
        return file_sha256(self.file.path)

    def keep(self) -> None:
        self.file.keep()


@dataclass(frozen=True)
class LocalFolderPlace:
    """A folder's place on disk."""

    path: Path

    @property
    def folder(self) -> LocalFolder:
        return LocalFolder(self.path)

    def check(self, ours: Container[str]) -> None:
        check_folder(self.path, overwrite=True, ours=ours)

    def is_there(self) -> bool:
        return self.path.is_dir() and any(self.path.iterdir())

    @contextmanager
    def unfinished(self) -> Iterator[LocalNewFolder]:
        with whole_folder(self.path, private=False) as folder:
            yield LocalNewFolder(folder)


@dataclass(frozen=True)
class LocalNewFolder:
    """A folder beside its place."""

    unfinished: WholeFolder

    @property
    def location(self) -> str:
        return str(self.unfinished.path)

    @property
    def folder(self) -> LocalFolder:
        return LocalFolder(self.unfinished.path)

    def write(self, name: str, content: bytes) -> None:
        (self.unfinished.path / name).write_bytes(content)

    def keep(self) -> None:
        self.unfinished.keep()
