"""A folder that is written beside its place, and put there whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import BadOutput, NoSpace
from tasks.video.target import beside, left_beside, remove_abandoned, this_process, umask

_PUBLIC = 0o777


def check_folder(folder: Path, overwrite: bool, ours: Container[str]) -> None:
    """Raises BadOutput where a folder cannot be put at `folder`. Only one that holds nothing but files named in `ours` is ever replaced."""
    if folder.exists() and not folder.is_dir():
        raise BadOutput(folder, "is a file", fix="give the name of a folder")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    check_names(folder, held, overwrite, ours)
    if not folder.parent.is_dir():
        raise BadOutput(folder.parent, "is not a folder", fix="make it first, or choose another")
    if not os.access(folder.parent, os.W_OK):
        raise BadOutput(folder.parent, "cannot be written to", fix="choose another folder, or change its permissions")


def check_names(folder: object, held: set[str], overwrite: bool, ours: Container[str]) -> None:
    """Raises BadOutput for a folder that holds something which must not be replaced."""
    if held and not overwrite:
        raise BadOutput(folder, "exists already and is not empty", fix="choose another name, or add --overwrite")
    if strange := sorted(name for name in held if name not in ours):
        raise BadOutput(folder, f"holds other things too, such as {strange[0]}", fix="choose another name: nothing of yours is replaced")


class WholeFolder:
    """A folder that is written beside its place, and takes it only if it is kept."""

    def __init__(self, folder: Path, *, private: bool) -> None:
        self._folder = folder
        self._found = _names_in(folder)
        self.path = Path(tempfile.mkdtemp(prefix=f"{beside(folder.name)}{this_process()}-", dir=folder.parent))  # its mode is 0700
        if not private:
            self.path.chmod(_PUBLIC & ~umask())

    def keep(self) -> None:
        """Puts it in its place: in one step, or, where a folder with content is there, in two.

        Raises BadOutput where something has come into that folder since.
        """
        if new := sorted(_names_in(self._folder) - self._found):
            problem = f"holds {new[0]} since the work began"
            raise BadOutput(self._folder, problem, fix="move it, and run again: nothing of yours is replaced")
        if not self._folder.exists() or not any(self._folder.iterdir()):
            self.path.replace(self._folder)
            return
        # That one cannot be replaced in one step: it steps aside, and comes back if the new one cannot be put.
        aside = Path(tempfile.mkdtemp(prefix=f".{self._folder.name}.replaced-{os.getpid()}-", dir=self._folder.parent))
        self._folder.replace(aside)
        try:
            self.path.replace(self._folder)
        except OSError:
            aside.replace(self._folder)
            raise
        shutil.rmtree(aside)


def _names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


@contextmanager
def whole_folder(folder: Path, *, private: bool = True) -> Iterator[WholeFolder]:
    """A folder to fill; a private one can be opened by its owner only. What is not kept is removed, also what killed processes left there.

    Raises NoSpace and BadOutput.
    """
    unfinished: WholeFolder | None = None
    try:
        remove_abandoned(left_beside(folder))
        unfinished = WholeFolder(folder, private=private)
        yield unfinished
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(folder, "the disk is full", fix="free some space, or write to another disk") from error
        raise BadOutput(folder, f"cannot be written ({error.strerror})", fix="choose another place, or change its permissions") from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished.path, ignore_errors=True)
