"""Where bytes lie: a file or a folder of this machine, or of a store that is reached over the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
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

    def open(self) -> BinaryIO:
        """It, to be read from any place; holds no more than a window of it."""

    def read_bytes(self) -> bytes:
        """All of it."""

    def sha256(self) -> str:
        """In hex, of the whole content."""


File = Path | StoredFile


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


class Folder(Protocol):
    """Where pictures lie."""

    def names(self) -> list[str]:
        """The files in it, not those in folders in it; in no order. Raises BadVideo where there is no such folder."""

    def file(self, name: str) -> File:
        """One of them."""


class NewFolder(Protocol):
    """A folder that is being filled, and takes its place only if it is kept."""

    @property
    def location(self) -> str:
        """Where it lies until then."""

    def write(self, name: str, content: bytes) -> None:
        """Puts a file into it."""

    def copy(self, name: str, file: File) -> None:
        """Puts a file into it that lies elsewhere, byte for byte."""

    def keep(self) -> None:
        """Puts it in its place."""


class FolderPlace(Protocol):
    """Where a folder of pictures goes."""

    def check(self, ours: NamesAsked, overwrite: bool) -> None:
        """Raises BadOutput where it cannot be put there. Only a folder that holds nothing but names of `ours` is ever replaced."""

    def is_filled(self) -> bool:
        """Whether something is there already."""

    def unfinished(self) -> AbstractContextManager[NewFolder]:
        """A folder to fill; what is not kept is removed, however the block ends."""


class NamesAsked(Protocol):
    """Names, as a collection that can be asked."""

    def __contains__(self, name: object) -> bool: ...
