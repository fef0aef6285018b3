"""What flow runs are called in Prefect's UI."""

from __future__ import annotations

from tasks.video.locations import name_of


def named_after_source() -> str:
    """The name of the video's file: its path may say more than everybody should read, and is among the parameters."""
    from prefect.runtime import flow_run

    return name_of(str(flow_run.parameters["source"])) or str(flow_run.parameters["source"])
