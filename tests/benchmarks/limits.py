"""What the program must show on labelled clips, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

LEAK_PERCENT = 0.3  # of plain faces, everyone blurred
LEAK_HARD_PERCENT = 5.0
LONGEST_LEAK_FRAMES = 2
CHOSEN_LEAK_PERCENT = 0.5  # one person kept, or only one blurred: in every run
LONGEST_CHOSEN_LEAK_FRAMES = 3
KEPT_OVER_BLUR_PERCENT = 5.0  # of the one who is kept: the mean over a clip's photos
OTHERS_OVER_BLUR_PERCENT = 3.0  # where only one is blurred: in every run
STRANGERS_BLURRED_PERCENT = 3.0  # where a photo shows nobody in the clip: the mean over photos
IDF1_PERCENT = 92.0  # of persons
ALTOGETHER_PERCENT = 50.0  # who leaks more, hard faces and plain ones together, might as well not have been covered
FRAMES_PER_SECOND = 15.0  # from end to end, 1280 x 720, two cores
SPEED_SIZE = (1280, 720)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, the runs (or means of runs) that it is for, and the worst of them."""

    what: str
    allowed: str
    num_runs: int
    broken_by: tuple[str, ...]
    """runs, with their values"""
    worst: str

    @property
    def holds(self) -> bool | None:
        """None where no run tells."""
        return not self.broken_by if self.num_runs else None


def frames_per_second(row: Row) -> float | None:
    """From end to end; None where a stage's result was known from an earlier run, or may have been."""
    known = not row["stages"] or any(stage["is_cached"] for stage in row["stages"].values())
    return None if known else float(row["num_frames"] / row["seconds"])


def judge(rows: Sequence[Row]) -> list[Limit]:
    """Each limit of quality against the runs that did not fail."""
    everyone = [row for row in rows if row["policy"] == "everyone"]
    return [
        _at_most("everyone: leak, plain faces", LEAK_PERCENT, "%", _told(everyone, "leak_percent")),
        _at_most("everyone: leak, hard faces", LEAK_HARD_PERCENT, "%", _told(everyone, "leak_hard_percent")),
        _at_most("everyone: longest leaked run", LONGEST_LEAK_FRAMES, "frames", _told(everyone, "longest_leak_frames")),
        _at_most("everyone: flicker", 0, "frames", _told(everyone, "flicker_frames")),
        *(_at_most(f"{policy}: leak", CHOSEN_LEAK_PERCENT, "%", _told(_of(rows, policy), "leak_percent")) for policy in ("keep", "only")),
        _at_most("keep: longest leaked run", LONGEST_CHOSEN_LEAK_FRAMES, "frames", _told(_of(rows, "keep"), "longest_leak_frames")),
        _at_most("keep: over-blur, mean of a clip", KEPT_OVER_BLUR_PERCENT, "%", _means(rows, "keep", "over_blur_percent")),
        _at_most("only: over-blur of the others", OTHERS_OVER_BLUR_PERCENT, "%", _told(_of(rows, "only"), "over_blur_percent")),
        _at_least("persons: IDF1", IDF1_PERCENT, "%", _values(everyone, lambda row: row["identities"]["people"]["idf1"])),
        _at_most("all: share of one person that leaks", ALTOGETHER_PERCENT, "%", _values(rows, _most_leaked)),
        _at_most("all: frames, pts, size, sound differ", 0, "things", _values(rows, lambda row: len(row["differs"]))),
    ]


def judge_strangers(rows: Sequence[Row]) -> list[Limit]:
    """Photos of people who are not there."""
    done = [row for row in rows if "error" not in row]
    kept = [(f"{row['clip']} keep {row['photo']}", row["wrong_percent"]) for row in _of(done, "keep")]
    blurred: dict[str, list[float]] = {}
    for row in _of(done, "only"):
        blurred.setdefault(row["clip"], []).append(row["wrong_percent"])
    means = [(clip, fmean(values)) for clip, values in blurred.items()]
    return [
        _at_most("strangers' photos: kept", 0, "%", kept),
        _at_most("strangers' photos: blurred, mean of a clip", STRANGERS_BLURRED_PERCENT, "%", means),
    ]


def judge_speed(rows: Sequence[Row]) -> Limit:
    """It depends on what else the machine does."""
    full_size = [row for row in rows if row["policy"] == "everyone" and tuple(row["size"]) == SPEED_SIZE]
    return _at_least("everyone, 1280 x 720: speed", FRAMES_PER_SECOND, "frames/s", _values(full_size, frames_per_second))


def means_of(rows: Sequence[Row], policy: str, name: str) -> dict[str, float]:
    """By clip, the mean over its photos of the runs that tell."""
    told: dict[str, list[float]] = {}
    for row in rows:
        if row["policy"] == policy and row[name] is not None:
            told.setdefault(row["clip"], []).append(row[name])
    return {clip: fmean(values) for clip, values in told.items()}


def _of(rows: Sequence[Row], policy: str) -> list[Row]:
    return [row for row in rows if row["policy"] == policy]


def _means(rows: Sequence[Row], policy: str, name: str) -> list[tuple[str, float]]:
    return list(means_of(rows, policy, name).items())


def _told(rows: Sequence[Row], name: str) -> list[tuple[str, float]]:
    return _values(rows, lambda row: row[name])


def _values(rows: Sequence[Row], value: Callable[[Row], float | None]) -> list[tuple[str, float]]:
    return [(f"{row['clip']} {row['task']}", found) for row in rows if (found := value(row)) is not None]


def _most_leaked(row: Row) -> float | None:
    shares = [each["leak_all_percent"] for each in row["by_person"].values() if each["leak_all_percent"] is not None]
    return max(shares, default=None)


def _at_most(what: str, limit: float, unit: str, told: Sequence[tuple[str, float]]) -> Limit:
    ranked = sorted(told, key=lambda each: -each[1])
    broken = tuple(_said(*each, unit) for each in ranked if each[1] > limit)
    return Limit(what, f"at most {limit:g} {unit}", len(ranked), broken, _said(*ranked[0], unit) if ranked else "no run tells")


def _at_least(what: str, limit: float, unit: str, told: Sequence[tuple[str, float]]) -> Limit:
    ranked = sorted(told, key=lambda each: each[1])
    broken = tuple(_said(*each, unit) for each in ranked if each[1] < limit)
    return Limit(what, f"at least {limit:g} {unit}", len(ranked), broken, _said(*ranked[0], unit) if ranked else "no run tells")


def _said(run: str, value: float, unit: str) -> str:
    return f"{run} {value:.3g} {unit}"
