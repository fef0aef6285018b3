"""Pictures of a clip's runs: who shows when, and the figures of each task beside their limits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tests.benchmarks.limits import CHOSEN_LEAK_PERCENT, KEPT_OVER_BLUR_PERCENT, Row

_KINDS = {  # later ones are drawn above earlier ones
    "judged": ("hidden", "0.8"),
    "over_blurred": ("over-blurred", "tab:blue"),
    "hard_leaks": ("leaks, hard", "tab:orange"),
    "leaks": ("leaks", "tab:red"),
}
_KEPT = ("kept, shows", "#b9dfb9")


def plot_clip(rows: Sequence[Row], folder: Path) -> None:
    """Writes CLIP-when.png and CLIP-tasks.png; `rows` are of one clip."""
    done = [row for row in rows if "error" not in row]
    if done:
        folder.mkdir(parents=True, exist_ok=True)
        when(done).savefig(folder / f"{done[0]['clip']}-when.png", dpi=100)
        tasks(done).savefig(folder / f"{done[0]['clip']}-tasks.png", dpi=100)


def when(rows: Sequence[Row]) -> Figure:
    """A panel a task, a line a person, a frame a place."""
    people = list(rows[0]["judged"])
    figure = Figure(figsize=(14, 0.7 + len(rows) * (0.4 + 0.2 * len(people))), layout="constrained")
    for axes, row in zip(figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0], rows, strict=True):
        for line, person in enumerate(people):
            for kind, (_, colour) in _KINDS.items():
                is_kept = kind == "judged" and not row["by_person"][person]["must_cover"]
                bars = [(first - 0.5, last - first + 1) for first, last in _runs(row[kind].get(person, ""))]
                axes.broken_barh(bars, (line - 0.4, 0.8), color=_KEPT[1] if is_kept else colour)
        axes.set_yticks(range(len(people)), people, fontsize="small")
        axes.set_ylim(len(people) - 0.5, -0.5)
        axes.set_title(row["task"], loc="left", fontsize="small")
    axes.set_xlim(-1, rows[0]["num_frames"])
    axes.set_xlabel("frame")
    figure.suptitle(rows[0]["clip"], x=0.01, ha="left")
    shades = [*_KINDS.values(), _KEPT]
    figure.legend([Patch(color=colour) for _, colour in shades], [said for said, _ in shades], loc="outside upper right", ncols=len(shades))
    return figure


def tasks(rows: Sequence[Row]) -> Figure:
    """Bars of leaks and of over-blur by task."""
    figure = Figure(figsize=(11, 1.6 + 0.35 * len(rows)), layout="constrained")
    leak, over_blur = figure.subplots(1, 2, sharey=True)
    _bars(leak, rows, {"leak_percent": ("plain faces", "tab:red"), "leak_hard_percent": ("hard faces", "tab:orange")}, CHOSEN_LEAK_PERCENT)
    _bars(over_blur, rows, {"over_blur_percent": ("kept faces", "tab:blue")}, KEPT_OVER_BLUR_PERCENT)
    leak.set_title("leak, %", fontsize="medium")
    over_blur.set_title("over-blur, %", fontsize="medium")
    leak.set_yticks(range(len(rows)), [row["task"] for row in rows])
    leak.invert_yaxis()
    figure.suptitle(rows[0]["clip"])
    return figure


def _bars(axes: Axes, rows: Sequence[Row], kinds: dict[str, tuple[str, str]], limit: float) -> None:
    height = 0.8 / len(kinds)
    for number, (name, (said, colour)) in enumerate(kinds.items()):
        places = [line - 0.4 + height * (number + 0.5) for line in range(len(rows))]
        axes.barh(places, [row[name] or 0 for row in rows], height, color=colour, label=said)
    axes.axvline(limit, color="0.4", linestyle=":", label=f"limit of the mean, {limit:g} %")
    axes.set_xlim(0, max(2 * limit, *(1.05 * (row[name] or 0) for row in rows for name in kinds)))
    axes.legend(fontsize="small", loc="lower right")


def _runs(ranges: str) -> list[tuple[int, int]]:
    """The inverse of `frame_ranges`: "3-5 9" is (3, 5), (9, 9)."""
    ends = [each.split("-") for each in ranges.split()]
    return [(int(each[0]), int(each[-1])) for each in ends]
