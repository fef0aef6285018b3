"""`veil explain`: of each stage of a job, whether its result was known, why not where it was not, what it took, and its key."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows.job_record import JobRecord, find_job, latest
from flows.request import check_source
from tasks.errors import BadSetting
from tasks.video.locations import absolute, is_s3

_FILE_COLUMNS = 200


def explain(options: argparse.Namespace) -> None:
    """Raises BadSetting for a job that is not known, and BadVideo for a source that does not open."""
    job = _job(options.job)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_COLUMNS)
    lasted = f", {(job.ended - job.started).total_seconds():.1f} s" if job.ended else ""
    console.print(f"{job.name}: {job.outcome}{lasted}, begun {job.started.astimezone():%Y-%m-%d %H:%M:%S}", markup=False)
    console.print(f"flow run {job.flow_run_id}, source {job.source_sha256}", markup=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stage", "parts"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold")
    for name in ("seconds", "bytes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("key", overflow="fold")
    for note in job.stages:
        known = "cached" if note.num_cached == len(note.keys) else f"run {len(note.keys) - note.num_cached} of {len(note.keys)}"
        keys = "\n".join(
            note.keys if options.keys else [*note.keys[:1], *([f"and {len(note.keys) - 1} more"] if len(note.keys) > 1 else [])]
        )
        table.add_row(note.stage, known, note.why, f"{note.seconds:.2f}", f"{note.num_bytes:,}", keys)
    console.print(table)


def _job(word: str) -> JobRecord:
    if not is_s3(word) and not Path(word).exists():
        return find_job(word)
    job = latest(check_source(absolute(word)).content_hash())
    if job is None:
        raise BadSetting(f"job {word}", "there was none about this video in this results store", fix="run `veil blur` first")
    return job
