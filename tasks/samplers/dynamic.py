"""Looks at few frames: a coarse grid, and between its looks only near the faces that they show, or where thumbnails change."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Detections, Floats
from tasks.matching import assign, euclidean, geometric_cost
from tasks.method import Method
from tasks.samplers.following import Checks, Seen, Steps, between, check_between, follow, together
from tasks.samplers.glances import change_between
from tasks.samplers.looks import Look, Looking, Request, Stretch

Rows = npt.NDArray[np.intp]

_GATE = 1.2  # of the geometric cost: beyond it two boxes are two faces
_NEAR_EDGE = 0.5  # of a face's size, from the picture's edge, within which it may have gone there
_SEEN_WELL = 0.2  # quality from which an embedding may part what is at one place
_BLIND_FRAMES = 12  # the widest grid where there are no thumbnails to say that nothing happens


class Dynamic(Method):
    """A coarse grid of looks; between two of them, cheap looks near each face they show check that it is where it is expected."""

    method: Literal["dynamic"] = "dynamic"
    widest_frames: int = Field(24, ge=1, le=64, description="the grid where nothing happens")
    widest_seconds: float = Field(1.0, gt=0, le=10, description="and in seconds, for videos with few frames in one")
    narrowest_frames: int = Field(16, ge=1, le=64, description="the grid where much happens")
    recognised_looks: int = Field(8, ge=1, description="looks of the grid, from a shot's beginning, at which all faces are recognised")
    recognise_every: int = Field(2, ge=1, description="after those, faces are recognised at one look in so many")
    sure_score: float = Field(0.45, ge=0, le=1, description="a face that scores less is not followed to where it comes and goes")
    hold_iou: float = Field(0.65, gt=0, lt=1, description="overlap with where it was expected below which a face is looked at more closely")
    steady_iou: float = Field(0.85, gt=0, le=1, description="the same, from which a face moves evenly")
    closest_frames: int = Field(2, ge=1, le=64, description="two looks at a face that are no further apart are never checked")
    restless_frames: int = Field(4, ge=1, le=64, description="two looks at a face that are further apart are, unless it moves evenly")
    unchecked_frames: int = Field(8, ge=1, le=64, description="and those that are further apart than this always")
    change_levels: float = Field(16, ge=0, le=255, description="change of a thumbnail between two looks, in grey levels, that is looked at")
    other_face: float = Field(0.75, gt=0, description="distance of embeddings beyond which two faces that are seen well are two people")

    def looks(self, stretch: Stretch) -> Looking:
        """Each request of the grid is followed by those of what is between its looks."""
        widest = max(1, min(self.widest_frames, round(self.widest_seconds * stretch.frame_rate), stretch.window_frames - 1))
        if stretch.glances is None:
            widest = min(widest, _BLIND_FRAMES)
        narrowest = min(self.narrowest_frames, widest)
        step = max(narrowest, widest // 2)
        known: dict[int, Detections] = {}
        start, num_looks = stretch.first, 0
        while True:
            end = min(stretch.last, start + max(1, (stretch.window_frames - 1) // step) * step)
            edges = (stretch.first, stretch.last, *stretch.edges)
            frames = [frame for frame in _even_grid(start, end, step, widest, edges) if frame not in known]
            grid = [
                Look(frame, "edge" if frame in edges else "grid", recognise=frame in edges or self._recognises(num_looks + number))
                for number, frame in enumerate(frames)
            ]
            num_looks += len(grid)
            known |= yield from _whole(grid, start)
            for least in (self.change_levels, 2 * self.change_levels):
                known |= yield from _whole(self._changes(stretch, known, least), start)
            num_apart = sum(not self._agree(known[a], known[b]) for a, b in pairwise(sorted(known)))
            yield from _asked(together([self._between(stretch, known[a], known[b]) for a, b in pairwise(sorted(known))]), start)
            if end == stretch.last:
                return
            busy = num_apart / max(1, len(known) - 1)
            step = min(widest, 2 * step) if busy == 0 else max(narrowest, step // 2) if busy > 0.5 else step
            known, start = {end: known[end]}, end

    def _recognises(self, number: int) -> bool:
        """Whether faces are recognised at that look of the grid: those of a long shot are many, and few decide."""
        return number < self.recognised_looks or number % self.recognise_every == 0

    def _changes(self, stretch: Stretch, known: dict[int, Detections], least_levels: float) -> list[Look]:
        """A look where thumbnails change between two looks: a visit shorter than the grid."""
        looks = []
        for before, after in pairwise(sorted(known)):
            frame, levels = change_between(stretch, before, after, np.concatenate([known[before].boxes, known[after].boxes]))
            if levels > least_levels:
                looks.append(Look(frame, "change"))
        return looks

    def _between(self, stretch: Stretch, before: Detections, after: Detections) -> Steps:
        """Checks the faces that two looks share, and follows those that only one of them has."""
        first, last = int(before.looked[0]), int(after.looked[0])
        if last - first < 2:
            return
        rows, columns = self._pairs(before, after)
        pairs = [(Seen(first, before.boxes[a]), Seen(last, after.boxes[b])) for a, b in zip(rows, columns, strict=True)]
        alone = [Seen(first, before.boxes[row]) for row in _rest(before, rows) if before.scores[row] >= self.sure_score]
        new = [Seen(last, after.boxes[row]) for row in _rest(after, columns) if after.scores[row] >= self.sure_score]
        all_pairs = _AllBut(pairs, stretch)
        checks = Checks(self.hold_iou, self.steady_iou, self.closest_frames, self.restless_frames, self.unchecked_frames)
        yield from together(
            [check_between(a, b, checks, _AllBut([*pairs[:n], *pairs[n + 1 :]], stretch)) for n, (a, b) in enumerate(pairs)]
            + [follow(seen, last, all_pairs, "exit") for seen in alone]
            + [follow(seen, first, all_pairs, "entry") for seen in new]
        )

    def _pairs(self, before: Detections, after: Detections) -> tuple[Rows, Rows]:
        """Rows of both that are one face, by place, size, and where they are seen well by likeness."""
        cost = geometric_cost(before.boxes, after.boxes)
        seen_well = np.minimum.outer(before.qualities, after.qualities) >= _SEEN_WELL
        unlike = seen_well & (euclidean(before.embeddings, after.embeddings) > self.other_face)
        return assign(np.where(unlike, np.nan, cost), _GATE)

    def _agree(self, before: Detections, after: Detections) -> bool:
        """Whether two looks show the same faces."""
        rows, columns = self._pairs(before, after)
        alone = before.scores[_rest(before, rows)], after.scores[_rest(after, columns)]
        return all(bool(np.all(scores < self.sure_score)) for scores in alone)


@dataclass(frozen=True)
class _AllBut:
    """Where other faces than one are expected between two looks: those that both looks show."""

    pairs: Sequence[tuple[Seen, Seen]]
    stretch: Stretch

    def __call__(self, frame: int) -> Floats:
        return np.array([between(before, after, frame) for before, after in self.pairs], np.float32).reshape(-1, 4)

    def at_edge(self, box: Floats) -> bool:
        near = _NEAR_EDGE * np.tile(box[2:] - box[:2], 2)
        return bool(np.any(np.array([box[0], box[1], self.stretch.width - box[2], self.stretch.height - box[3]]) < near))


def _even_grid(first: int, last: int, step: int, widest: int, edges: Iterable[int]) -> list[int]:
    """Frames from first to last, both of them, about `step` and never more than `widest` apart, and the edges between."""
    num_steps = max(-(-(last - first) // widest), round((last - first) / step), 1)
    return sorted({*(first + (last - first) * n // num_steps for n in range(num_steps + 1)), *(e for e in edges if first < e < last)})


def _whole(looks: Sequence[Look], keep_from: int) -> Generator[Request, list[Detections], dict[int, Detections]]:
    """Looks at whole pictures, by frame."""
    if not looks:
        return {}
    found = yield Request(looks, keep_from)
    return {look.frame: each for look, each in zip(looks, found, strict=True)}


def _asked(steps: Steps, keep_from: int) -> Looking:
    """The looks of the steps as requests."""
    found: list[Detections] | None = None
    while True:
        try:
            looks = next(steps) if found is None else steps.send(found)
        except StopIteration:
            return
        found = yield Request(looks, keep_from)


def _rest(detections: Detections, rows: Rows) -> Rows:
    return np.delete(np.arange(len(detections)), rows)
