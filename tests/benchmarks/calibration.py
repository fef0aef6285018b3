"""Calibrates a recogniser on labelled clips, and measures it on the clips that it was not calibrated on.

    python -m tests.benchmarks.calibration FOLDER ... [--recogniser NAME] [--same CLIP/PERSON CLIP/PERSON] [--write] [--json OUT.json]

A FOLDER is as for `tests.benchmarks.quality`. Each clip is held out in turn: the calibration, and what all faces have in common, come from
the other clips, and the people on all their photos are strangers to it. Then all clips together give the calibration that is printed,
and with --write kept in `tasks/recognisers/calibration.toml` for everybody. A recogniser that has to be downloaded first:
`veil models fetch facenet512`, then `--recogniser facenet512`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import tomlkit
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

import tasks.calibration
from tasks.calibration import Calibration
from tasks.plan import Recogniser
from tasks.recognisers import faceres
from tasks.recognisers.boundary import BOUNDARY
from tasks.selectors.likeness import BOUNDS
from tests.benchmarks.fitting import CLEAR_QUALITY, fit
from tests.benchmarks.identity_trials import Trial, trials
from tests.benchmarks.labelled import LabelledClip, find_clips
from tests.benchmarks.labelled_looks import Looks, looks_at, mean_of
from tests.benchmarks.tables import table_of


def calibrated(looks: Looks, settings: Any) -> tuple[Calibration, np.ndarray | None]:
    """What the looks say of a recogniser, and for faceres the mean to be taken away.

    Each clip is measured with the mean of the others: no video that the program will see is part of its mean.
    """
    clips = sorted({each.clip for each in looks.appearances})
    if not isinstance(settings, faceres.Faceres):
        return fit([looks.only(clip) for clip in clips]), None
    length = BOUNDARY / settings.boundary
    parts = [looks.only(clip).centred(_mean(looks.without(clip)), length) for clip in clips]
    return fit(parts), _mean(looks)


def _mean(looks: Looks) -> np.ndarray:
    return faceres.MEAN_SHARE * mean_of(looks, CLEAR_QUALITY)


def held_out(clips: Sequence[LabelledClip], looks: Looks, settings: Any, strictness: str) -> list[Trial]:
    """All trials of each clip with what the others say."""
    found = []
    for clip in clips:
        calibration, mean = calibrated(looks.without(clip.name), settings)
        here = looks.only(clip.name) if mean is None else looks.only(clip.name).centred(mean, BOUNDARY / settings.boundary)
        found += trials(clip.name, here, calibration, strictness)  # type: ignore[arg-type]
    return found


def trials_table(found: Sequence[Trial]) -> Table:
    columns = ["clip", "tracks are", "photos", "keep: leak, worst", "over-blur", "only: leak, worst", "over-blur, worst"]
    columns += ["strangers' photos", "kept, worst", "blurred", "groups a person", "mixed"]
    lines = []
    for clip, kind in dict.fromkeys((each.clip, each.kind) for each in found):
        here = [each for each in found if (each.clip, each.kind) == (clip, kind)]
        own, strangers = [each for each in here if each.present], [each for each in here if not each.present]
        lines.append(
            [
                clip,
                kind,
                str(len({each.photo for each in own})),
                f"{_average(own, 'keep_leak')}, {_worst(own, 'keep_leak')}",
                _average(own, "keep_over_blur"),
                f"{_average(own, 'only_leak')}, {_worst(own, 'only_leak')}",
                f"{_average(own, 'only_over_blur')}, {_worst(own, 'only_over_blur')}",
                str(len({each.photo for each in strangers})),
                f"{_average(strangers, 'keep_leak')}, {_worst(strangers, 'keep_leak')}",
                _average(strangers, "only_over_blur"),
                f"{fmean(each.groups_per_person for each in here):.1f}",
                f"{fmean(each.mixed_groups for each in here):.1f}",
            ]
        )
    return table_of("Clips that the calibration does not know: percent of plain looks", columns, lines, num_left=2)


def write(recogniser: str, calibration: Calibration, mean: np.ndarray | None) -> None:
    """Into the package, where the program reads it."""
    path = tasks.calibration.FILE
    document = tomlkit.parse(path.read_text("utf-8"))
    document[recogniser] = _rounded(calibration.model_dump())
    path.write_text(tomlkit.dumps(document), "utf-8")
    if mean is not None:
        np.save(faceres.MEAN_FILE, mean.astype(np.float16), allow_pickle=False)


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 170)
    settings = TypeAdapter(Recogniser).validate_python({"method": options.recogniser})
    clips = find_clips(options.folders, options.clips)
    if len(clips) < 3:
        raise SystemExit("give three clips at least: each is measured with what the others have in common")
    looks = looks_at(clips, settings, options.same)
    found = held_out(clips, looks, settings, options.strictness)
    calibration, mean = calibrated(looks, settings)
    console.print(trials_table(found))
    console.print(tomlkit.dumps({options.recogniser: _rounded(calibration.model_dump())}), markup=False)
    if options.json:
        options.json.write_text(json.dumps({"calibration": calibration.model_dump(), "trials": [asdict(each) for each in found]}, indent=2))
    if options.write:
        write(options.recogniser, calibration, mean)
    return 0


def _average(found: Sequence[Trial], name: str) -> str:
    told = [value for each in found if (value := getattr(each, name)) is not None]
    return f"{fmean(told):.1f}" if told else "-"


def _worst(found: Sequence[Trial], name: str) -> str:
    return f"{max((value for each in found if (value := getattr(each, name)) is not None), default=0):.1f}"


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _rounded(value) if isinstance(value, dict) else round(value, 4) for name, value in values.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.calibration", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--clips", nargs="+", default=[], metavar="NAME", help="only these")
    parser.add_argument("--recogniser", default="faceres", metavar="NAME")
    parser.add_argument("--strictness", default="balanced", choices=list(BOUNDS))
    parser.add_argument("--same", nargs=2, action="append", default=[], metavar="CLIP/PERSON", help="are one person; may be repeated")
    parser.add_argument("--write", action="store_true", help="keep the calibration in the package")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
