"""Runs that are started again when their worker died, and those of them that will never end otherwise."""

from __future__ import annotations

from tasks.errors import VeilError

MOST = 10


class LostTooOften(VeilError):
    """A run that takes its worker with it, whichever that is."""


def check_beginnings() -> None:
    """Raises LostTooOften in a run that was begun over and over: Prefect starts crashed runs again without counting them."""
    from prefect.runtime import flow_run

    if (flow_run.run_count or 0) > MOST:
        problem = f"was begun {MOST} times and never came to an end"
        raise LostTooOften(f"run {flow_run.name}", problem, fix="see the workers' logs: a machine may have too little memory")
