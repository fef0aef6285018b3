"""The pool on ECS, through Prefect's own worker, against a real server and a store of AWS's calls (moto's)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deployments.settings import DeploySettings, EcsPools
from tasks.s3.client import new_client

CLUSTER = "veil"
ROLE = "arn:aws:iam::123456789012:role/veil"
POOLS = EcsPools(
    image="registry.example/veil:1",
    cluster=CLUSTER,
    gpu_capacity_provider="gpu-spot",
    capacity_provider="small",
    task_role_arn=f"{ROLE}-run",
    execution_role_arn=f"{ROLE}-start",
    whole_videos_on_gpu=True,
)


@pytest.fixture
def cluster(store_address: str, bucket: object) -> Any:
    """A cluster of one machine with room for a run."""
    ec2, ecs = new_client("ec2"), new_client("ecs")
    ecs.create_cluster(clusterName=CLUSTER)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    machine = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="g4dn.xlarge")["Instances"][0]["InstanceId"]
    ecs.register_container_instance(cluster=CLUSTER, instanceIdentityDocument=json.dumps({"instanceId": machine}))
    return ecs


def start_a_run(pool: str) -> str:
    """Through the worker as `prefect worker start` runs it; returns the flow run's id."""
    from prefect.client.orchestration import get_client
    from prefect_aws.workers.ecs_worker import ECSWorker

    async def start() -> str:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name("blur-video/blur-video")
            run = await client.create_flow_run_from_deployment(deployment.id, parameters={"source": "s3://a/b.mp4", "target": "s3://c/d.mp4"})
        async with ECSWorker(work_pool_name=pool) as worker:
            await worker.sync_with_backend()
            await worker.get_and_submit_flow_runs()
        return str(run.id)

    return asyncio.run(start())


def test_a_run_on_ecs(deployed: list[str], cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deployments.deploy import deploy

    monkeypatch.setenv("PREFECT_INTEGRATIONS_AWS_ECS_OBSERVER_ENABLED", "false")
    asked = list[dict[str, Any]]()
    from prefect_aws.workers.ecs_worker import ECSWorker

    really = ECSWorker._create_task_run
    monkeypatch.setattr(ECSWorker, "_create_task_run", lambda self, client, request: asked.append(request) or really(self, client, request))
    try:
        asyncio.run(deploy(DeploySettings(pools=POOLS)))
        run = start_a_run("veil-ecs")
    finally:
        asyncio.run(deploy(DeploySettings()))

    (request,) = asked
    print(json.dumps(request, indent=1, default=str))
    definition = cluster.describe_task_definition(taskDefinition=request["taskDefinition"])["taskDefinition"]
    print(json.dumps(definition, indent=1, default=str))
    assert run == 0
