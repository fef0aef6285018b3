"""How well, how truly and how fast faces are hidden in labelled clips.

    python -m tests.benchmarks.quality [FOLDER ...] [--clips NAME ...] [--tasks everyone keep only] [--strangers] [--json OUT.json]
                                       [--plots DIR]

A FOLDER is a labelled clip (video.mp4, gt.jsonl, refs/PERSON.jpg, and cuts.json for its shots) or holds some; without one, clips are
drawn. Each clip goes through the flow once with everyone blurred, once for each photo with its person kept, once with only that person
blurred, with one results store: what does not depend on who is chosen is found out once. A score.py beside the clips gives the
percentages; the frames and persons come from `tests.scoring`, and a disagreement of the two is shown.

With --strangers, the photos of all other clips are tried on each clip, too, without rendering: nobody may be kept, and hardly anybody
blurred. People of one name in two clips are one person, and so are those of --same CLIP/PERSON CLIP/PERSON.

Exits with 1 where a run fails or a limit of `tests.benchmarks.limits` is broken.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
from rich.console import Console

from tasks.errors import VeilError
from tests.benchmarks.fidelity import fidelity
from tests.benchmarks.followed import jitter_by_person, mean_of, read_followed, truth
from tests.benchmarks.identities import of_people, of_tracks
from tests.benchmarks.labelled import LabelledClip, Task, drawn_clips, find_clips
from tests.benchmarks.limits import judge, judge_speed, judge_strangers
from tests.benchmarks.plots import plot_clip
from tests.benchmarks.running import Bench, bench, plan_for
from tests.benchmarks.showing import faces_by_person, score_people, shown
from tests.benchmarks.strangers import measure_stranger, stranger_tasks
from tests.benchmarks.tables import (
    following_table,
    frame_ranges,
    labels_table,
    limits_table,
    means_table,
    people_table,
    quality_table,
    speed_table,
    strangers_table,
    trouble_lines,
)
from tests.scoring import compare, score_faces

_SCORED_ALIKE = ("required", "leak_percent", "longest_leak_frames", "required_hard", "leak_hard_percent", "kept", "over_blur_percent")


def measure(place: Bench, clip: LabelledClip, task: Task, output: Path, assignments: Sequence[str]) -> dict[str, Any]:
    """One run: a row of the tables. A run that fails has an `error` and nothing else."""
    row: dict[str, Any] = {"clip": clip.name, "task": task.name, "policy": task.policy, "person": task.person}
    plan = plan_for(task, assignments)
    try:
        report, seconds = place.run(clip.video, output, plan)
    except VeilError as error:
        return row | {"error": str(error)}
    boxes = output.with_suffix(".csv")
    place.export_boxes(clip.video, boxes, plan)
    return row | scored(clip, task, output, boxes) | {
        "differs": fidelity(clip.video, output).differs,
        "num_frames": report.num_frames,
        "looks_per_frame": report.num_looks / report.num_frames,
        "num_findings": len(report.findings),
        "seconds": seconds,
        "stages": {} if place.is_kept else _stages(report.stages),
        "people": [decision.model_dump(mode="json") for decision in report.people],
    }  # fmt: skip


def scored(clip: LabelledClip, task: Task, output: Path, boxes: Path) -> dict[str, Any]:
    """All that the two videos' pixels, and the table of what was followed, tell."""
    size, frame_rate = _picture(clip.video)
    compared, cuts = compare(clip.folder, output), clip.cuts()
    score = asdict(score_faces(compared, task.must_cover)) | asdict(shown(compared, task.must_cover, cuts, frame_rate))
    score["flicker_frames"] = sum(map(len, score["flickers"].values()))
    for kind in ("leaks", "hard_leaks", "over_blurred", "flickers"):
        score[kind] = {person: frame_ranges(frames) for person, frames in score[kind].items()}
    official = clip.official_score(output, task) or score
    followed, present = read_followed(boxes), truth(clip.folder)
    jitter = jitter_by_person(followed, present)
    people = score_people(compared, task.must_cover, cuts, frame_rate)
    return score | {
        **{name: official[name] for name in _SCORED_ALIKE},
        "disagreements": [name for name in _SCORED_ALIKE if official[name] != score[name]],
        "judged": {
            person: frame_ranges([face.frame for face in faces if task.must_cover(person) or not face.hard])
            for person, faces in faces_by_person(compared).items()
        },
        "size": size,
        "jitter_percent": mean_of([value for values in jitter.values() for value in values]),
        "labels": clip.labels(),
        "by_person": {person: asdict(each) | {"jitter_percent": mean_of(jitter.get(person, []))} for person, each in people.items()},
        "identities": {"people": asdict(of_people(followed, present)), "tracks": asdict(of_tracks(followed, present, cuts))},
    }


def _stages(stages: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Seconds by stage, rounds of repair added up."""
    added: dict[str, dict[str, Any]] = {}
    for stage in stages:
        known = added.setdefault(stage.stage, {"seconds": 0.0, "num_rounds": 0, "is_cached": True})
        known["seconds"] += stage.seconds
        known["num_rounds"] += 1
        known["is_cached"] &= stage.num_cached == stage.num_parts
    return added


def _picture(path: Path) -> tuple[tuple[int, int], float]:
    """Width and height; frames a second."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return (stream.width, stream.height), float(stream.average_rate or 25)


def show(rows: Sequence[dict[str, Any]], strangers: Sequence[dict[str, Any]], console: Console) -> None:
    """The tables, and what is wrong by frame and person."""
    done = [row for row in rows if "error" not in row]
    for table in (quality_table(done), people_table(done), labels_table(done), following_table(done), speed_table(done), means_table(done)):
        console.print(table)
    if strangers:
        console.print(strangers_table(strangers))
    console.print(limits_table([*judge(done), *judge_strangers(strangers), judge_speed(done)]))
    for line in trouble_lines(rows):
        console.print(line, markup=False)


def save(path: Path, rows: Sequence[dict[str, Any]], strangers: Sequence[dict[str, Any]], place: Bench, settings: Sequence[str]) -> None:
    """Everything, as JSON."""
    start_up = {"import_seconds": place.import_seconds, "server_seconds": place.server_seconds}
    done = [row for row in rows if "error" not in row]
    limits = [asdict(limit) | {"holds": limit.holds} for limit in (*judge(done), *judge_strangers(strangers), judge_speed(done))]
    path.write_text(
        json.dumps({"start_up": start_up, "settings": settings, "runs": rows, "strangers": strangers, "limits": limits}, indent=2)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 1 where a run failed or a limit of quality is broken. JSON and plots are written after every run: one that is stopped
    leaves what it has found.
    """
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 170)
    rows: list[dict[str, Any]] = []
    strangers: list[dict[str, Any]] = []
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="veil-quality-", ignore_cleanup_errors=True)))
        clips = find_clips(options.folders, options.clips) if options.folders else drawn_clips(scratch / "drawn", options.clips)
        outputs: Path = options.keep_outputs or scratch / "outputs"
        outputs.mkdir(parents=True, exist_ok=True)
        place = stack.enter_context(bench(options.keep_results))
        console.print(f"start-up, once: program {place.import_seconds:.1f} s, Prefect's server {place.server_seconds:.1f} s")
        for clip in clips:
            for task in clip.tasks(options.tasks):
                if options.fresh:
                    place.forget()
                target = outputs / f"{clip.name}-{task.name.replace(' ', '-')}.mp4"
                rows.append(measure(place, clip, task, target, options.set))
                console.print(f"{clip.name}, {task.name}: {rows[-1].get('error') or '{:.1f} s'.format(rows[-1]['seconds'])}", markup=False)
                if options.json:
                    save(options.json, rows, strangers, place, options.set)
                if options.plots:
                    plot_clip([row for row in rows if row["clip"] == clip.name], options.plots)
            if options.strangers:
                tasks = stranger_tasks(clip, clips, options.same)
                strangers += [measure_stranger(place, clip, task, scratch, options.set) for task in tasks]
                console.print(f"{clip.name}, strangers: done", markup=False)
            if not options.keep_results:
                place.forget()
    if options.json:
        save(options.json, rows, strangers, place, options.set)
    show(rows, strangers, console)
    judged = [*judge([row for row in rows if "error" not in row]), *judge_strangers(strangers)]
    return int(any("error" in row for row in (*rows, *strangers)) or any(limit.holds is False for limit in judged))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("--clips", nargs="+", default=[], metavar="NAME", help="only these")
    parser.add_argument("--tasks", nargs="+", choices=["everyone", "keep", "only"], default=["everyone", "keep", "only"])
    parser.add_argument("--strangers", action="store_true", help="try the photos of the other clips, too")
    parser.add_argument("--same", nargs=2, action="append", default=[], metavar="CLIP/PERSON", help="are one person; may be repeated")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE.NAME=VALUE", help="as in `veil blur`; may be repeated")
    parser.add_argument("--fresh", action="store_true", help="compute every stage anew for every task, not once a clip")
    parser.add_argument("--keep-outputs", type=Path, metavar="DIR", help="leave the finished videos there, and what was followed as tables")
    parser.add_argument(
        "--keep-results", type=Path, metavar="DIR", help="a results store that stays: what is known there is not done again"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw there who shows when, and the figures of each task")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
