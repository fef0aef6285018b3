"""Runs the flow as the command does, in this process, with a store and a Prefect home of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows import environment
from tests.benchmarks.labelled import Task

if TYPE_CHECKING:
    from flows.report import BlurReport
    from tasks.plan import Plan


@dataclass(frozen=True, slots=True)
class Bench:
    """A place to run in. Made by `bench`."""

    results: Path
    import_seconds: float
    server_seconds: float
    api_url: str
    is_kept: bool
    """whether the store may know of runs before this one: what a run took is not told then"""

    def forget(self) -> None:
        """Empties the results store: the next run computes everything."""
        for path in self.results.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def run(self, source: Path, target: Path, plan: Plan) -> tuple[BlurReport, float]:
        """What the flow reports, and the seconds that it took. Raises the VeilError that the command would show."""
        from flows.blur_video import blur_video

        started = time.perf_counter()
        report = blur_video(source, target, plan, overwrite=True)
        return report, time.perf_counter() - started

    def export_boxes(self, source: Path, target: Path, plan: Plan) -> None:
        """What was followed in a run that is done, as a table."""
        from flows.export_video import export_video

        export_video(source, target, plan, overwrite=True, boxes=True)


def plan_for(task: Task, assignments: Sequence[str]) -> Plan:
    """The plan that the command makes of `--keep PHOTO`, `--only PHOTO` and `--set`."""
    from flows.cli import parser_of_words
    from flows.commands import plan_of

    words = ["blur", "VIDEO", "-o", "OUT", *(f"--set={each}" for each in assignments)]
    words += [f"--{task.policy}", str(task.photo)] if task.policy in ("keep", "only") else []
    return plan_of(parser_of_words().parse_args(words))


@contextmanager
def bench(kept_results: Path | None = None) -> Iterator[Bench]:
    """Starts Prefect's own server once, for all runs. Must be entered before Prefect is imported. A kept store is not removed."""
    with tempfile.TemporaryDirectory(prefix="veil-bench-", ignore_cleanup_errors=True) as folder:
        results = kept_results.absolute() if kept_results else Path(folder) / "results"
        results.mkdir(parents=True, exist_ok=True)
        os.environ.pop("PREFECT_API_URL", None)
        os.environ |= {"VEIL_RESULTS": str(results), "PREFECT_HOME": str(Path(folder) / "prefect")}
        environment.prepare()
        started = time.perf_counter()
        from prefect.server.api.server import SubprocessASGIServer

        import flows.blur_video
        import flows.commands  # noqa: F401 - timed

        imported = time.perf_counter()
        server = SubprocessASGIServer()  # the one that the flow would start: it is made once a process
        server.start()
        try:
            yield Bench(results, imported - started, time.perf_counter() - imported, server.api_url, kept_results is not None)
        finally:
            server.stop()
