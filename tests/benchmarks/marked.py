"""`python -m tests.benchmarks.marked FILE blur ...` is `veil blur ...`, and notes in FILE when it gets how far (see MARKS)."""

from __future__ import annotations

import sys
import time
from pathlib import Path

MARKS = ("flow's first stage", "source probed", "first frame done")


class Marker:
    """Listens to the stages, and notes when each of MARKS is first reached, in seconds of the system's monotonic clock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._noted: set[str] = set()

    def begin(self, stage: str, num_frames: int) -> None:
        self._note(MARKS[0])

    def end(self, stage: str, cached: bool) -> None:
        if stage == "probe_video":
            self._note(MARKS[1])

    def advance(self, stage: str, num_frames: int) -> None:
        self._note(MARKS[2])

    def _note(self, mark: str) -> None:
        if mark not in self._noted:
            self._noted.add(mark)
            with self._path.open("a") as file:
                file.write(f"{mark}\t{time.monotonic()}\n")


def read_marks(path: Path) -> dict[str, float]:
    """Seconds of the monotonic clock by mark."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {mark: float(seconds) for mark, _, seconds in (line.partition("\t") for line in lines)}


if __name__ == "__main__":
    from flows.cli import main
    from tasks import progress

    with progress.listening(Marker(Path(sys.argv[1]))):
        sys.exit(main(sys.argv[2:]))
