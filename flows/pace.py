"""How much of a run is done, and how long the rest will take: what a page of Prefect's says of it."""

from __future__ import annotations

import time
from collections.abc import Callable

_SHARES = {"find_shots": 0.15, "find_faces": 0.45, "blur_faces": 0.3, "verify_blur": 0.1}
"""of the time that all stages take together, roughly; the others hardly count"""


class Pace:
    """Is told what is done (see `tasks.progress`), from any thread. What was known from before counts as done, not as speed."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._frames: dict[str, int] = {}
        self._done_frames: dict[str, int] = {}
        self._began: dict[str, float] = {}
        self._known = dict.fromkeys(_SHARES, False)
        self._ended: dict[str, float] = {}
        self.stage = ""

    def begin(self, stage: str, num_frames: int) -> None:
        self.stage = stage
        if stage in _SHARES:
            self._frames[stage], self._done_frames[stage] = num_frames, 0
            self._began[stage] = self._now()
            self._ended.pop(stage, None)

    def advance(self, stage: str, num_frames: int) -> None:
        if stage in self._done_frames:
            self._done_frames[stage] += num_frames

    def end(self, stage: str, cached: bool) -> None:
        if stage in _SHARES:
            self._ended[stage] = self._now()
            self._known[stage] = cached

    @property
    def done(self) -> float:
        """Of the whole, 0 to 1."""
        return sum(share * self._part(stage) for stage, share in _SHARES.items())

    @property
    def seconds_left(self) -> float | None:
        """None until something was worked on for long enough to tell."""
        worked = {stage: self._part(stage) for stage in self._began if not self._known[stage]}
        work = sum(_SHARES[stage] * part for stage, part in worked.items())
        seconds = sum(self._ended.get(stage, self._now()) - self._began[stage] for stage in worked)
        return (1 - self.done) * seconds / work if work > 0.01 and seconds > 1 else None

    def _part(self, stage: str) -> float:
        if stage in self._ended:
            return 1.0
        num_frames = self._frames.get(stage, 0)
        return min(1.0, self._done_frames[stage] / num_frames) if num_frames else 0.0
