"""The command: see the package."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fuzz.running import Tried

FILES = 20_000
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_HOWS = ("result", "error", "memory", "crash", "slow", "bug")
_BAD = ("bug", "slow")


def main(arguments: Sequence[str] | None = None) -> int:
    import tasks  # noqa: F401 - before OpenCV is loaded: it sets its limit
    import tests.fuzz

    said = tests.fuzz.__doc__
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=said, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--kind", help="only files of this kind")
    parser.add_argument("--file", action="append", metavar="KIND:NUMBER", help="only this one, and those of further --file")
    parser.add_argument("--sound", action="store_true", help="the files that are broken otherwise, as they are")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="where files are put that did not end as they should")
    parser.add_argument("--seed", type=int, help="number of a file to write")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args(arguments)
    os.environ |= dict.fromkeys(_THREADS, "1")  # a process with threads is not to be split
    with tempfile.TemporaryDirectory(prefix="veil-fuzz-") as name:
        return _write(options, Path(name)) if options.write else _run(options, Path(name))


def _write(options: argparse.Namespace, folder: Path) -> int:
    from tests.fuzz.files import hostile, kind_of
    from tests.fuzz.running import drawn_apart

    options.write.write_bytes(hostile(options.seed, options.kind or kind_of(options.seed), drawn_apart(folder)).content)
    return 0


def _run(options: argparse.Namespace, folder: Path) -> int:
    from tests.fuzz.files import hostile, kind_of
    from tests.fuzz.running import Runner, drawn_apart, written

    began = time.monotonic()
    seeds = drawn_apart(folder)
    numbers = range(options.first, options.first + options.files)
    files = [(number, options.kind or kind_of(number)) for number in numbers]
    if options.file:
        files = [(int(number), kind) for kind, number in (one.split(":") for one in options.file)]
    if options.sound:
        files = [(-1 - number, kind) for kind in seeds for number in range(len(seeds[kind]))]
    tried = []
    for one in until_interrupted(Runner(seeds, folder, options.processes).run(files)):
        tried.append(one)
        if one.outcome.how in (*_BAD, "crash", "memory") and options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            place = options.keep / f"{one.outcome.how}-{one.kind}-{one.number}"
            place.mkdir(exist_ok=True)
            written(hostile(one.number, one.kind, seeds), place)
    seconds = time.monotonic() - began
    found = summary(tried) | {"first": options.first, "files": len(tried), "seconds": round(seconds, 1)}
    if options.json:
        options.json.write_text(json.dumps(found, indent=2))
    show(found)
    return 1 if found["findings"] else 0


def until_interrupted(tried: Iterator[Tried]) -> Iterator[Tried]:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background too
    with suppress(KeyboardInterrupt):
        yield from tried


def summary(tried: Sequence[Tried]) -> dict[str, Any]:
    """What is shown and written: by kind; and each root of a file that did not end as it should, with the numbers of files."""
    kinds = {}
    for kind in sorted({one.kind for one in tried}):
        of_kind = [one for one in tried if one.kind == kind]
        slowest, largest = max(of_kind, key=lambda one: one.seconds), max(of_kind, key=lambda one: one.peak_bytes)
        kinds[kind] = {
            "files": len(of_kind),
            **{how: sum(one.outcome.how == how for one in of_kind) for how in _HOWS},
            "errors": dict(Counter(one.outcome.said for one in of_kind if one.outcome.how == "error")),
            "slowest": {"seconds": round(slowest.seconds, 2), "number": slowest.number},
            "largest": {"bytes": largest.peak_bytes, "number": largest.number},
        }
    return {"kinds": kinds, "findings": _roots(tried, _BAD), "crashes": _roots(tried, ("crash",)), "memory": _roots(tried, ("memory",))}


def _roots(tried: Sequence[Tried], hows: Sequence[str]) -> dict[str, Any]:
    roots: dict[str, Any] = {}
    for one in tried:
        if one.outcome.how in hows:
            root = roots.setdefault(f"{one.outcome.how}: {one.outcome.said}", {"files": [], "details": one.outcome.details})
            root["files"].append([one.kind, one.number])
    return roots


def show(found: dict[str, Any]) -> None:
    from rich.console import Console

    from tests.benchmarks.tables import table_of

    columns = ["kind", "one line", "files", "results", "one\nline", "memory", "crashes", "too\nslow", "bugs", "slowest", "largest"]
    rows = []
    for kind, row in found["kinds"].items():
        errors = ", ".join(f"{name} {count}" for name, count in row["errors"].items())
        counts = [str(row[how]) for how in ("files", *_HOWS)]
        rows.append([kind, errors, *counts, f"{row['slowest']['seconds']:.1f} s", f"{row['largest']['bytes'] >> 20} MiB"])
    total = [
        str(sum(row[how] for row in found["kinds"].values())) for how in ("files", "result", "error", "memory", "crash", "slow", "bug")
    ]
    rows.append(["all", "", *total, *("",) * 2])
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table_of(f"{found['files']} files in {found['seconds']:.0f} s", columns, rows))
    for what in ("findings", "crashes", "memory"):
        for root, told in found[what].items():
            some = ", ".join(f"--seed {number} --kind {kind}" for kind, number in told["files"][:3])
            console.print(f"{len(told['files'])} x {root}: {some}", highlight=False, markup=False)


if __name__ == "__main__":
    sys.exit(main())
