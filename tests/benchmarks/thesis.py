"""The thesis's four configurations, by name, and its table: accuracy, precision, recall and F1 by frame.

A person is to be blurred by a photo of them. Each labelled face in each frame counts once: positive if it is that person's, found positive
if it is hidden in the finished video (see `tests.scoring`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from tasks.errors import VeilError
from tests.benchmarks.labelled import LabelledClip, drawn_clips
from tests.benchmarks.running import bench, plan_for
from tests.benchmarks.tables import table_of
from tests.scoring import LEAK_BELOW_SHARE, OVER_BLUR_ABOVE_SHARE, compare

CONFIGURATIONS = ("thesis_deepface_every_frame", "thesis_deepface", "thesis_dlib_every_frame", "thesis_dlib")


def thesis_rows(clips: Sequence[LabelledClip], presets: Sequence[str] = (*CONFIGURATIONS, "balanced")) -> list[dict[str, Any]]:
    """A row a preset, over all clips and photos; without clips, a drawn one. One that cannot be run has an `error`."""
    with tempfile.TemporaryDirectory(prefix="veil-thesis-", ignore_cleanup_errors=True) as scratch, bench() as place:
        chosen = clips or drawn_clips(Path(scratch) / "drawn", ["demo"])
        rows = []
        for preset in presets:
            counts = {"right_hidden": 0, "wrong_hidden": 0, "right_shown": 0, "wrong_shown": 0}
            seconds, num_frames, looks = 0.0, 0, 0
            try:
                for clip in chosen:
                    for task in clip.tasks(["only"]):
                        output = Path(scratch) / "out.mp4"
                        report, took = place.run(clip.video, output, plan_for(task, [f"preset={preset}"]))
                        seconds, num_frames, looks = seconds + took, num_frames + report.num_frames, looks + report.num_looks
                        for face in compare(clip.folder, output).faces:
                            required = task.must_cover(face.person)
                            hidden = face.hidden_share >= (LEAK_BELOW_SHARE if required else OVER_BLUR_ABOVE_SHARE)
                            counts[f"{'right' if hidden == required else 'wrong'}_{'hidden' if hidden else 'shown'}"] += 1
            except VeilError as error:
                rows.append({"preset": preset, "error": str(error)})
                continue
            rows.append(
                {
                    "preset": preset,
                    **counts,
                    **scores(counts),
                    "looks_per_frame": looks / num_frames,
                    "frames_per_second": num_frames / seconds,
                }
            )
    return rows


def scores(counts: dict[str, int]) -> dict[str, float]:
    """Positive is hidden."""
    hit, false, missed, left = (counts[name] for name in ("right_hidden", "wrong_hidden", "wrong_shown", "right_shown"))
    precision, recall = hit / max(1, hit + false), hit / max(1, hit + missed)
    return {
        "accuracy": (hit + left) / max(1, hit + false + missed + left),
        "precision": precision,
        "recall": recall,
        "f1": 2 * precision * recall / max(1e-9, precision + recall),
    }


def thesis_table(rows: Sequence[dict[str, Any]]) -> Table:
    columns = ["preset", "accuracy", "precision", "recall", "F1", "looks a frame", "frames/s"]
    names = ("accuracy", "precision", "recall", "f1", "looks_per_frame", "frames_per_second")
    lines = [[row["preset"], *("-" if "error" in row else f"{row[name]:.3f}" for name in names)] for row in rows]
    return table_of("By frame: a person to be blurred, by a photo", columns, lines, num_left=1)
