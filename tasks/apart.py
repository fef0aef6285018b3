"""Reading files that nobody has read to their end yet, in a process of its own: one that makes a library crash ends that process.

Such a process does one piece of work after the other, each a generator of bytes that returns JSON, and is kept for the next. What it is
asked and what it says are bytes and JSON; nothing is unpickled.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import queue
import resource
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from tasks import errors
from tasks.errors import BadVideo, VeilError

Work = Callable[..., Generator[bytes, None, Any]]
"""takes JSON, then the attached bytes; yields bytes, returns JSON"""

_ROOT = Path(__file__).parents[1]
_BEGUN, _PARTS, _RESULT, _ERROR, _BUG, _ASKED = b"s", b"p", b"r", b"e", b"b", b"a"
_CONVERT = "convert it with a tool that can play it"


class Limit(NamedTuple):
    """How long work may take, None for any time; and what it is an error of where it takes longer, or ends the process."""

    seconds: float | None = None
    kind: type[VeilError] = BadVideo


NO_LIMIT = Limit()

_idle: list[Helper] = []
_lock = threading.Lock()


class Helper:
    """A process that waits for work."""

    def __init__(self) -> None:
        self.environment = _environment()
        self.is_late = False
        self._process = subprocess.Popen(
            # Nothing is imported from the folder that the user is in.
            [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; from tasks.apart import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._asked, self._said = self._process.stdin, self._process.stdout

    def run(self, work: Work, arguments: Sequence[Any], attached: Sequence[bytes], seconds: float | None) -> Generator[bytes, None, Any]:
        """What the work yields, and what it returns; raises what it raises, EOFError where the process comes to its end meanwhile."""
        limit = threading.Timer(seconds, self._end_late) if seconds is not None else None
        try:
            asked = {"work": f"{work.__module__}:{work.__name__}", "arguments": arguments, "attached": len(attached)}
            with suppress(BrokenPipeError):  # how it ended is told below
                _send(self._asked, _ASKED, json.dumps(asked).encode())
                for each in attached:
                    _send(self._asked, _PARTS, each)
                self._asked.flush()
            while True:
                kind, content = _receive(self._said)
                if kind == _BEGUN:  # it has loaded what it needs
                    if limit:
                        limit.start()
                elif kind == _PARTS:
                    yield content
                elif kind == _RESULT:
                    return json.loads(content)
                elif kind == _ERROR:
                    raise _error_from(json.loads(content))
                else:
                    raise RuntimeError(content.decode())
        finally:
            if limit:
                limit.cancel()

    def ended_by(self) -> str:
        """The signal that ended the process, or its exit status."""
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"

    def _end_late(self) -> None:
        self.is_late = True
        self.end()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._said.close()
        with suppress(BrokenPipeError):
            self._asked.close()


def prepare() -> None:
    """Starts a process, so that it is there when it is wanted."""
    helper = _taken()
    with _lock:
        _idle.append(helper)


class Running:
    """A piece of work that is done apart: iterating gives what it yields; `result` is then what it returned.

    Raises the VeilErrors that it raises, and `kind`, of the subject, where the process crashes or takes longer than so many seconds.
    """

    def __init__(
        self, work: Work, subject: object, arguments: Sequence[Any], attached: Sequence[bytes] = (), *, limit: Limit = NO_LIMIT
    ) -> None:
        self.result: Any = None
        self._asked = (work, arguments, attached)
        self._subject, self._limit = subject, limit

    def __iter__(self) -> Iterator[bytes]:
        helper = _taken()
        is_sound = False
        try:
            self.result = yield from helper.run(*self._asked, self._limit.seconds)
            is_sound = True
        except VeilError:
            is_sound = True
            raise
        except (EOFError, ValueError) as error:  # ValueError: its pipe was closed, when its time was over
            raise self._explained(helper) from error
        finally:
            if is_sound:
                with _lock:
                    _idle.append(helper)
            else:
                helper.end()

    def _explained(self, helper: Helper) -> VeilError:
        problem = (
            f"takes longer than {self._limit.seconds:.0f} seconds to read"
            if helper.is_late
            else f"ends the process that reads it ({helper.ended_by()})"
        )
        return self._limit.kind(self._subject, problem, fix=_CONVERT)


def done(work: Work, subject: object, arguments: Sequence[Any], *, limit: Limit = NO_LIMIT) -> tuple[Any, list[bytes]]:
    """What the work returns and all that it yields; errors are those of `Running`."""
    running = Running(work, subject, arguments, limit=limit)
    parts = list(running)
    return running.result, parts


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()


def _taken() -> Helper:
    """A process that knows the credentials of this moment."""
    environment = _environment()
    with _lock:
        while _idle:
            helper = _idle.pop()
            if helper.environment == environment and helper._process.poll() is None:
                return helper
            helper.end()
    return Helper()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def serve() -> None:
    """The process apart: works until nobody can ask it any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it ends it
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what is left of a crash would show who is in the video
    with suppress(OSError):  # where memory is short, Linux ends this process rather than the job
        Path("/proc/self/oom_score_adj").write_text("1000")
    said = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    asked: queue.Queue[tuple[bytes, bytes]] = queue.Queue()
    threading.Thread(target=_listen, args=(asked,), daemon=True).start()
    while True:
        _, content = asked.get()
        wanted = json.loads(content)
        attached = [asked.get()[1] for _ in range(wanted["attached"])]
        module, _, name = wanted["work"].partition(":")
        _answer(said, getattr(importlib.import_module(module), name), wanted["arguments"], attached)


def _listen(asked: queue.Queue[tuple[bytes, bytes]]) -> None:
    """Ends the process, whatever it is doing, when whoever asks is gone."""
    with suppress(EOFError):
        while True:
            asked.put(_receive(sys.stdin.buffer))
    os._exit(0)


def _answer(said: IO[bytes], work: Work, arguments: Sequence[Any], attached: Sequence[bytes]) -> None:
    _send(said, _BEGUN, b"")
    said.flush()
    running = work(*arguments, *attached)
    try:
        while True:
            _send(said, _PARTS, next(running))
    except StopIteration as end:
        _send(said, _RESULT, json.dumps(end.value).encode())
    except VeilError as error:
        told = [type(error).__name__, error.subject, error.problem, error.fix, error.may_pass]
        _send(said, _ERROR, json.dumps(told).encode())
    except MemoryError:
        os.abort()
    except Exception:
        _send(said, _BUG, traceback.format_exc().encode())
    said.flush()


def _error_from(told: Sequence[Any]) -> VeilError:
    name, subject, problem, fix, may_pass = told
    kind: type[VeilError] = getattr(errors, name)
    return kind(subject, problem, fix=fix, may_pass=may_pass)


def _send(file: IO[bytes], kind: bytes, content: bytes) -> None:
    file.write(kind + len(content).to_bytes(8, "big"))
    file.write(content)


def _receive(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Raises EOFError where there is nothing more."""
    head = file.read(9)
    if len(head) < 9:
        raise EOFError
    size = int.from_bytes(head[1:], "big")
    content = file.read(size)
    if len(content) < size:
        raise EOFError
    return head[:1], content
