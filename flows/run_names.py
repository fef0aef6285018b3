"""By what flow runs are found again in Prefect: the video's name, and tags."""

from __future__ import annotations

from collections.abc import Iterable

from flows.local_database import local_database, overwrite_deleted
from tasks.video.locations import name_of

FACES = "shows-faces"
"""tag of a run of which faces are in Prefect's database"""


def named_after_source() -> str:
    """A flow run's name: that of the video's file or folder, for where it lies is nobody's business."""
    from prefect.runtime import flow_run

    return name_of(str(flow_run.parameters["source"])) or str(flow_run.parameters["source"])


def video_tag(source_sha256: str) -> str:
    """The tag of all runs about a video."""
    return f"video:{source_sha256[:12]}"


def faces_are_gone() -> None:
    """To be called once faces were deleted from Prefect's database: this run no longer says that it shows some."""
    if (database := local_database()) is not None:
        overwrite_deleted(database, patience_seconds=5)  # else it is done the next time that something is forgotten
    tag_run(without=[FACES])


def tag_run(*tags: str, without: Iterable[str] = ()) -> None:
    """Gives this flow run some tags, and takes others from it."""
    from prefect.client.orchestration import get_client
    from prefect.context import FlowRunContext

    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    run = context.flow_run
    wanted = (set(run.tags) | set(tags)) - set(without)
    if wanted != set(run.tags):
        with get_client(sync_client=True) as client:
            client.update_flow_run(run.id, tags=sorted(wanted))
        run.tags = sorted(wanted)
