"""Faces that are hard to follow, drawn with exact truth: does a single frame leak?

    python -m tests.benchmarks.drawn [NAME ...] [--set STAGE.NAME=VALUE] [--json OUT.json] [--drawn DIR]

Each clip, 640 x 360 at 30 frames/s, goes through the flow with everyone blurred, and is scored by `tests.scoring`. Returns 1 where a
frame leaks.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.benchmarks.labelled import LabelledClip, Task
from tests.benchmarks.running import bench, plan_for
from tests.benchmarks.tables import frame_ranges, table_of
from tests.clips import Actor, Bar, Person, Pose, Script, Shot, draw_folder
from tests.scoring import compare, score_faces


def crossings() -> Script:
    """Two pass one another, the nearer one before the other; the same person twice does so too."""

    def pair(one: Person, other: Person, seed: int) -> Shot:
        right = Actor(one, (Pose(0, 0.2, 0.42, 0.09), Pose(2.5, 0.8, 0.42, 0.09)))
        left = Actor(other, (Pose(0, 0.8, 0.5, 0.11), Pose(2.5, 0.2, 0.5, 0.11)))
        return Shot(2.5, seed, (right, left))

    return Script((pair("collins", "hopper", 50), pair("hopper", "hopper", 51)))


def occlusions() -> Script:
    """Behind posts that stand and that move; behind somebody who stands still."""
    walk = Actor("collins", (Pose(0, 0.1, 0.42, 0.09), Pose(4, 0.9, 0.42, 0.09)))
    still = Actor("hopper", (Pose(0, 0.7, 0.55, 0.13),))
    posts = Shot(4.0, 52, (walk, Bar(0.3, 0.07), Bar(0.9, 0.12, speed=-0.2)))
    return Script((posts, Shot(4.0, 53, (walk, still))))


def entries(seconds: float) -> Script:
    """In at each edge, and out again at once."""
    outside = ((-0.25, 0.5), (1.25, 0.5), (0.5, -0.5), (0.5, 1.5))

    def visit(number: int, x: float, y: float) -> Actor:
        inside = min(max(x, 0.25), 0.75), min(max(y, 0.4), 0.6)
        start = 0.3 + number * (2 * seconds + 0.5)
        stops = ((start, (x, y)), (start + seconds, inside), (start + seconds + 0.1, inside), (start + 2 * seconds + 0.1, (x, y)))
        person: Person = "hopper" if number % 2 else "collins"
        return Actor(person, tuple(Pose(at, *where, 0.1) for at, where in stops), sway=0)

    layers = tuple(visit(number, *where) for number, where in enumerate(outside))
    return Script((Shot(0.6 + 4 * (2 * seconds + 0.5), 54, layers),))


def pans() -> Script:
    """The camera goes past people who stand still, slowly, quickly, and back."""
    way = ((0, 0.0), (1.5, -0.5), (2.0, -1.0), (2.5, -1.0), (3.2, 0.0), (4.0, 0.1))
    people: list[tuple[Person, float]] = [("collins", 0.3), ("hopper", 0.7), ("hopper", 1.2), ("collins", 1.6)]
    layers = tuple(Actor(person, tuple(Pose(at, x + moved, 0.45, 0.09) for at, moved in way), sway=0.01) for person, x in people)
    return Script((Shot(4.0, 55, layers, pan=0.3),))


def zooms() -> Script:
    """From far to near within a second, and back."""
    sizes = ((0, 1.0), (1.0, 1.0), (2.0, 5.0), (2.5, 5.0), (3.2, 1.0), (4.0, 1.0))

    def zoomed(person: Person, x: float, y: float, width: float) -> Actor:
        return Actor(person, tuple(Pose(at, 0.5 + (x - 0.5) * s, 0.5 + (y - 0.5) * s, width * s) for at, s in sizes), sway=0.02)

    return Script((Shot(4.0, 56, (zoomed("collins", 0.4, 0.48, 0.05), zoomed("hopper", 0.6, 0.52, 0.06))),))


def turning_away() -> Script:
    """Somebody turns away for a second: standing, walking, and beside somebody else."""
    walks = Actor("collins", (Pose(0, 0.2, 0.42, 0.1), Pose(3.5, 0.6, 0.42, 0.1)), turned=(1.2, 2.2))
    stands = Actor("hopper", (Pose(0, 0.8, 0.52, 0.12),), turned=(0.8, 1.8))
    return Script((Shot(3.5, 57, (walks, stands)),))


def short_shot() -> Script:
    """Six frames of somebody else between two shots of one person."""
    long = Shot(1.2, 58, (Actor("collins", (Pose(0, 0.4, 0.42, 0.12),)),))
    return Script((long, Shot(0.2, 59, (Actor("hopper", (Pose(0, 0.6, 0.5, 0.14),)),)), long))


def look_alikes() -> Script:
    """One walks before a row of still pictures of herself and of somebody else."""
    pictures = tuple(Actor("hopper" if n % 2 else "collins", (Pose(0, 0.2 + 0.2 * n, 0.3, 0.06),), sway=0) for n in range(4))
    walk = Actor("collins", (Pose(0, 0.05, 0.36, 0.07), Pose(4, 0.95, 0.36, 0.07)))
    return Script((Shot(4.0, 60, (*pictures, walk)),))


def crowd() -> Script:
    """Twenty at once, in four rows, each on a way of their own."""
    layers = []
    for row, column in product(range(4), range(5)):
        number = 5 * row + column
        x, y, aside = 0.1 + 0.2 * column, 0.14 + 0.22 * row, 0.03 * (-1) ** number
        person: Person = "hopper" if (row + column) % 2 else "collins"
        layers.append(Actor(person, (Pose(0, x - aside, y, 0.045), Pose(2, x + aside, y, 0.048), Pose(4, x - aside, y, 0.045))))
    return Script((Shot(4.0, 61, tuple(layers)),))


def fades() -> Script:
    """Somebody moves through a long crossfade and a fade through black, on both sides."""
    right = Actor("collins", (Pose(0, 0.3, 0.42, 0.12), Pose(2, 0.5, 0.42, 0.12)))
    left = Actor("hopper", (Pose(0, 0.7, 0.5, 0.13), Pose(2, 0.5, 0.5, 0.13)))
    return Script(
        (
            Shot(2.0, 62, (right,)),
            Shot(2.0, 63, (left,), enter="crossfade", enter_seconds=0.8),
            Shot(2.0, 64, (right,), enter="fade", enter_seconds=0.8),
        )
    )


CLIPS: dict[str, Callable[[], Script]] = {
    "crossings": crossings,
    "occlusions": occlusions,
    "entries_slow": lambda: entries(1.2),
    "entries": lambda: entries(0.5),
    "entries_fast": lambda: entries(0.25),
    "pans": pans,
    "zooms": zooms,
    "turning_away": turning_away,
    "short_shot": short_shot,
    "look_alikes": look_alikes,
    "crowd": crowd,
    "fades": fades,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The JSON is written after every clip."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="veil-drawn-", ignore_cleanup_errors=True)))
        place = stack.enter_context(bench())
        for name in options.names or CLIPS:
            folder: Path = (options.drawn or scratch) / name
            if not (folder / "gt.jsonl").exists():
                draw_folder(CLIPS[name](), folder, size=(640, 360), audio=False)
            clip, output = LabelledClip(folder), scratch / f"{name}.mp4"
            report, seconds = place.run(clip.video, output, plan_for(Task("everyone"), options.set))
            score = score_faces(compare(folder, output), lambda _: True)
            leaks = {kind: {who: frame_ranges(at) for who, at in found.items()} for kind, found in _leaks(score)}
            rows.append({"clip": name, "faces": score.required, "hard": score.required_hard, "seconds": round(seconds, 1)} | leaks)
            rows[-1]["num_findings"] = len(report.findings)
            console.print(rows[-1], markup=False)
            if options.json:
                options.json.write_text(json.dumps({"settings": options.set, "clips": rows}, indent=2))
    console.print(table_of("Drawn clips, everyone blurred", ["clip", "leaks", "faces", "hard faces", ""], [_line(row) for row in rows]))
    return int(any(row["leaks"] for row in rows))


def _leaks(score: Any) -> list[tuple[str, dict[str, list[int]]]]:
    return [("leaks", score.leaks), ("hard_leaks", score.hard_leaks)]


def _line(row: dict[str, Any]) -> list[str]:
    told = "; ".join(f"{who} in {at}" for kind in ("leaks", "hard_leaks") for who, at in row[kind].items())
    return [row["clip"], told or "none", str(row["faces"]), str(row["hard"]), "LEAKS" if row["leaks"] else "holds"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.drawn", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of {', '.join(CLIPS)}")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE.NAME=VALUE", help="as in `veil blur`; may be repeated")
    parser.add_argument("--drawn", type=Path, metavar="DIR", help="draw the clips there, and leave them")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
