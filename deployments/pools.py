"""Work pools, how much of each may run at once, and the limit that guards GPUs."""

from __future__ import annotations

from typing import Any

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound

from deployments.ecs import job_template
from deployments.settings import DeploySettings, EcsPools, Pools
from flows.job import segments_at_once
from tasks.errors import BadSetting

WHOLE_VIDEOS, SEGMENTS = "veil", "veil-segments"
GPU_LIMIT = "gpu"
_VIDEOS_AT_ONCE = 4
_ABOUT = {
    WHOLE_VIDEOS: "Veil: whole videos and folders",
    SEGMENTS: "Veil: segments of videos",
}


def pool_name(name: str, pools: Pools) -> str:
    """What a pool of `prefect.yaml` is called where runs are done by `pools`: its type cannot be changed, so each way has its own."""
    return f"{name}-ecs" if isinstance(pools, EcsPools) else name


async def make_pools(client: PrefectClient, settings: DeploySettings) -> list[str]:
    """Makes what is not there, and brings the rest up to date; returns the pools' names. Raises BadSetting."""
    await _make_gpu_limit(client, settings.gpus)
    names = []
    for name, wanted, most in (
        (WHOLE_VIDEOS, settings.videos_at_once, _VIDEOS_AT_ONCE),
        (SEGMENTS, settings.segments_at_once, segments_at_once()),
    ):
        names.append(pool_name(name, settings.pools))
        await _make_pool(client, names[-1], settings.pools, (wanted, most), segments=name == SEGMENTS)
    return names


async def _make_pool(client: PrefectClient, name: str, pools: Pools, at_once: tuple[int | None, int], *, segments: bool) -> None:
    wanted, most = at_once
    about = _ABOUT[SEGMENTS if segments else WHOLE_VIDEOS]
    template: dict[str, Any] = {}  # Prefect's own, which somebody may have changed since
    if isinstance(pools, EcsPools):
        template = {"base_job_template": job_template(pools, gpu=segments or pools.whole_videos_on_gpu)}
    try:
        there = await client.read_work_pool(name)
    except ObjectNotFound:
        pool = WorkPoolCreate(name=name, type=pools.method, description=about, concurrency_limit=wanted or most, **template)
        await client.create_work_pool(pool)
        return
    if there.type != pools.method:
        problem = f"is there already, for runs of the type {there.type}"
        raise BadSetting(f"work pool {name}", problem, fix=f"delete it: prefect work-pool delete {name}")
    changed = template | ({"concurrency_limit": wanted} if wanted else {})
    if changed:
        await client.update_work_pool(name, WorkPoolUpdate(**changed))


async def _make_gpu_limit(client: PrefectClient, gpus: int | None) -> None:
    """Stages take its slots strictly: without the limit they fail rather than share a GPU."""
    if gpus is None:
        try:
            await client.read_global_concurrency_limit_by_name(GPU_LIMIT)
            return
        except ObjectNotFound:
            gpus = 1
    await client.upsert_global_concurrency_limit_by_name(GPU_LIMIT, gpus)
