"""Files that take their place only when they are whole, and say clearly what the disk says."""

from __future__ import annotations

import errno
import glob
import io
import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tasks.errors import BadOutput, BadVideo, NoSpace, VeilError
from tasks.video.files import WritableFile

_SECONDS_OF_A_DAY = 86400
_PUBLIC = 0o666
_MOST_BYTES = 100  # of a target's name in that of its unfinished file


def write_file(path: Path | WritableFile, content: bytes) -> None:
    """Raises NoSpace where the disk is full, BadOutput where the file cannot be written."""
    with CheckedFile(path) as file:
        file.write(content)
    file.check()


class CheckedFile(io.RawIOBase):
    """A file that takes all or remembers why not: FFmpeg may write on for a while, and forgets errors when it closes."""

    def __init__(self, path: Path | WritableFile) -> None:
        self.name = str(path)
        self._path = path
        self._error: OSError | VeilError | None = None
        self._file: io.RawIOBase | None = None
        try:
            self._file = io.FileIO(path, "w", opener=_following_no_link) if isinstance(path, Path) else path.create()
        except OSError as error:
            self._error = error
            self.check()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file is not None and self._file.seekable()

    def write(self, content: bytes) -> int:  # type: ignore[override]
        rest = memoryview(content)
        try:
            while self._error is None and rest and self._file is not None:
                rest = rest[self._file.write(rest) or 0 :]
        except (OSError, VeilError) as error:
            self._error = error
        return len(content)

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0 if self._file is None else self._file.seek(offset, whence)

    def tell(self) -> int:
        return 0 if self._file is None else self._file.tell()

    def close(self) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except (OSError, VeilError) as error:
            self._error = self._error or error
        super().close()

    def check(self) -> None:
        """Raises NoSpace or BadOutput where something could not be written."""
        if self._error is None:
            return
        if isinstance(self._error, VeilError):
            raise self._error
        if self._error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(self._path, "the disk is full", fix="free some space, or write to another disk") from self._error
        problem = f"cannot be written ({str(self._error.strerror or self._error).lower()})"
        raise BadOutput(self._path, problem, fix="choose another place, or change its permissions") from self._error


def _following_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


class WholeFile:
    """A file that is written beside its target, for its owner alone, and takes its place only if it is kept."""

    def __init__(self, target: Path, *, private: bool) -> None:
        self._target, self._private = target, private
        # Made here, under a name that nobody knows before: a link that lies in wait is never followed. The ending says which container.
        descriptor, name = tempfile.mkstemp(target.suffix, f"{beside(target.stem)}{this_process()}-", target.parent)
        os.close(descriptor)
        self.path = Path(name)

    def keep(self) -> None:
        """Put the finished file in the target's place, in one step and for good; others may read it as they may any new file here."""
        with self.path.open("rb") as file:
            if not self._private:
                os.fchmod(file.fileno(), _PUBLIC & ~umask())
            os.fsync(file.fileno())
        self.path.replace(self._target)


@contextmanager
def whole_file(target: Path, *, private: bool = False) -> Iterator[WholeFile]:
    """A file to write; what is not kept is removed, however the block ends, and what killed processes left there too.

    A private one stays for its owner alone. Raises NoSpace and BadOutput.
    """
    remove_abandoned(left_beside(target))
    try:
        file = WholeFile(target, private=private)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(target, "the disk is full", fix="free some space, or write to another disk") from error
        raise BadOutput(target, f"cannot be written ({error.strerror})", fix="choose another place, or change its permissions") from error
    try:
        yield file
    except (NoSpace, BadOutput, BadVideo) as error:
        if error.subject != str(file.path):
            raise
        raise (NoSpace if isinstance(error, NoSpace) else BadOutput)(target, error.problem, fix=error.fix) from error
    finally:
        file.path.unlink(missing_ok=True)


def left_beside(target: Path) -> list[Path]:
    """Unfinished files of this target, of processes at work or gone; where it is a folder, unfinished folders too."""
    names = {beside(target.stem), beside(target.name)}
    return sorted({path for name in names for path in target.parent.glob(f"{glob.escape(name)}*")})


def beside(name: str) -> str:
    """How names of what is unfinished begin; no longer than a name may be, however long the target's is."""
    return f".{name.encode()[:_MOST_BYTES].decode(errors='ignore')}.unfinished-"


def umask() -> int:
    """Which permissions new files do not get."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def this_process() -> str:
    """What names of unfinished files say of who is at work on them: machine and process."""
    return f"{this_machine()}-{os.getpid()}"


def this_machine() -> str:
    """Its name, as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def remove_abandoned(paths: Iterable[Path]) -> list[Path]:
    """Removes files, or whole folders, that are abandoned, and says which; what belongs to somebody else stays."""
    removed = []
    for path in abandoned(paths):
        with suppress(FileNotFoundError, PermissionError):  # others tidy up too
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            removed.append(path)
    return removed


def abandoned(paths: Iterable[Path]) -> list[Path]:
    """Those, named by `this_process`, of processes that are gone.

    Of other machines, on a disk that is shared, what nobody has touched for a day.
    """
    found = []
    for path in paths:
        process = re.search(rf"{this_machine()}-(\d+)", path.name)
        with suppress(FileNotFoundError):
            if not runs(int(process[1])) if process else time.time() - path.lstat().st_mtime > _SECONDS_OF_A_DAY:
                found.append(path)
    return found


def runs(process: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
