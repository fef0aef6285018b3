"""Looks at every frame."""

from __future__ import annotations

from collections.abc import Generator
from typing import Literal

from tasks.faces import Detections
from tasks.method import Method


class EveryFrame(Method):
    """Looks at every frame: the slowest way, and the measure of the others."""

    method: Literal["every_frame"] = "every_frame"

    def looks(self, first: int, last: int, window_frames: int, frame_rate: float = 30.0) -> Generator[list[int], Detections, None]:
        for start in range(first, last + 1, window_frames):
            yield list(range(start, min(start + window_frames, last + 1)))
