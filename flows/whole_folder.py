"""A folder that is written beside its place, and put there whole."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path

from tasks.errors import BadOutput, NoSpace


def check_folder(folder: Path, overwrite: bool, ours: Set[str]) -> None:
    """Raises BadOutput where a folder cannot be put at `folder`. Only one that holds nothing but files named in `ours` is ever replaced."""
    if folder.exists() and not folder.is_dir():
        raise BadOutput(folder, "is a file", fix="give the name of a folder")
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else set[str]()
    if held and not overwrite:
        raise BadOutput(folder, "exists already and is not empty", fix="choose another name, or add --overwrite")
    if strange := sorted(held - ours):
        raise BadOutput(folder, f"holds other things too, such as {strange[0]}", fix="choose another name: nothing of yours is replaced")
    if not folder.parent.is_dir():
        raise BadOutput(folder.parent, "is not a folder", fix="make it first, or choose another")
    if not os.access(folder.parent, os.W_OK):
        raise BadOutput(folder.parent, "cannot be written to", fix="choose another folder, or change its permissions")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder that only its owner can open, and that takes its place when the block ends well. Else all is as it was.

    Raises NoSpace and BadOutput.
    """
    unfinished: Path | None = None
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.unfinished-", dir=folder.parent))  # its mode is 0700
        yield unfinished
        _put(unfinished, folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(folder, "the disk is full", fix="free some space, or write to another disk") from error
        raise BadOutput(folder, f"cannot be written ({error.strerror})", fix="choose another place, or change its permissions") from error
    finally:
        if unfinished is not None:
            shutil.rmtree(unfinished, ignore_errors=True)


def _put(finished: Path, folder: Path) -> None:
    """A folder with content cannot be replaced in one step: the old one steps aside, and comes back if the new one cannot be put."""
    if not folder.exists() or not any(folder.iterdir()):
        finished.replace(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.replaced-", dir=folder.parent))
    folder.replace(aside)
    try:
        finished.replace(folder)
    except OSError:
        aside.replace(folder)
        raise
    shutil.rmtree(aside)
