"""What `veil doctor` looks at on Prefect's server: that it answers, what `veil deploy` has made there, workers, and clocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import WorkerStatus, WorkPool
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from deployments.automations import AGAIN, LOST, STILLBORN
from deployments.checks import Check, Standing
from deployments.deploy import entries
from deployments.pools import GPU_LIMIT, SEGMENTS, WHOLE_VIDEOS
from tasks.stores.bucket import BucketBackend
from tasks.stores.settings import results_store, server_is_chosen

_DEPLOY = "run `veil deploy`"
_PATIENCE_SECONDS = 20.0
_CLOSE_SECONDS, _FAR_SECONDS = 10.0, 240.0  # S3 refuses what was signed 15 minutes ago; schedules and heartbeats need seconds


def server() -> Iterator[Check]:
    """All of them; one, where no server is chosen."""
    if not server_is_chosen():
        yield Check("server", "well", "the command's own, for the time of each run")
        return
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
        if problem is not None:
            yield Check("server", "mend", f"{client.api_url} does not answer ({problem})", "start it, or set PREFECT_API_URL to another")
            return
        yield from _versions(client)
        yield _clock("server", client.request("GET", "/health").headers.get("date"))
        yield from _pools(client)
        yield _gpu_limit(client)
        yield _deployments(client)
        yield _automations(client)


def store() -> Iterator[Check]:
    """The clock of a store in S3, and whether all workers share one."""
    backend = results_store()
    if isinstance(backend, BucketBackend):
        answer = backend._client.list_objects_v2(Bucket=backend.bucket, MaxKeys=1)
        yield _clock("S3", answer["ResponseMetadata"]["HTTPHeaders"].get("date"))
    elif server_is_chosen():
        fix = "where workers are on several machines: veil configure --results s3://BUCKET/PREFIX"
        yield Check("sharing", "look", "results are in a folder of this machine", fix)


def _versions(client: SyncPrefectClient) -> Iterator[Check]:
    import prefect

    there = client.api_version()
    same = there.split(".")[:2] == prefect.__version__.split(".")[:2]
    fix = "" if same else "install the same version on both: the newer of the two"
    yield Check("server", "well" if same else "look", f"{client.api_url}, Prefect {there}", fix)
    if client.api_url.scheme == "http" and client.api_url.host not in ("127.0.0.1", "localhost"):
        yield Check("server", "look", "is reached without encryption", "put it behind HTTPS")
    if httpx.get(f"{str(client.api_url).rstrip('/')}/admin/version", timeout=_PATIENCE_SECONDS).status_code == HTTPStatus.OK:
        problem = "asks for no password: whoever reaches it runs code on its workers"
        yield Check("server", "look", problem, "start it with PREFECT_SERVER_API_AUTH_STRING, and set PREFECT_API_AUTH_STRING elsewhere")


def _pools(client: SyncPrefectClient) -> Iterator[Check]:
    found = 0
    for name in (WHOLE_VIDEOS, SEGMENTS, f"{WHOLE_VIDEOS}-ecs", f"{SEGMENTS}-ecs"):
        try:
            pool = client.read_work_pool(name)
        except ObjectNotFound:
            continue
        found += 1
        yield _pool(client, pool)
    if not found:
        yield Check("work pools", "look", "there are none: nothing can be started from Prefect's UI", _DEPLOY)


def _pool(client: SyncPrefectClient, pool: WorkPool) -> Check:
    online = [worker for worker in client.read_workers_for_work_pool(pool.name) if worker.status == WorkerStatus.ONLINE]
    found = f"{len(online)} workers, {pool.concurrency_limit or 'any number of'} runs at once"
    if pool.is_paused:
        return Check(f"pool {pool.name}", "look", "is paused", f"prefect work-pool resume {pool.name}")
    if not online:
        return Check(f"pool {pool.name}", "look", found, f"prefect worker start --pool {pool.name}")
    return Check(f"pool {pool.name}", "well", found)


def _gpu_limit(client: SyncPrefectClient) -> Check:
    try:
        limit: Any = client.request("GET", "/v2/concurrency_limits/{id_or_name}", path_params={"id_or_name": GPU_LIMIT}).json()
    except PrefectHTTPStatusError as error:
        if error.response.status_code != HTTPStatus.NOT_FOUND:
            raise
        return Check(f"limit {GPU_LIMIT}", "look", "is not there: stages that use a GPU would fail", _DEPLOY)
    found = f"{limit['active_slots']} of {limit['limit']} slots taken"
    if not limit["active"]:
        return Check(f"limit {GPU_LIMIT}", "look", "is switched off: stages would share a GPU", f"prefect gcl enable {GPU_LIMIT}")
    return Check(f"limit {GPU_LIMIT}", "well", found)


def _deployments(client: SyncPrefectClient) -> Check:
    missing, paused = [], []
    for entry in entries():
        name = f"{entry['name']}/{entry['name']}"
        try:
            there = client.read_deployment_by_name(name)
        except ObjectNotFound:
            missing.append(entry["name"])
            continue
        if there.paused:
            paused.append(entry["name"])
    if missing:
        return Check("deployments", "look", f"missing: {', '.join(missing)}", _DEPLOY)
    if paused:
        return Check("deployments", "look", f"paused: {', '.join(paused)}", "resume them where that is no longer wanted")
    return Check("deployments", "well", f"{len(entries())}, all there")


def _automations(client: SyncPrefectClient) -> Check:
    listed: Any = client.request("POST", "/automations/filter", json={}).json()
    enabled = {each["name"] for each in listed if each["enabled"]}
    missing = [name for name in (LOST, STILLBORN, AGAIN) if name not in enabled]
    if missing:
        return Check("automations", "look", f"missing or off: {', '.join(missing)}", _DEPLOY)
    return Check("automations", "well", "runs whose worker dies begin again")


def _clock(whose: str, date: str | None) -> Check:
    if date is None:
        return Check(f"clock, {whose}", "look", "the answer has no time", "")
    apart = abs((parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds())
    standing: Standing = "mend" if apart > _FAR_SECONDS else "look" if apart > _CLOSE_SECONDS else "well"
    fix = "" if standing == "well" else f"set the clock of {os.uname().nodename} by a time server"
    return Check(f"clock, {whose}", standing, f"{apart:.0f} s apart", fix)
