"""Where the segments of a video are worked on. The results are the same to the byte."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tasks.method import Method


class _Runner(Method):
    gpu_limit: str = Field(
        "", description="name of a concurrency limit on Prefect's server, of which a segment holds a slot while it is worked on"
    )


class Threads(_Runner):
    """In the process of the flow itself, several side by side where there are cores enough."""

    method: Literal["threads"] = "threads"


class Dask(_Runner):
    """On the workers of a Dask cluster (`pip install 'veil[dask]'`), which see the source and the results store as this machine does."""

    method: Literal["dask"] = "dask"
    address: str = Field("", description="of the scheduler, such as tcp://10.0.0.1:8786; without one a cluster is started on this machine")


class Deployments(_Runner):
    """Each as a run of the flow `process-segment` on a work pool of Prefect's, whose workers see the source and the results store."""

    method: Literal["deployments"] = "deployments"
    deployment: str = Field("process-segment/process-segment", pattern="^[^/]+/[^/]+$", description="FLOW/DEPLOYMENT")
    work_queue: str = Field("", description="queue of the work pool; without one the deployment's own")
    tries: int = Field(3, ge=1, le=20, description="how often a segment is submitted whose runs crash, are lost or are cancelled")
    lost_seconds: float = Field(
        600,
        ge=10,
        description="a run that gave no sign of life for so long is lost; flows give one every three minutes unless told otherwise",
    )
    straggler_factor: float = Field(
        4, gt=1, description="a run that takes so many times as long for a frame as its siblings gets a twin; the first result wins"
    )
    straggler_seconds: float = Field(120, ge=1, description="and has taken so long at least")
    poll_seconds: float = Field(15, ge=0.1, description="the server is asked this often at most, and more often in the beginning")


def _by_name(value: Any) -> Any:
    return {"method": value} if isinstance(value, str) else value


Runner = Annotated[Annotated[Threads | Dask | Deployments, Field(discriminator="method")], BeforeValidator(_by_name)]
"""A name alone is enough: `runner = "dask"`."""

HERE = Threads()
