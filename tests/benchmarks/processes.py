"""Runs a command and watches what memory it and the processes that it starts take."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_SERVER = "prefect.server"  # in the command line of the server that Prefect starts
_EVERY_SECONDS = 0.2
VEIL = (sys.executable, "-m", "flows.cli")


@dataclass(frozen=True, slots=True)
class Watched:
    """What a command took."""

    status: int
    seconds: float
    program_peak_mib: float
    """the peaks of all its processes but the server, added up: never less than what they took at one time"""
    server_peak_mib: float
    peak_mib_by_process: dict[str, float]
    last_words: str
    """the end of what it wrote"""


class _Peak(NamedTuple):
    command: str
    kib: int


def surroundings(folder: Path, api_url: str | None = None) -> dict[str, str]:
    """An environment with a results store and a Prefect home in `folder`, and the Prefect server at `api_url` or none."""
    kept = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    own = {"VEIL_RESULTS": str(folder / "results"), "PREFECT_HOME": str(folder / "prefect"), "PYTHONUNBUFFERED": "1"}
    return kept | own | ({"PREFECT_API_URL": api_url} if api_url else {})


def watch(command: Sequence[str], environment: dict[str, str]) -> Watched:
    """Runs the command to its end."""
    peaks: dict[int, _Peak] = {}
    with tempfile.TemporaryFile() as words:
        started = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=words, stderr=subprocess.STDOUT)
        while process.poll() is None:
            for pid in _tree(process.pid):
                _note_peak(pid, peaks)
            time.sleep(_EVERY_SECONDS)
        seconds = time.monotonic() - started
        words.seek(0)
        said = words.read().decode(errors="replace").strip()
    program, server = (sum(peak.kib for peak in peaks.values() if (_SERVER in peak.command) is which) for which in (False, True))
    if not peaks:  # no /proc: the largest process so far, in KiB on Linux, in bytes on macOS
        program = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    by_process = {f"{pid} {peak.command[-80:]}": peak.kib / 1024 for pid, peak in peaks.items()}
    return Watched(process.returncode, seconds, program / 1024, server / 1024, by_process, said[-300:])


def _tree(root: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, int] = {}
    for entry in _PROC.glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        parents[int(entry.name)] = int(after_name[1])
    tree = [root] if root in parents else []
    for pid in tree:
        tree += [child for child, parent in parents.items() if parent == pid]
    return tree


def _note_peak(pid: int, peaks: dict[int, _Peak]) -> None:
    """The kernel keeps each process's peak, from its start as what it is now: a fork's copy of its parent is forgotten."""
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return
    found = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    if found:
        peaks[pid] = _Peak(command, found[0])
