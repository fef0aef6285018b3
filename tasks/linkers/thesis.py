"""The thesis's linking, for comparison: bipartite matching of each look's boxes with the ones before.

The thesis gave the columns of the assignment to the faces in their order, without its rows, so that a newcomer who was listed first broke
all tracks. That fault is not kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections, Floats, Ints
from tasks.linkers.stepping import Chain, stepped
from tasks.matching import geometric_cost
from tasks.method import Method

_SQUARE_PIXELS = 25_000  # that make a distance of 1: half a width is 0.025 at 50 pixels, and 1.6 at 400


class Thesis(Method):
    """Least total distance of boxes, without motion, looks or weak faces."""

    method: Literal["thesis"] = "thesis"
    distance: Literal["squared_pixels", "scale_free"] = Field(
        "squared_pixels", description="squared_pixels: the thesis's own, which grows with the face; scale_free: in face widths"
    )
    max_distance: float = Field(1.0, gt=0, description="two boxes that are further apart are two faces")
    max_gap_frames: int = Field(24, ge=1, description="a face that was not seen for longer is a new track")

    def chains(self, detections: Detections) -> list[Ints]:
        def cost(chains: Sequence[Chain], rows: Ints, frame: int) -> Floats:
            before, here = np.stack([chain.boxes[-1] for chain in chains]), detections.boxes[rows]
            distance = geometric_cost(before, here) if self.distance == "scale_free" else _squared(before, here)
            return np.where(distance <= self.max_distance, distance, np.nan)

        return [np.array(chain.rows, np.int64) for chain in stepped(detections, cost, 0.0, self.max_gap_frames)]


def _squared(boxes: Floats, others: Floats) -> Floats:
    """(N, M) of centres."""
    apart = (boxes[:, None, :2] + boxes[:, None, 2:] - others[None, :, :2] - others[None, :, 2:]) / 2
    return np.asarray((apart**2).sum(2) / _SQUARE_PIXELS, np.float32)
