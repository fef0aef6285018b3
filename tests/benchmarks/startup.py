"""How long the command takes until it answers, until it reads, until it works."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.marked import read_marks
from tests.benchmarks.processes import surroundings

MARKED = (sys.executable, "-m", "tests.benchmarks.marked")
Times = dict[str, list[float]]


def measure_startup(clip: Path, folder: Path, api_url: str | None, repeats: int, say: Callable[[str], None]) -> Times:
    """Seconds from the command's start, by what is waited for, a value a repeat. Raises RuntimeError where it ends otherwise than expected.

    The first run in a fresh Prefect home, in which a database is made, is a row of its own.
    """
    times: defaultdict[str, list[float]] = defaultdict(list)
    environment, output, marks = surroundings(folder, api_url), folder / "out.mp4", folder / "marks"
    (folder / "text.mp4").write_text("this is no video\n")

    def run(what: str, source: Path, target: Path, status: int) -> dict[str, float]:
        marks.unlink(missing_ok=True)
        started = time.monotonic()
        command = [*MARKED, str(marks), "blur", str(source), "-o", str(target)]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        if ended.returncode != status:
            raise RuntimeError(f"{what}: exit status {ended.returncode}, not {status}: {ended.stderr[-300:]}")
        say(f"{what}: {seconds:.1f} s")
        return {mark: at - started for mark, at in read_marks(marks).items()} | {"end": seconds}

    for repeat in range(repeats + 1):
        output.unlink(missing_ok=True)
        shutil.rmtree(folder / "results", ignore_errors=True)
        reached = run("a small job", clip, output, 0)
        if not repeat:
            times["first run ever: flow's first stage"].append(reached["flow's first stage"])
            continue
        for mark, seconds in reached.items():
            times["a small job, whole" if mark == "end" else mark].append(seconds)
        times["nothing to do"].append(run("nothing to do", clip, output, 0)["end"])
        times["answer: no such file"].append(run("no such file", folder / "missing.mp4", folder / "no.mp4", 2)["end"])
        times["answer: not a video"].append(run("not a video", folder / "text.mp4", folder / "no.mp4", 2)["end"])
    return dict(times)
