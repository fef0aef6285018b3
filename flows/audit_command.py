"""`veil audit`: what was decided and what was forgotten."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from flows.audit import AuditLine, mark_of, read_lines
from flows.request import check_source
from tasks.video.locations import absolute

_FILE_COLUMNS = 160
_WHOLE_HASH = 64


def audit(options: argparse.Namespace) -> None:
    """Raises BadVideo for a source that does not open."""
    lines = list(read_lines())
    if options.video is not None:
        mark = mark_of(_hash_of(options.video))
        lines = [line for line in lines if line.video == mark]
    if options.json:
        sys.stdout.writelines(f"{line.model_dump_json(exclude_none=True)}\n" for line in lines)
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_COLUMNS)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("time", "by", "event", "video", "what", "flow run"):
        table.add_column(name, overflow="fold")
    for line in lines:
        table.add_row(f"{line.time.astimezone():%Y-%m-%d %H:%M:%S}", line.by, line.event, line.video, _what(line), line.flow_run)
    console.print(table)


def _hash_of(video: str) -> str:
    if len(video) == _WHOLE_HASH and not Path(video).exists():
        return video
    return check_source(absolute(video)).content_hash()


def _what(line: AuditLine) -> str:
    if line.event == "deleted":
        return f"{line.why}: {sum((line.counts or {}).values())} results" if line.counts is not None else str(line.why)
    return f"person {line.person} {line.decision}{' (unsure)' if line.unsure else ''}, {line.policy}"
