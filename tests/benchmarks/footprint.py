"""What the command takes: memory for a short and a long video, and time until it answers, reads and works.

    python -m tests.benchmarks.footprint [--parts memory startup] [--minutes 1 10] [--script demo] [--repeats 3] [--json OUT.json]

Clips of 1280 x 720 are drawn for some seconds and repeated by copying packets. Every command runs in a process of its own, with a results
store and a Prefect home of its own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from tests.benchmarks.looping import draw_loop, repeat
from tests.benchmarks.processes import VEIL, surroundings, watch
from tests.benchmarks.running import bench
from tests.benchmarks.startup import Times, measure_startup
from tests.benchmarks.tables import table_of
from tests.clips import SCRIPTS, draw_clip, two_people_script

MOST_GROWTH_PERCENT = 10.0  # of the peak memory, from the shortest to the longest clip
SERVERS = ("own server", "running server")


def measure_memory(script: str, minutes: Sequence[float], folder: Path, console: Console) -> list[dict[str, Any]]:
    """A row a length."""
    loop, rows = draw_loop(script, folder / "loop"), []
    for length in sorted(minutes):
        place = folder / f"{length:g}"
        place.mkdir()
        num_frames = repeat(loop, place / "source.mp4", 60 * length)
        console.print(f"{length:g} min: {num_frames} frames ...")
        found = watch([*VEIL, "blur", str(place / "source.mp4"), "-o", str(place / "out.mp4")], surroundings(place))
        stored = sum(path.stat().st_size for path in (place / "results").rglob("*") if path.is_file())
        rows.append({"minutes": length, "num_frames": num_frames, "stored_mib": stored / 2**20} | asdict(found))
        console.print(found.last_words, markup=False)
    return rows


def growth_percent(rows: Sequence[dict[str, Any]]) -> float:
    return float(100 * (rows[-1]["program_peak_mib"] / rows[0]["program_peak_mib"] - 1))


def measure_both_startups(folder: Path, repeats: int, console: Console) -> dict[str, Times]:
    """Without a running server, and with one."""
    clip = folder / "small.mp4"
    draw_clip(two_people_script(), clip, size=(320, 180), frame_rate=Fraction(15))
    found = {}
    with bench() as place:
        for name, api_url in zip(SERVERS, (None, place.api_url), strict=True):
            (folder / name).mkdir()
            found[name] = measure_startup(clip, folder / name, api_url, repeats, lambda line, name=name: console.print(f"{name}: {line}"))
    return found


def show(found: dict[str, Any], console: Console) -> None:
    """The tables of what was measured."""
    if rows := found.get("memory"):
        columns = ["video", "frames", "exit status", "program, peak", "server, peak", "results kept", "seconds", "frames/s"]
        lines = [
            [f"{row['minutes']:g} min", str(row["num_frames"]), str(row["status"])]
            + [f"{row[name]:.0f} MiB" for name in ("program_peak_mib", "server_peak_mib", "stored_mib")]
            + [f"{row['seconds']:.1f} s", f"{row['num_frames'] / row['seconds']:.1f}"]
            for row in rows
        ]
        console.print(table_of("Memory, 1280 x 720", columns, lines, num_left=1))
    if len(rows := found.get("memory", [])) > 1:
        growth = growth_percent(rows)
        said = "holds" if growth <= MOST_GROWTH_PERCENT else "BROKEN"
        console.print(f"growth {growth:+.1f} %, at most {MOST_GROWTH_PERCENT:g} %: {said}")
    if startup := found.get("startup"):
        waits = list(dict.fromkeys(wait for times in startup.values() for wait in times))
        lines = [[wait, *(_least_and_median(times.get(wait)) for times in startup.values())] for wait in waits]
        console.print(table_of("From the command's start, seconds: least, median", ["until", *startup], lines, num_left=1))


def _least_and_median(seconds: Sequence[float] | None) -> str:
    return f"{min(seconds):.2f} s, {median(seconds):.2f} s" if seconds else "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a command failed."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="veil-footprint-", ignore_cleanup_errors=True) as scratch:
        if "memory" in options.parts:
            found["memory"] = measure_memory(options.script, options.minutes, Path(scratch), console)
        if "startup" in options.parts:
            found["startup"] = measure_both_startups(Path(scratch), options.repeats, console)
    show(found, console)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    return int(any(row["status"] for row in found.get("memory", [])))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.footprint", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=["memory", "startup"], default=["memory", "startup"])
    parser.add_argument("--minutes", nargs="+", type=float, default=[1.0, 10.0], help="lengths of the clips")
    parser.add_argument("--script", choices=sorted(SCRIPTS), default="demo", help="what is drawn and repeated")
    parser.add_argument("--repeats", type=int, default=3, help="of the start-up's measurement")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
