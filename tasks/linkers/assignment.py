"""Gated minimum-cost matching of faces to what is known, look by look; weak detections may continue a chain but not start one.

The matching is the thesis's, on costs without a scale; weak detections get their second chance as in ByteTrack (Zhang et al.,
arXiv:2110.06864).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections, Floats, Ints
from tasks.matching import assign, euclidean, geometric_cost
from tasks.method import Method

_SPAN_FRAMES = 12  # over which a chain's motion is measured
_SEEN_WELL = 0.2  # quality from which an embedding may part what is at one place
_UNKNOWN = 0.8  # appearance where either face has no embedding: neither like nor unlike


class Assignment(Method):
    """Minimum-cost matching on position, size, predicted motion and appearance, none of which depends on the picture's size."""

    method: Literal["assignment"] = "assignment"
    start_score: float = Field(0.45, ge=0, le=1, description="a face that scores less starts no track")
    gate: float = Field(1.3, gt=0, description="in face widths: a larger move between two looks is another face")
    max_gap_frames: int = Field(60, ge=1, description="a face that was not seen for longer is a new track")
    same_face: float = Field(0.6, gt=0, description="distance of embeddings at which two faces may as well be one person's as not")
    other_face: float = Field(
        0.75, gt=0, description="distance beyond which two faces that are seen well are two people, wherever they are"
    )
    appearance_weight: float = Field(0.5, ge=0, description="what that distance counts for, in face widths")

    def chains(self, detections: Detections) -> list[Ints]:
        weak = detections.scores < self.start_score
        chains: list[_Chain] = []
        for frame in detections.looked:
            rows = np.arange(len(detections))[detections.rows_at(int(frame))]
            alive = [chain for chain in chains if frame - chain.last_frame <= self.max_gap_frames]
            rest = self._continue(alive, detections, rows[~weak[rows]], int(frame))
            self._continue([chain for chain in alive if chain.last_frame < frame], detections, rows[weak[rows]], int(frame))
            for row in rest:
                chains.append(_Chain())
                chains[-1].add(detections, int(row))
        self._begin_earlier(chains, detections)
        return [np.array(chain.rows, np.int64) for chain in sorted(chains, key=lambda chain: chain.first_frame)]

    def _begin_earlier(self, chains: list[_Chain], detections: Detections) -> None:
        """Gives chains the weak detections before their first one, backwards: a face that comes nearer is weak at first."""
        free = np.ones(len(detections), bool)
        for chain in chains:
            free[chain.rows] = False
        for frame in detections.looked[::-1]:
            rows = np.arange(len(detections))[detections.rows_at(int(frame))]
            later = [chain for chain in chains if 0 < chain.first_frame - frame <= self.max_gap_frames]
            self._continue(later, detections, rows[free[rows]], int(frame))

    def _continue(self, chains: list[_Chain], detections: Detections, rows: Ints, frame: int) -> Ints:
        """Gives each chain at most one of the rows; returns the rows that no chain took."""
        if not chains or not len(rows):
            return rows
        place = geometric_cost(np.stack([chain.predicted(frame) for chain in chains]), detections.boxes[rows])
        distance = euclidean(np.stack([chain.embedding for chain in chains]), detections.embeddings[rows])
        seen_well = np.minimum.outer([chain.quality for chain in chains], detections.qualities[rows]) >= _SEEN_WELL
        possible = (place <= self.gate) & ~(seen_well & (distance > self.other_face))
        unlike = np.where(np.isnan(distance), _UNKNOWN, np.minimum(distance / self.same_face, 2))
        cost = np.where(possible, place + self.appearance_weight * unlike, np.nan)
        taken_by, taken = assign(cost, np.inf)
        for chain, column in zip(taken_by, taken, strict=True):
            chains[chain].add(detections, int(rows[column]))
        return np.delete(rows, taken)


@dataclass
class _Chain:
    """A face so far: its rows, where it was, how it moved, what it looks like."""

    rows: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    boxes: list[Floats] = field(default_factory=list)
    weights: float = 0.0
    quality: float = 0.0
    embedding: Floats = field(default_factory=lambda: np.full(1, np.nan, np.float32))

    @property
    def first_frame(self) -> int:
        return self.frames[0]

    @property
    def last_frame(self) -> int:
        return self.frames[-1]

    def add(self, detections: Detections, row: int) -> None:
        """Makes a detection before or after all others part of the chain."""
        end = 0 if self.frames and detections.frames[row] < self.first_frame else len(self.frames)
        self.rows.insert(end, row)
        self.frames.insert(end, int(detections.frames[row]))
        self.boxes.insert(end, detections.boxes[row])
        weight, embedding = float(detections.qualities[row]), detections.embeddings[row]
        self.quality = max(self.quality, weight)
        if weight > 0 and not np.isnan(embedding[0]):
            known = self.embedding * self.weights if self.weights else np.zeros_like(embedding)
            self.weights += weight
            self.embedding = (known + weight * embedding) / self.weights
        elif len(self.embedding) != len(embedding):
            self.embedding = np.full_like(embedding, np.nan)

    def predicted(self, frame: int) -> Floats:
        """The box at a frame beyond either end if the face goes on as it did there, ever more slowly."""
        end, towards = (-1, -1) if frame > self.last_frame else (0, 1)
        inner = end
        while (
            -len(self.frames) <= inner + towards < len(self.frames) and abs(self.frames[inner + towards] - self.frames[end]) <= _SPAN_FRAMES
        ):
            inner += towards
        elapsed = abs(self.frames[inner] - self.frames[end])
        if elapsed == 0:
            return self.boxes[end]
        motion = self.boxes[end] - self.boxes[inner]
        share = 1 - np.exp(-abs(frame - self.frames[end]) / elapsed)
        return np.asarray(self.boxes[end] + np.tile((motion[:2] + motion[2:]) / 2, 2) * share, np.float32)
