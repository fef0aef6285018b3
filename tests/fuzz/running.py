"""Reads each file in a process of its own, which has limits, and is split off from one that has everything loaded."""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.fuzz.files import hostile
from tests.fuzz.seeds import Seed
from tests.fuzz.trial import Outcome, outcome_of

SECONDS = 20
MOST_BYTES = 2 << 30


class Tried(NamedTuple):
    """A file, and how it ended: see `Outcome`."""

    number: int
    kind: str
    outcome: Outcome
    seconds: float
    peak_bytes: int


@dataclass
class _Child:
    number: int
    kind: str
    pid: int
    said: int
    folder: Path
    began: float = field(default_factory=time.monotonic)
    content: bytearray = field(default_factory=bytearray)
    is_late: bool = False


class Runner:
    """Several such processes at once."""

    def __init__(self, seeds: Mapping[str, Sequence[Seed]], folder: Path, num_processes: int, seconds: float = SECONDS) -> None:
        assert len(os.listdir("/proc/self/task")) == 1, "a process with threads is not to be split"
        self._seeds, self._folder, self._num_processes, self._seconds = seeds, folder, num_processes, seconds

    def run(self, files: Iterable[tuple[int, str]]) -> Iterator[Tried]:
        """Numbers and kinds of files, in any order. What took too long is tried once more, alone, for the machine may be busy."""
        late: list[tuple[int, str]] = []
        for tried in self._run(files, self._num_processes):
            if tried.outcome.how == "slow" and self._num_processes > 1:
                late.append((tried.number, tried.kind))
            else:
                yield tried
        yield from self._run(late, 1)

    def _run(self, files: Iterable[tuple[int, str]], num_processes: int) -> Iterator[Tried]:
        waiting, children = iter(files), dict[int, _Child]()
        while True:
            while len(children) < num_processes and (following := next(waiting, None)):
                child = self._begun(*following)
                children[child.said] = child
            if not children:
                return
            ready, _, _ = select.select(list(children), [], [], 0.5)
            for child in list(children.values()):
                if time.monotonic() - child.began > self._seconds and not child.is_late:
                    child.is_late = True
                    os.kill(child.pid, signal.SIGKILL)
            for said in ready:
                if part := os.read(said, 1 << 16):
                    children[said].content += part
                else:
                    yield self._ended(children.pop(said))

    def _begun(self, number: int, kind: str) -> _Child:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        reads, writes = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(reads)
                _limit(self._seconds)
                path = written(hostile(number, kind, self._seeds), folder)
                os.write(writes, json.dumps(outcome_of(path, kind)).encode()[: 1 << 15])
            finally:
                os._exit(0)
        os.close(writes)
        return _Child(number, kind, pid, reads, folder)

    def _ended(self, child: _Child) -> Tried:
        os.close(child.said)
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - child.began
        shutil.rmtree(child.folder)
        return Tried(child.number, child.kind, _outcome(child, status), seconds, used.ru_maxrss << 10)


def written(file: Seed, folder: Path) -> Path:
    path = folder / f"a{file.suffix}"
    path.write_bytes(file.content)
    return path


def _outcome(child: _Child, status: int) -> Outcome:
    with suppress(ValueError):
        return Outcome(*json.loads(child.content))
    if child.is_late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return Outcome("slow")
    if os.WIFSIGNALED(status):
        return Outcome("crash", signal.Signals(os.WTERMSIG(status)).name)
    return Outcome("bug", "ends without a word", child.content.decode(errors="replace"))


def _limit(seconds: float) -> None:
    """Of time on the processor, and of address space beyond what was there before; nothing is shown or dumped."""
    before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (before + MOST_BYTES, before + MOST_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def drawn_apart(folder: Path) -> dict[str, list[Seed]]:
    """The seeds, drawn by a process that ends: encoders leave threads behind."""
    from tests.fuzz.seeds import draw_seeds

    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            clips = folder / "clips"
            clips.mkdir()
            said: dict[str, Any] = {}
            for kind, seeds in draw_seeds(clips).items():
                for number, seed in enumerate(seeds):
                    (folder / f"{kind}.{number}").write_bytes(seed.content)
                said[kind] = [seed.suffix for seed in seeds]
            (folder / "seeds.json").write_text(json.dumps(said))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert status == 0, "the seeds cannot be drawn"
    kinds = json.loads((folder / "seeds.json").read_text())
    contents = {kind: [(folder / f"{kind}.{number}").read_bytes() for number in range(len(suffixes))] for kind, suffixes in kinds.items()}
    return {kind: list(map(Seed, suffixes, contents[kind])) for kind, suffixes in kinds.items()}
