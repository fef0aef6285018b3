"""`veil doctor`: what is not as it should be here, in the results store and on Prefect's server, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from deployments.checks import Check, checked, machine
from flows import environment

_FILE_COLUMNS = 200
_SAID = {"well": "[green]well[/]", "look": "[yellow]look[/]", "mend": "[red]mend[/]"}
TO_BE_MENDED = 1


def doctor() -> int:
    """Returns the exit status: 1 where something has to be mended."""
    environment.prepare()
    from deployments.server_checks import server, store  # Prefect takes seconds to load

    found = [*machine(), *checked("server", server), *checked("results", store)]
    show(found)
    return TO_BE_MENDED if any(check.standing == "mend" for check in found) else 0


def show(checks: Iterable[Check]) -> None:
    """A line each, in words that a program can look for too."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_FILE_COLUMNS)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("is", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("found", overflow="fold")
    table.add_column("to do", overflow="fold")
    for check in checks:
        table.add_row(_SAID[check.standing], check.what, check.found.replace("[", r"\["), check.fix.replace("[", r"\["))
    console.print(table)
