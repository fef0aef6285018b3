"""Where bytes lie: a file or a folder of this machine, or of a store that is reached over the network."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, Protocol

from tasks.hashing import file_sha256


class StoredFile(Protocol):
    """A file that is not on this machine. Everything that goes wrong is raised as one VeilError that names it."""

    @property
    def name(self) -> str:
        """Its last part."""

    @property
    def suffix(self) -> str:
        """Its ending, with the dot."""

    def num_bytes(self) -> int:
        """Its size."""

    def renew(self) -> None:
        """What is there now is meant from now on; until then, what was hashed is read, and anything else is an error."""

    def open(self) -> BinaryIO:
        """It, to be read from any place; holds no more than a window of it."""

    def read_bytes(self) -> bytes:
        """All of it."""

    def sha256(self) -> str:
        """In hex, of the whole content."""


File = Path | StoredFile


def renewed(file: File) -> File:
    """The file as it is now, for a job that begins."""
    if not isinstance(file, Path):
        file.renew()
    return file


def num_bytes_of(file: File) -> int:
    return file.stat().st_size if isinstance(file, Path) else file.num_bytes()


def sha256_of(file: File) -> str:
    """SHA-256 of the content, in hex."""
    return file_sha256(file) if isinstance(file, Path) else file.sha256()


@contextmanager
def opened(file: File) -> Iterator[BinaryIO]:
    """The file, to be read from any place."""
    with file.open("rb") if isinstance(file, Path) else file.open() as content:
        yield content


class WritableFile(Protocol):
    """A file that is not on this machine, and is written from its first byte to its last."""

    @property
    def suffix(self) -> str:
        """Its ending, with the dot."""

    def create(self) -> RawIOBase:
        """It, to be written; what goes wrong is raised as a VeilError."""


class Folder(Protocol):
    """Where pictures lie."""

    def names(self) -> list[str]:
        """The files in it, not those in folders in it; in no order. Raises BadVideo where there is no such folder."""

    def file(self, name: str) -> File:
        """One of them."""


class NewFile(Protocol):
    """A file that is being written, and takes its place only if it is kept."""

    @property
    def path(self) -> Path | WritableFile:
        """What to write to."""

    @property
    def location(self) -> str:
        """Where it can be read once it is written."""

    def sha256(self) -> str:
        """In hex, of what was written."""

    def keep(self) -> None:
        """Puts it in its place, in one step and for good."""


class FilePlace(Protocol):
    """Where a file goes."""

    def check(self) -> None:
        """Raises BadOutput where nothing can be written there."""

    def is_there(self) -> bool:
        """Whether something is there already."""

    def sha256(self) -> str | None:
        """Of what is there, in hex; None where nothing is."""

    def unfinished(self) -> AbstractContextManager[NewFile]:
        """A file to write; what is not kept is removed, however the block ends."""


class NewFolder(Protocol):
    """A folder that is being filled, and takes its place only if it is kept."""

    @property
    def location(self) -> str:
        """Where it can be read once it is filled."""

    @property
    def folder(self) -> Folder:
        """The same, to be read."""

    def write(self, name: str, content: bytes) -> None:
        """Puts a file into it; called from several threads at once."""

    def keep(self) -> None:
        """Puts it in its place."""


class FolderPlace(Protocol):
    """Where a folder of pictures goes."""

    @property
    def folder(self) -> Folder:
        """What is there, to be read."""

    def check(self, ours: Container[str]) -> None:
        """Raises BadOutput where it cannot be put there: only a folder that holds nothing but names of `ours` is ever replaced."""

    def is_there(self) -> bool:
        """Whether something is there already."""

    def unfinished(self) -> AbstractContextManager[NewFolder]:
        """A folder to fill; what is not kept is removed, however the block ends."""
