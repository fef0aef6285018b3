"""Matching look by look: what all linkers share. What a pair costs is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tasks.faces import Detections, Floats, Ints
from tasks.matching import assign

_SPAN_FRAMES = 12  # over which a chain's motion is measured
_OPPOSITE = np.array([2, 3, 0, 1])  # sides of a box


@dataclass(slots=True)
class Chain:
    """A face so far: its rows, where it was last, how it moved, what it looks like."""

    rows: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    boxes: list[Floats] = field(default_factory=list)
    weight: float = 0.0
    """sum of the qualities of its embeddings"""
    quality: float = 0.0
    """the best of them"""
    embedding: Floats | None = None
    """(D,), their mean; None where none is known"""
    moved: Floats = field(default_factory=lambda: np.zeros(4, np.float32))
    """(4,), how far its box has moved, as a whole,"""
    elapsed: int = 0
    """in so many frames up to its last one"""

    @property
    def last_frame(self) -> int:
        return self.frames[-1]

    def add(self, detections: Detections, row: int, frame: int) -> None:
        """Makes a detection that is after all others part of the chain."""
        self.rows.append(row)
        self.frames.append(frame)
        self.boxes.append(detections.boxes[row])
        self._move()
        quality = float(detections.qualities[row])
        if quality > 0 and not np.isnan(detections.embeddings[row, 0]):
            self.quality = max(self.quality, quality)
            known = 0 if self.embedding is None else self.embedding * self.weight
            self.weight += quality
            self.embedding = (known + quality * detections.embeddings[row]) / self.weight

    def _move(self) -> None:
        """Measures the motion of its centre over the last `_SPAN_FRAMES`."""
        inner = len(self.frames) - 1
        while inner and self.frames[-1] - self.frames[inner - 1] <= _SPAN_FRAMES:
            inner -= 1
        moved = self.boxes[-1] - self.boxes[inner]
        self.moved = (moved + moved[_OPPOSITE]) / 2
        self.elapsed = self.frames[-1] - self.frames[inner]


class Cost(Protocol):
    """What it costs to give chains rows of one frame."""

    def __call__(self, chains: Sequence[Chain], rows: Ints, frame: int) -> Floats:
        """(chains, rows); NaN where they are not one face."""


def predicted(chains: Sequence[Chain], frame: int) -> Floats:
    """(N, 4): the boxes at a later frame if the faces go on as they did, ever more slowly."""
    known = np.array([(frame - chain.frames[-1], max(chain.elapsed, 1)) for chain in chains], np.float32)
    share = 1 - np.exp(-known[:, :1] / known[:, 1:])
    return np.asarray(np.array([chain.boxes[-1] for chain in chains]) + np.array([chain.moved for chain in chains]) * share, np.float32)


def stepped(detections: Detections, cost: Cost, start_score: float, max_gap_frames: int) -> list[Chain]:
    """Chains, each in order of frame. Detections below `start_score` may continue a chain but not start one."""
    weak = detections.scores < start_score
    frames, starts = np.unique(detections.frames, return_index=True)
    ends = [*starts[1:].tolist(), len(detections)][: len(starts)]
    chains: list[Chain] = []
    alive: list[Chain] = []
    for frame, start, end in zip(frames.tolist(), starts.tolist(), ends, strict=True):
        alive = [chain for chain in alive if frame - chain.last_frame <= max_gap_frames]
        rows = np.arange(start, end)
        strong = rows[~weak[start:end]]
        rest = _continue(alive, detections, strong, frame, cost)
        if len(strong) < len(rows):
            _continue([chain for chain in alive if chain.last_frame < frame], detections, rows[weak[start:end]], frame, cost)
        for row in rest.tolist():
            chain = Chain()
            chain.add(detections, row, frame)
            chains.append(chain)
            alive.append(chain)
    return chains


def _continue(chains: list[Chain], detections: Detections, rows: Ints, frame: int, cost: Cost) -> Ints:
    """Gives each chain at most one of the rows; returns the rows that no chain took."""
    if not chains or not len(rows):
        return rows
    taken_by, taken = assign(cost(chains, rows, frame), np.inf)
    for chain, column in zip(taken_by.tolist(), taken.tolist(), strict=True):
        chains[chain].add(detections, int(rows[column]), frame)
    left = np.ones(len(rows), bool)
    left[taken] = False
    return rows[left]
