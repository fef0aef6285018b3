"""The measurements as tables and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from tests.benchmarks.limits import Limit, Row, frames_per_second, means_of
from tests.scoring import runs

_NONE = "-"


def frame_ranges(frames: list[int]) -> str:
    """[3, 4, 5, 9] is "3-5 9"."""
    return " ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs(frames))


def table_of(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], num_left: int = 2) -> Table:
    """The first columns are words, the others numbers."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < num_left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def quality_table(rows: Sequence[Row]) -> Table:
    columns = ["clip", "task", "required\nfaces", "leak\nplain", "hard\nfaces", "leak\nhard", "longest\nrun", "lead-\nin", "lead-\nout"]
    columns += ["flicker,\nframes", "worst person", "kept\nfaces", "over-\nblur", "differs\nfrom source", "looks\na frame", "frames/s"]
    return table_of("Quality", columns, [_quality_row(row) for row in rows])


def _quality_row(row: Row) -> list[str]:
    worst = f"{row['worst_person']} {_percent(row['worst_person_percent'])}" if row["worst_person"] else _NONE
    return [
        row["clip"],
        row["task"],
        str(row["required"]),
        _percent(row["leak_percent"]),
        str(row["required_hard"]),
        _percent(row["leak_hard_percent"]),
        str(row["longest_leak_frames"]),
        _percent(row["lead_in_percent"]),
        _percent(row["lead_out_percent"]),
        str(row["flicker_frames"]),
        worst,
        str(row["kept"]),
        _percent(row["over_blur_percent"]),
        ", ".join(row["differs"]) or "nothing",
        f"{row['looks_per_frame']:.2f}",
        _number(frames_per_second(row)),
    ]


def people_table(rows: Sequence[Row]) -> Table:
    """Who leaks or is blurred after all; whoever fares well in a run is left out, but for those who are kept or blurred alone."""
    columns = ["clip", "task", "person", "to be", "faces", "leak\nplain", "leak\nhard", "longest\nrun", "lead-\nin", "lead-\nout"]
    columns += ["flicker,\nframes", "over-\nblur", "jitter"]
    lines = [
        _person_row(row, person, told)
        for row in rows
        for person, told in row["by_person"].items()
        if row["policy"] == "everyone" or person == row["person"] or told["leak_all_percent"] or told["over_blur_percent"]
    ]
    return table_of("By person", columns, lines, num_left=4)


def _person_row(row: Row, person: str, told: Row) -> list[str]:
    return [
        row["clip"],
        row["task"],
        person,
        "covered" if told["must_cover"] else "kept",
        str(told["faces"]),
        _percent(told["leak_percent"]),
        _percent(told["leak_hard_percent"]),
        str(told["longest_leak_frames"]),
        _percent(told["lead_in_percent"]),
        _percent(told["lead_out_percent"]),
        str(told["flicker_frames"]),
        _percent(told["over_blur_percent"]),
        _percent(told["jitter_percent"]),
    ]


def labels_table(rows: Sequence[Row]) -> Table:
    """Mistakes about people by what their labels say, over all runs in which one person was chosen."""
    counted: dict[tuple[str, str], list[tuple[bool, int, float]]] = {}
    for row in rows:
        for person, told in row["by_person"].items() if row["policy"] != "everyone" else ():
            wrong = told["leak_percent"] if told["must_cover"] else told["over_blur_percent"]
            for kind, value in row["labels"].get(person, {}).items():
                counted.setdefault((kind, value), []).append((told["must_cover"], told["faces"], wrong or 0.0))
    lines = []
    for (kind, value), found in sorted(counted.items()):
        parts = [[(faces, wrong) for must_cover, faces, wrong in found if must_cover is wanted] for wanted in (True, False)]
        shares = [_percent(sum(f * w for f, w in part) / total if (total := sum(f for f, _ in part)) else None) for part in parts]
        lines.append([kind, value, str(len(found)), *shares])
    return table_of("By label (people.json)", ["label", "value", "people x runs", "shown by mistake", "blurred by mistake"], lines)


def strangers_table(rows: Sequence[Row]) -> Table:
    """Photos of people who are not there."""
    lines = [
        [row["clip"], row["policy"], row["photo"], row.get("error") or _percent(row["wrong_percent"])]
        for row in rows
        if "error" in row or row["wrong_percent"]
    ]
    lines.append(["all others", "", str(len(rows) - len(lines)), _percent(0.0)])
    return table_of("Photos of people who are not in the clip", ["clip", "task", "photo", "kept, or blurred"], lines, num_left=3)


def following_table(rows: Sequence[Row]) -> Table:
    """Of each clip's first run: who is chosen changes no track."""
    columns = ["clip", "of", "IDF1", "HOTA", "AssA", "identity\nswitches", "jitter of the cover,\nof its width"]
    first = {row["clip"]: row for row in reversed(rows)}
    lines = [
        [
            clip,
            kind,
            *(f"{row['identities'][kind][name]:.1f}" for name in ("idf1", "hota", "association")),
            str(row["identities"][kind]["switches"]),
            _percent(row["jitter_percent"]),
        ]
        for clip, row in reversed(first.items())
        for kind in ("people", "tracks")
    ]
    return table_of("Followed", columns, lines)


def speed_table(rows: Sequence[Row]) -> Table:
    """Seconds and frames/s of each stage that was computed."""
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    columns = ["clip", "task", "frames", "end to end", *(stage.replace("_", "\n") for stage in stages), "between\nstages"]
    return table_of(
        "Speed: seconds, frames/s below (x2: with a round of repair)", columns, [_speed_row(row, stages) for row in rows if row["stages"]]
    )


def _speed_row(row: Row, stages: Sequence[str]) -> list[str]:
    between = row["seconds"] - sum(stage["seconds"] for stage in row["stages"].values())
    whole = f"{row['seconds']:.1f} s\n{_number(frames_per_second(row))}"
    return [row["clip"], row["task"], str(row["num_frames"]), whole, *(_stage(row, stage) for stage in stages), f"{between:.1f} s"]


def _stage(row: Row, stage: str) -> str:
    found: dict[str, Any] | None = row["stages"].get(stage)
    if found is None:
        return _NONE
    if found["is_cached"]:
        return "known"
    rounds = f" x{found['num_rounds']}" if found["num_rounds"] > 1 else ""
    return f"{found['seconds']:.1f} s{rounds}\n{row['num_frames'] * found['num_rounds'] / max(found['seconds'], 1e-3):.0f}"


def means_table(rows: Sequence[Row]) -> Table:
    """The mean over a clip's photos, for each way of choosing by photo."""
    names = ("leak_percent", "leak_hard_percent", "over_blur_percent")
    lines = [
        [clip, policy, *(_percent(means_of(rows, policy, name).get(clip)) for name in names)]
        for clip in dict.fromkeys(row["clip"] for row in rows)
        for policy in ("keep", "only")
        if any(row["clip"] == clip and row["policy"] == policy for row in rows)
    ]
    return table_of("Means over a clip's photos", ["clip", "task", "leak plain", "leak hard", "over-blur"], lines)


def limits_table(limits: Sequence[Limit]) -> Table:
    said = {True: "holds", False: "BROKEN", None: "not told"}
    lines = [
        [limit.what, limit.allowed, said[limit.holds], limit.worst, f"{limit.num_runs - len(limit.broken_by)} of {limit.num_runs}"]
        for limit in limits
    ]
    return table_of("Must show", ["limit", "allowed", "", "worst", "runs within"], lines, num_left=4)


def trouble_lines(rows: Sequence[Row]) -> Iterator[str]:
    """Runs that failed, frames that leak or are over-blurred by person, and scores on which the two scorers disagree."""
    for row in rows:
        run = f"{row['clip']}, {row['task']}:"
        if "error" in row:
            yield f"{run} FAILED: {row['error']}"
            continue
        for kind, said in (("leaks", "leaks"), ("hard_leaks", "leaks (hard)"), ("over_blurred", "over-blurred"), ("flickers", "flickers")):
            for person, frames in row[kind].items():
                yield f"{run} {person} {said} in {frames}"
        if row["disagreements"]:
            yield f"{run} score.py and tests.scoring disagree on {', '.join(row['disagreements'])}"


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1f} %"


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1f}"
