"""The thesis's dynamic sampling, for comparison: an even grid, and every frame between two looks that do not agree."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections
from tasks.matching import assign, geometric_cost
from tasks.method import Method
from tasks.samplers.looks import Look, Looking, Request, Stretch, grid_of


class DynamicThesis(Method):
    """Looks at whole pictures only: at every so many frames of a shot, and at all frames between two looks that disagree."""

    method: Literal["dynamic_thesis"] = "dynamic_thesis"
    interval_frames: int = Field(10, ge=1, le=64, description="between two looks")
    fewest_intervals: int = Field(3, ge=1, le=64, description="in a shot: a short one has shorter intervals")
    max_shift: float = Field(0.5, gt=0, le=2, description="in face widths: after a larger move two looks disagree")

    def looks(self, stretch: Stretch) -> Looking:
        """Two looks agree if they show equally many faces, each of which has its like in the other."""
        num_frames = stretch.last - stretch.first + 1
        step = max(1, min(self.interval_frames, num_frames // self.fewest_intervals, stretch.window_frames - 1))
        known: dict[int, Detections] = {}
        start = stretch.first
        while True:
            end = min(stretch.last, start + max(1, (stretch.window_frames - 1) // step) * step)
            grid = [Look(frame, "grid") for frame in grid_of(start, end, step) if frame not in known]
            known |= {look.frame: each for look, each in zip(grid, (yield Request(grid, start)), strict=True)}
            between = [frame for a, b in pairwise(sorted(known)) if not self._agree(known[a], known[b]) for frame in range(a + 1, b)]
            if between:
                yield Request([Look(frame, "disagreement") for frame in between], start)
            if end == stretch.last:
                return
            known, start = {end: known[end]}, end

    def _agree(self, before: Detections, after: Detections) -> bool:
        rows, _ = assign(geometric_cost(before.boxes, after.boxes), self.max_shift)
        return len(before) == len(after) == len(np.asarray(rows))
