"""Trails: faces followed on the pictures themselves, beyond where a detector saw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tasks import arrays
from tasks.faces import Floats


class Start(NamedTuple):
    """A detection from which a face is followed. Equal where frame, direction and box are."""

    frame: int
    direction: int  # 1 onwards, -1 back
    box: tuple[float, float, float, float]

    @classmethod
    def of(cls, frame: int, direction: int, box: Floats) -> Start:
        left, top, right, bottom = (float(side) for side in box)
        return cls(int(frame), direction, (left, top, right, bottom))


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """Where a face went.

    boxes: (N, 4) float32, row i is i + 1 frames away from the start, in its direction
    """

    start: Start
    boxes: Floats


def trails_to_bytes(trails: Sequence[Trail]) -> bytes:
    """Trails as one archive: their boxes end to end, what else there is of each a row."""
    return arrays.pack(
        {
            "lengths": np.array([len(trail.boxes) for trail in trails], np.int64),
            "starts": np.array([(trail.start.frame, trail.start.direction) for trail in trails], np.int64).reshape(-1, 2),
            "start_boxes": np.array([trail.start.box for trail in trails], np.float32).reshape(-1, 4),
            "boxes": np.concatenate([trail.boxes for trail in trails]) if trails else np.zeros((0, 4), np.float32),
        }
    )


def trails_from_bytes(content: bytes) -> list[Trail]:
    """The inverse of `trails_to_bytes`."""
    columns = arrays.unpack(content)
    ends = np.cumsum(columns["lengths"])
    return [
        Trail(Start.of(frame, direction, box), columns["boxes"][end - length : end])
        for (frame, direction), box, length, end in zip(
            columns["starts"].tolist(), columns["start_boxes"], columns["lengths"], ends, strict=True
        )
    ]
