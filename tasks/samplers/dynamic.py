"""Looks at few frames: a grid that widens where nothing happens, and is halved where two looks do not tell the same story."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections
from tasks.matching import assign, geometric_cost
from tasks.method import Method

_GATE = 1.2  # of the geometric cost: beyond it two boxes are two faces


class Dynamic(Method):
    """Looks at a coarse grid; where two looks disagree, at the frame between them, and so on until they agree or are neighbours."""

    method: Literal["dynamic"] = "dynamic"
    widest_frames: int = Field(12, ge=1, le=64, description="the grid where nothing happens")
    widest_seconds: float = Field(0.5, gt=0, le=10, description="and in seconds, for videos with few frames in one")
    narrowest_frames: int = Field(4, ge=1, le=64, description="the grid where much happens")
    sure_score: float = Field(0.55, ge=0, le=1, description="a face that scores less may come and go without a second look")
    max_shift: float = Field(0.4, gt=0, le=2, description="in face widths: after a larger move the frame between is looked at")
    max_deviation: float = Field(0.2, gt=0, le=2, description="in face widths: how far the frame between may be from where it was expected")

    def looks(self, first: int, last: int, window_frames: int, frame_rate: float = 30.0) -> Generator[list[int], Detections, None]:
        """Yields frames to look at, from first to last of one shot; takes back what was found at them, in order of frame.

        All frames asked for lie within `window_frames` of one another until a later window is begun; none is asked for twice.
        """
        widest = max(1, min(self.widest_frames, round(self.widest_seconds * frame_rate), window_frames - 1))
        step = max(1, widest // 2)
        known: dict[int, Detections] = {}
        start = first
        while True:
            end = min(last, start + (window_frames - 1) // step * step)
            grid = sorted({*range(start, end, step), end})
            wanted = [frame for frame in grid if frame not in known]
            pairs = list(itertools.pairwise(grid))
            intervals: list[tuple[int, int, int]] = []
            num_extra = 0
            while wanted:
                found = yield wanted
                known |= {frame: found[found.rows_at(frame)] for frame in wanted}
                pairs += [half for a, m, b in intervals if not self._as_expected(known[a], known[m], known[b]) for half in ((a, m), (m, b))]
                intervals = [(a, (a + b) // 2, b) for a, b in pairs if b - a > 1 and not self._agree(known[a], known[b], self.max_shift)]
                wanted, pairs = [m for _, m, _ in intervals], []
                num_extra += len(wanted)
            if end == last:
                return
            known, start = {end: known[end]}, end
            if num_extra == 0:
                step = min(step * 2, widest)
            elif num_extra > len(grid) - 1:
                step = min(max(step // 2, self.narrowest_frames), widest)

    def _agree(self, before: Detections, after: Detections, max_shift: float) -> bool:
        """Whether two looks show the same faces in about the same places."""
        cost = geometric_cost(before.boxes, after.boxes)
        rows, columns = assign(cost, _GATE)
        alone = np.delete(before.scores, rows), np.delete(after.scores, columns)
        return all(np.all(scores < self.sure_score) for scores in alone) and bool(np.all(cost[rows, columns] <= max_shift))

    def _as_expected(self, before: Detections, middle: Detections, after: Detections) -> bool:
        """Whether the look between two others shows their faces half-way, so that nothing happened that the three do not tell."""
        rows, columns = assign(geometric_cost(before.boxes, after.boxes), _GATE)
        expected = replace(before[rows], boxes=((before.boxes[rows] + after.boxes[columns]) / 2).astype(np.float32))
        return self._agree(before, after, _GATE) and self._agree(expected, middle, self.max_deviation)
