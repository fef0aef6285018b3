"""Photos of people who are not in a clip: nobody may be taken for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tasks.errors import VeilError
from tests.benchmarks.followed import OVERLAP, Followed, Present, read_followed, rows_by_frame, truth
from tests.benchmarks.labelled import LabelledClip, Policy, Task
from tests.benchmarks.running import Bench, plan_for

POLICIES: tuple[Policy, ...] = ("keep", "only")


def stranger_tasks(clip: LabelledClip, clips: Sequence[LabelledClip], same: Sequence[Sequence[str]]) -> Iterator[Task]:
    """A task for each photo of the other clips, both kept and blurred alone.

    Left out is who is in this clip: by name, or by `same`, pairs of CLIP/PERSON.
    """
    here = {f"{clip.name}/{person}" for person in clip.people()}
    for other in clips:
        for person, photo in other.photos() if other.name != clip.name else ():
            known_as = {f"{clip.name}/{person}", *(name for pair in same if f"{other.name}/{person}" in pair for name in pair)}
            if not known_as & here:
                yield from (Task(policy, person, photo) for policy in POLICIES)


def measure_stranger(place: Bench, clip: LabelledClip, task: Task, scratch: Path, assignments: Sequence[str]) -> dict[str, Any]:
    """What would be done, without a frame being rendered: `wrong_percent` of the labelled faces are kept, or blurred."""
    assert task.photo is not None
    row = {"clip": clip.name, "photo": f"{task.photo.parent.parent.name}/{task.photo.stem}", "policy": task.policy}
    boxes = scratch / "boxes.csv"
    try:
        place.export_boxes(clip.video, boxes, plan_for(task, assignments))
    except VeilError as error:
        return row | {"error": str(error)}
    return row | {"wrong_percent": wrong_percent(read_followed(boxes), truth(clip.folder), task.policy)}


def wrong_percent(followed: Followed, present: list[Present], policy: Policy) -> float:
    """Of the labelled faces that were found, those that are kept (`keep`) or blurred (`only`)."""
    wrong = found = 0
    for _, rows, overlaps in rows_by_frame(followed, present):
        for of_face in overlaps:
            if len(rows) and of_face.max() > OVERLAP:
                covered = bool(followed.covered[rows[np.argmax(of_face)]])
                found += 1
                wrong += covered == (policy == "only")
    return 100 * wrong / max(1, found)
