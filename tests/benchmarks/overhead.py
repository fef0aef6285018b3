"""What a job takes beside its stages on a running server, and how long the command takes to its first stage without one.

    python -m tests.benchmarks.overhead [--minutes 1] [--script demo] [--repeats 2] [--cold 2] [--json OUT.json]

The clip, 1280 x 720, is drawn for some seconds and repeated by copying packets. A stage's own time is that of its function alone: what is
left of the flow's time is the overhead: Prefect, keys, records, and the joining of the result, which is no stage. `--cold` is how often the
command is started without a server; see `tests.benchmarks.footprint` for all parts of a start.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from tests.benchmarks.looping import draw_loop, repeat
from tests.benchmarks.running import bench
from tests.benchmarks.startup import measure_startup
from tests.benchmarks.tables import table_of
from tests.clips import SCRIPTS, draw_clip, two_people_script

MOST_PERCENT, MOST_SECONDS = 5.0, 3.0  # one of them holds


class Clock:
    """When stages' functions were at work, in this process, from any thread."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []

    def timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def times(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                self.spans.append((started, time.perf_counter()))

        return times

    def seconds(self) -> float:
        """With what overlaps counted once."""
        total, until = 0.0, 0.0
        for start, end in sorted(self.spans):
            total += max(0.0, end - max(start, until))
            until = max(until, end)
        return total


def stages() -> list[Any]:
    from tasks.versions import STAGES

    return [getattr(__import__(f"tasks.{name}", fromlist=[name]), name) for name in STAGES]


def measure(source: Path, folder: Path, repeats: int) -> list[dict[str, float]]:
    """A row a run in which everything is computed. The first one is left out: it also loads the models."""
    from tasks.plan import Plan

    rows, own = [], {task.name: task.fn for task in stages()}
    with bench() as place:
        for number in range(repeats + 1):
            place.forget()
            clock = Clock()
            for task in stages():
                task.fn = clock.timed(own[task.name])
            report, seconds = place.run(source, folder / "out.mp4", Plan())
            rest = seconds - clock.seconds()
            if number:
                rows.append({"seconds": seconds, "stages": clock.seconds(), "rest": rest, "percent": 100 * rest / seconds})
                rows[-1]["num_stages"] = len(report.stages)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--script", choices=list(SCRIPTS), default="demo")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cold", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    console, found = Console(), dict[str, Any]()
    with tempfile.TemporaryDirectory(prefix="veil-overhead-") as name:
        folder = Path(name)
        repeat(draw_loop(options.script, folder / "loop"), folder / "source.mp4", 60 * options.minutes)
        found["running server"] = measure(folder / "source.mp4", folder, options.repeats)
        if options.cold:
            draw_clip(two_people_script(), folder / "small.mp4", size=(320, 180), frame_rate=Fraction(15))
            (folder / "cold").mkdir()
            times = measure_startup(folder / "small.mp4", folder / "cold", None, options.cold, console.print)
            found["without a server"] = {what: median(values) for what, values in times.items()}
    columns = ["run", "whole", "stages", "rest", "rest of the whole"]
    lines = [
        [str(number), *(f"{row[key]:.2f} s" for key in ("seconds", "stages", "rest")), f"{row['percent']:.1f} %"]
        for number, row in enumerate(found["running server"], 1)
    ]
    console.print(table_of(f"{options.minutes:g} min, running server", columns, lines, num_left=1))
    best = min(found["running server"], key=lambda row: row["rest"])
    holds = best["percent"] <= MOST_PERCENT or best["rest"] <= MOST_SECONDS
    console.print(f"at most {MOST_PERCENT:g} % or {MOST_SECONDS:g} s: {'holds' if holds else 'BROKEN'}")
    if cold := found.get("without a server"):
        lines = [[what, f"{seconds:.1f} s"] for what, seconds in cold.items()]
        console.print(table_of("The command without a server, from its start", ["until", ""], lines, num_left=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
