"""How few looks find all faces, how well shots are found, and how fast both are.

    python -m tests.benchmarks.finding [FOLDER ...] [--parts samplers shots speed detectors] [--minutes 5] [--json OUT.json]

A FOLDER is a labelled clip (video.mp4, gt.jsonl, cuts.json) or holds some. Beside them clips are drawn: a talking head, one of 60 cuts and
40 fades of 4 to 40 frames, and some with quick moves and short visits. Faces are scored as `tests.scoring` does it, from pixels, but only
their surroundings are blurred, in the luma of the source: nothing is encoded.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from tests.benchmarks.finding_faces import Row, measure_sampler, measure_speed
from tests.benchmarks.finding_shots import measure_gate, measure_shots
from tests.benchmarks.labelled import LabelledClip, find_clips
from tests.benchmarks.tables import table_of
from tests.clips import Script, draw_folder, many_shots_script, run_script, talking_head_script, visits_script

PARTS = ("samplers", "shots", "speed", "detectors")
MOST_EXTRA_LEAK = 0.2  # percentage points above every_frame's


def drawn(folder: Path, minutes: float, names: Sequence[str]) -> list[LabelledClip]:
    """The benchmark's own clips, those of the names where there are any, 640 x 360; one that is in the folder already is taken as it is."""
    scripts: dict[str, Callable[[], Script]] = {
        "talking_head": lambda: talking_head_script(60 * minutes),
        "many_shots": lambda: many_shots_script(round(12 * minutes), round(8 * minutes), 60 * minutes),
        "visits": visits_script,
        "run": run_script,
    }
    for name in [name for name in scripts if not names or name in names]:
        if not (folder / name / "gt.jsonl").exists():
            draw_folder(scripts[name](), folder / name, size=(640, 360), audio=False)
    return [LabelledClip(folder / name) for name in scripts if not names or name in names]


def limits_of(rows: Sequence[Row]) -> list[Row]:
    """What has to hold, with what was measured."""
    found: list[Row] = []

    def limit(what: str, where: str, value: float | None, allowed: float, *, at_most: bool = True) -> None:
        if value is not None:
            holds = value <= allowed if at_most else value >= allowed
            found.append({"what": what, "where": where, "value": value, "allowed": allowed, "holds": holds})

    samplers = {(row["clip"], row["sampler"]): row for row in rows if row["part"] == "samplers"}
    for (clip, sampler), row in samplers.items():
        if sampler != "dynamic":
            continue
        if every := samplers.get((clip, "every_frame")):
            for kind in ("leak_percent", "leak_hard_percent"):
                if row[kind] is not None and every[kind] is not None:
                    limit(f"{kind} above every_frame", clip, row[kind] - every[kind], MOST_EXTRA_LEAK)
        if row["is_labelled"]:
            limit("looks a frame", clip, row["looks_per_frame"], 1 / 8)
        if clip == "talking_head":
            limit("looks a frame", clip, row["looks_per_frame"], 1 / 20)
        if thesis := samplers.get((clip, "dynamic_thesis")):
            limit("looks, share of dynamic_thesis", clip, row["looks_per_frame"] / thesis["looks_per_frame"], 0.5)
    for row in rows:
        if row["part"] == "shots" and row["finder"] == "transnetv2":
            limit("F1 of cuts", row["clip"], row["cuts_f1"], 1.0, at_most=False)
            limit("F1 of fades", row["clip"], row["fades_f1"], 0.95, at_most=False)
        if row["part"] == "gate":
            limit("time that the gate saves", row["clip"], row["saved"], 0.8 if row["clip"] == "talking_head" else 0.3, at_most=False)
            limit("boundaries that the gate changes", row["clip"], row["num_changed"], 0)
        if row["part"] == "speed" and row["size"][1] >= 720:
            limit("frames/s of find_shots and find_faces, one after the other", row["clip"], row["frames_per_second"], 40, at_most=False)
    return found


def show(rows: Sequence[Row], console: Console) -> None:
    """The tables."""
    titles = {
        "samplers": "Samplers (looks: whole pictures; near: looks near an expected face; cost: both, in whole pictures)",
        "shots": "Shots",
        "gate": "TransNetV2 with and without its gate",
        "speed": "Speed, default settings",
    }
    for part, title in titles.items():
        if chosen := [row for row in rows if row["part"] == part]:
            columns = [name for name in chosen[0] if name not in ("part", "is_labelled", "reasons", "leaks")]
            lines = [[_said(row[name]) for name in columns] for row in chosen]
            console.print(table_of(title, [name.replace("_", "\n") for name in columns], lines))
    for row in rows:
        if row["part"] == "samplers" and row["sampler"] == "dynamic":
            console.print(f"{row['clip']}: looks by reason {row['reasons']}; leaks {row['leaks'] or 'nowhere'}", markup=False)
    lines = [
        [row["what"], row["where"], _said(row["value"]), _said(row["allowed"]), "holds" if row["holds"] else "BROKEN"]
        for row in limits_of(rows)
    ]
    console.print(table_of("Must show", ["what", "where", "value", "allowed", ""], lines))


def _said(value: object) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a limit does not hold. The JSON is written after every measurement."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 190)
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        console.print({name: value for name, value in row.items() if name not in ("reasons", "leaks")}, markup=False)
        if options.json:
            options.json.write_text(json.dumps({"rows": rows, "limits": limits_of(rows)}, indent=2))

    with tempfile.TemporaryDirectory(prefix="veil-finding-", ignore_cleanup_errors=True) as scratch:
        labelled = (
            [clip for clip in find_clips(options.folders, []) if not options.clips or clip.name in options.clips] if options.folders else []
        )
        own = drawn(options.drawn or Path(scratch), options.minutes, options.clips)
        if "samplers" in options.parts:
            for clip in [*labelled, *(clip for clip in own if clip.name != "many_shots")]:
                for row in measure_sampler(clip, clip in labelled, with_every_frame=clip.name != "talking_head"):
                    note(row)
        if "shots" in options.parts:
            for clip in [*labelled, *(clip for clip in own if clip.name in ("many_shots", "talking_head"))]:
                for row in measure_shots(clip):
                    note(row)
            for clip in [*labelled, *(clip for clip in own if clip.name == "talking_head")]:
                note(measure_gate(clip))
        if "speed" in options.parts:
            for clip in labelled or own:
                note(measure_speed(clip))
        if "detectors" in options.parts:
            measure_detectors(note)
    show(rows, console)
    return int(not all(limit["holds"] for limit in limits_of(rows)))


def measure_detectors(note: Callable[[Row], None]) -> None:
    """Recall by size and yaw, and the thesis's configurations: in a module of their own, where it is there."""
    import importlib.util

    if importlib.util.find_spec("tests.benchmarks.detectors") is not None:
        detectors: Any = importlib.import_module("tests.benchmarks.detectors")
        for row in detectors.measure():
            note(row)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.finding", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS[:3]))
    parser.add_argument("--clips", nargs="+", default=[], metavar="NAME", help="only these")
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the talking head and of the clip of many shots")
    parser.add_argument("--drawn", type=Path, metavar="DIR", help="draw the clips there, and leave them")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
