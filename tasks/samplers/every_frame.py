"""Looks at every frame."""

from __future__ import annotations

from typing import Literal

from tasks.method import Method
from tasks.samplers.looks import Look, Looking, Request, Stretch


class EveryFrame(Method):
    """Looks at every frame: the slowest way, and the measure of the others."""

    method: Literal["every_frame"] = "every_frame"

    def looks(self, stretch: Stretch) -> Looking:
        for start in range(stretch.first, stretch.last + 1, stretch.window_frames):
            end = min(start + stretch.window_frames, stretch.last + 1)
            yield Request([Look(frame, "grid") for frame in range(start, end)], start)
