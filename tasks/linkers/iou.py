"""Linking by overlap alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections, Floats, Ints
from tasks.linkers.stepping import Chain, predicted, stepped
from tasks.matching import intersection_over_union
from tasks.method import Method


class Iou(Method):
    """Greatest overlap with where a face is expected (as in SORT, Bewley et al., arXiv:1602.00763): quick, and blind to who it is."""

    method: Literal["iou"] = "iou"
    least_iou: float = Field(0.3, gt=0, le=1, description="overlap below which two boxes are two faces")
    start_score: float = Field(0.45, ge=0, le=1, description="a face that scores less starts no track")
    max_gap_frames: int = Field(24, ge=1, description="a face that was not seen for longer is a new track")

    def chains(self, detections: Detections) -> list[Ints]:
        def cost(chains: Sequence[Chain], rows: Ints, frame: int) -> Floats:
            overlap = intersection_over_union(predicted(chains, frame), detections.boxes[rows])
            return np.where(overlap >= self.least_iou, 1 - overlap, np.nan)

        return [np.array(chain.rows, np.int64) for chain in stepped(detections, cost, self.start_score, self.max_gap_frames)]
