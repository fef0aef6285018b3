"""Writing a container into a file, with what the disk says said clearly."""

from __future__ import annotations

import errno
import glob
import io
import os
import re
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from tasks.errors import BadOutput, BadVideo, NoSpace, VeilError
from tasks.video.files import WritableFile
from tasks.video.opening import explain

_BUFFER_BYTES = 1 << 20
_SECONDS_OF_A_DAY = 86400


class OpenContainer:
    """A container being written; what goes wrong with the disk is raised at the next packet, or at the end."""

    def __init__(self, container: OutputContainer, file: _TargetFile) -> None:
        self.container = container
        self._file = file

    def mux(self, packets: Iterable[Packet[Stream]]) -> None:
        """Write packets that belong to the container's streams."""
        for packet in packets:
            self.container.mux_one(packet)
        self._file.check()


@contextmanager
def open_target(path: Path | WritableFile, container_format: str, options: dict[str, str] | None = None) -> Iterator[OpenContainer]:
    """The container, open for streams and packets. Its bytes depend on nothing but what is put in.

    Raises NoSpace where the disk is full, BadOutput where the file cannot be written or the container cannot hold what it is given.
    """
    with _TargetFile(path) as file:
        always = {"fflags": "+bitexact"}
        container = av.open(file, "w", format=container_format, container_options=always | (options or {}), buffer_size=_BUFFER_BYTES)
        try:
            # Closing writes the index, so it belongs to what can fail.
            with container:
                yield OpenContainer(container, file)
        except av.FFmpegError as error:
            file.check()
            problem = f"{container_format} cannot hold this video ({explain(error)})"
            raise BadOutput(path, problem, fix="choose a name that ends in .mkv") from error
        file.check()


class _TargetFile(io.RawIOBase):
    """A file that takes all or remembers why not: FFmpeg may write on for a while, and forgets errors when it closes."""

    def __init__(self, path: Path | WritableFile) -> None:
        self.name = str(path)
        self._path = path
        self._error: OSError | VeilError | None = None
        self._file: io.RawIOBase | None = None
        try:
            self._file = io.FileIO(path, "w") if isinstance(path, Path) else path.create()
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
        problem = f"cannot be written ({explain(self._error)})"
        raise BadOutput(self._path, problem, fix="choose another place, or change its permissions") from self._error


class WholeFile:
    """A file that is written beside its target, and takes its place only if it is kept."""

    def __init__(self, target: Path) -> None:
        self._target = target
        # The ending stays, for it says which container is meant.
        self.path = target.with_name(f".{target.stem}.unfinished-{this_process()}{target.suffix}")

    def keep(self) -> None:
        """Put the finished file in the target's place, in one step and for good."""
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self._target)


@contextmanager
def whole_file(target: Path) -> Iterator[WholeFile]:
    """A file to write; what is not kept is removed, however the block ends, and what killed processes left there too."""
    file = WholeFile(target)
    remove_abandoned(target.parent.glob(f".{glob.escape(target.stem)}.unfinished-*"))
    try:
        yield file
    except (NoSpace, BadOutput, BadVideo) as error:
        if error.subject != str(file.path):
            raise
        raise (NoSpace if isinstance(error, NoSpace) else BadOutput)(target, error.problem, fix=error.fix) from error
    finally:
        file.path.unlink(missing_ok=True)


def this_process() -> str:
    """What names of unfinished files say of who is at work on them: machine and process."""
    return f"{this_machine()}-{os.getpid()}"


def this_machine() -> str:
    """Its name, as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9]", "_", socket.gethostname())


def remove_abandoned(paths: Iterable[Path]) -> None:
    """Removes files, or whole folders, named by `this_process`, of processes that are gone.

    Of other machines, on a disk that is shared, what nobody has touched for a day.
    """
    for path in paths:
        process = re.search(rf"{this_machine()}-(\d+)", path.name)
        with suppress(FileNotFoundError):  # others tidy up too
            gone = not runs(int(process[1])) if process else time.time() - path.stat().st_mtime > _SECONDS_OF_A_DAY
            if gone:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def runs(process: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
