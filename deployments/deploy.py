"""`veil deploy`: makes pools, limits, deployments and automations on Prefect's server, or brings them up to date; as often as one likes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.flows import load_flow_from_entrypoint
from prefect.schedules import Cron, Interval
from prefect.types.entrypoint import EntrypointType

from deployments.automations import make_automations
from deployments.forms import form_of
from deployments.pools import make_pools, pool_name
from deployments.settings import DeploySettings, EcsPools, Nightly

FILE = Path(__file__).with_name("prefect.yaml")
NIGHTLY = "nightly"
_FOLDER = "blur-folder"
_OF_SEGMENTS = ("blur-video", _FOLDER, "find-people")


def entries() -> list[dict[str, Any]]:
    """The deployments of `prefect.yaml` whose flows are there."""
    listed: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["deployments"]
    return [entry for entry in listed if importlib.util.find_spec(entry["entrypoint"].rpartition(".")[0])]


async def deploy(settings: DeploySettings) -> list[str]:
    """Returns the deployments' names, FLOW/DEPLOYMENT. Raises BadSetting for a pool or block that is not as it should be.

    What somebody changed on the server stays, as far as `settings` say nothing of it: schedules, parameters, pauses, limits.
    """
    async with get_client() as client:
        pools = await make_pools(client, settings)
        flows: dict[str, Flow[..., Any]] = {}
        for entry in entries():
            flows[entry["name"]] = load_flow_from_entrypoint(entry["entrypoint"], use_placeholder_flow=False)
        await make_automations(client, settings, [flow.name for flow in flows.values()], pools)
        names = []
        for entry in entries():
            flow = flows[entry["name"]]
            names.append(f"{flow.name}/{entry['name']}")
            deployment = RunnerDeployment.from_flow(flow, **_options(entry, settings, await _there(client, names[-1])))
            deployment._parameter_openapi_schema = form_of(flow)
            await deployment.apply()  # type: ignore[misc]
    return names


async def _there(client: PrefectClient, name: str) -> DeploymentResponse | None:
    try:
        return await client.read_deployment_by_name(name)
    except ObjectNotFound:
        return None


def _options(entry: dict[str, Any], settings: DeploySettings, there: DeploymentResponse | None) -> dict[str, Any]:
    nightly = settings.nightly if entry["name"] == _FOLDER else None
    kept = [
        DeploymentScheduleCreate(schedule=each.schedule, active=each.active, parameters=each.parameters, slug=each.slug)
        for each in (there.schedules if there else ())
        if not (nightly and each.slug == NIGHTLY)
    ]
    pool = entry["work_pool"]
    return {
        **{name: entry[name] for name in ("name", "description", "tags")},
        "entrypoint_type": EntrypointType.MODULE_PATH,
        "concurrency_limit": entry.get("concurrency_limit"),
        "work_pool_name": pool_name(pool["name"], settings.pools),
        "job_variables": pool["job_variables"],
        "parameters": entry.get("parameters", {}) | _shared_out(entry["name"], settings) | (there.parameters if there else {}),
        "paused": there.paused if there else False,
        "schedules": [*kept, *([_schedule(nightly)] if nightly else [])],
    }


def _shared_out(name: str, settings: DeploySettings) -> dict[str, Any]:
    """On ECS whole videos wait on machines without a GPU, unless it is said otherwise: their segments are runs on those that have one."""
    pools = settings.pools
    shares = name in _OF_SEGMENTS and isinstance(pools, EcsPools) and not pools.whole_videos_on_gpu
    return {"plan": {"runner": {"method": "deployments"}}} if shares else {}


def _schedule(nightly: Nightly) -> Any:
    asked = {
        "source": nightly.source,
        "target": nightly.target,
        "share_out": nightly.share_out,
        "plan": nightly.plan.model_dump(mode="json"),
    }
    if nightly.every_seconds:
        return Interval(nightly.every_seconds, timezone=nightly.timezone, parameters=asked, slug=NIGHTLY)
    return Cron(str(nightly.cron), timezone=nightly.timezone, parameters=asked, slug=NIGHTLY)
