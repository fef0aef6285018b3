"""What the program must show on labelled clips, and whether it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MOST_LEAK_PERCENT = 2.0  # of plain faces, everyone blurred
LONGEST_LEAK_FRAMES = 5
MOST_OVER_BLUR_PERCENT = 15.0  # of the person that is kept
MOST_OTHERS_LEAK_PERCENT = 4.0  # while somebody is kept
LEAST_FRAMES_PER_SECOND = 15.0  # from end to end, 1280 x 720, two cores
SPEED_SIZE = (1280, 720)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit, the runs that it is for, and the worst of them."""

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
    """From end to end; None where a stage's result was known from an earlier run."""
    known = any(stage["is_cached"] for stage in row["stages"].values())
    return None if known else float(row["num_frames"] / row["seconds"])


def judge(rows: Sequence[Row]) -> list[Limit]:
    """Each limit against the runs that did not fail."""
    everyone = [row for row in rows if row["policy"] == "everyone"]
    keep = [row for row in rows if row["policy"] == "keep"]
    full_size = [row for row in everyone if tuple(row["size"]) == SPEED_SIZE and frames_per_second(row)]
    return [
        _at_most("everyone: leak, plain faces", MOST_LEAK_PERCENT, "%", everyone, lambda row: row["leak_percent"]),
        _at_most("everyone: longest leaked run", LONGEST_LEAK_FRAMES, "frames", everyone, lambda row: row["longest_leak_frames"]),
        _at_most("all: frames, pts, size, sound differ", 0, "things", rows, lambda row: len(row["differs"])),
        _at_most("keep: over-blur of the kept", MOST_OVER_BLUR_PERCENT, "%", keep, lambda row: row["over_blur_percent"]),
        _at_most("keep: leak of the others", MOST_OTHERS_LEAK_PERCENT, "%", keep, lambda row: row["leak_percent"]),
        _at_least("everyone, 1280 x 720: speed", LEAST_FRAMES_PER_SECOND, "frames/s", full_size, frames_per_second),
    ]


def _at_most(what: str, limit: float, unit: str, rows: Sequence[Row], value: Callable[[Row], float | None]) -> Limit:
    return _limit(what, (f"at most {limit:g} {unit}", unit), rows, value, lambda each: each - limit)


def _at_least(what: str, limit: float, unit: str, rows: Sequence[Row], value: Callable[[Row], float | None]) -> Limit:
    return _limit(what, (f"at least {limit:g} {unit}", unit), rows, value, lambda each: limit - each)


def _limit(
    what: str,
    words: tuple[str, str],
    rows: Sequence[Row],
    value: Callable[[Row], float | None],
    over: Callable[[float], float],
) -> Limit:
    told = [(f"{row['clip']} {row['task']}", found) for row in rows if (found := value(row)) is not None]
    ranked = [(over(found), f"{run} {found:.3g} {words[1]}") for run, found in sorted(told, key=lambda each: -over(each[1]))]
    broken = tuple(text for beyond, text in ranked if beyond > 0)
    return Limit(what, words[0], len(ranked), broken, ranked[0][1] if ranked else "no run tells")
