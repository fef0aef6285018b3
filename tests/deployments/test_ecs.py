"""The pool on ECS, through Prefect's own worker, against a real server and a store of AWS's calls (moto's)."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deployments.ecs import job_template
from deployments.settings import DeploySettings, EcsPools
from tasks.s3.client import new_client

CLUSTER = "veil"
ROLE = "arn:aws:iam::123456789012:role/veil"
POOLS = EcsPools(
    image="registry.example/veil:1",
    region="us-east-1",
    cluster=CLUSTER,
    gpu_capacity_provider="gpu-spot",
    capacity_provider="small",
    task_role_arn=f"{ROLE}-run",
    execution_role_arn=f"{ROLE}-start",
    whole_videos_on_gpu=True,
    gpu_cpu_units=2048,
    gpu_memory_mib=4096,  # what the cluster's machine has
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
            run = await client.create_flow_run_from_deployment(
                deployment.id, parameters={"source": "s3://a/b.mp4", "target": "s3://c/d.mp4"}
            )
        async with ECSWorker(work_pool_name=pool) as worker:
            await worker.sync_with_backend()
            await worker.get_and_submit_flow_runs()
        return str(run.id)

    return asyncio.run(start())


def test_a_run_on_ecs(deployed: list[str], cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect_aws.workers.ecs_worker import ECSWorker

    from deployments.deploy import deploy

    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")  # as the worker needs it
    requests = list[dict[str, Any]]()
    really = ECSWorker._create_task_run
    monkeypatch.setattr(ECSWorker, "_create_task_run", lambda self, client, asked: requests.append(asked) or really(self, client, asked))
    try:
        asyncio.run(deploy(DeploySettings(pools=POOLS)))
        run = start_a_run("veil-ecs")
    finally:
        asyncio.run(deploy(DeploySettings()))

    (request,) = requests
    assert request["cluster"] == CLUSTER
    assert request["capacityProviderStrategy"] == [{"capacityProvider": "gpu-spot", "weight": 1, "base": 0}]
    assert "launchType" not in request, "AWS refuses both"
    (override,) = request["overrides"]["containerOverrides"]
    assert override["command"] == ["prefect", "flow-run", "execute"]
    given = {each["name"]: each["value"] for each in override["environment"]}
    assert given["PREFECT__FLOW_RUN_ID"] == run
    assert given["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"] == "30"

    definition = cluster.describe_task_definition(taskDefinition=request["taskDefinition"])["taskDefinition"]
    assert definition["requiresCompatibilities"] == ["EC2"]
    assert definition["networkMode"] == "bridge"
    assert definition["taskRoleArn"] == f"{ROLE}-run"
    assert definition["executionRoleArn"] == f"{ROLE}-start"
    assert [volume["name"] for volume in definition["volumes"]] == ["scratch"]
    (container,) = definition["containerDefinitions"]
    assert container["image"] == POOLS.image
    assert container["resourceRequirements"] == [{"type": "GPU", "value": "1"}]
    assert container["user"] == "10001:10001"
    assert container["readonlyRootFilesystem"] is True
    assert container["mountPoints"] == [{"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": False}]
    assert container["stopTimeout"] == 120
    assert container["linuxParameters"]["capabilities"]["drop"] == ["ALL"]
    assert container["logConfiguration"]["options"]["awslogs-group"] == "/veil"
    always = {each["name"]: each["value"] for each in container["environment"]}
    assert always["PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR"] == "reschedule"
    assert always["TMPDIR"] == always["HOME"] == "/scratch", "nothing else can be written to"

    (task,) = cluster.list_tasks(cluster=CLUSTER)["taskArns"]
    assert cluster.describe_tasks(cluster=CLUSTER, tasks=[task])["tasks"][0]["taskDefinitionArn"] == request["taskDefinition"]


@pytest.mark.parametrize(
    ("gpu", "changes", "gpus", "network"),
    [
        (True, {"gpus": 4}, "4", "bridge"),  # several, as a machine has
        (False, {}, None, "bridge"),  # what waits for segments holds none
        (True, {"subnets": ("subnet-1",), "security_groups": ("sg-1",)}, "1", "awsvpc"),  # an address of its own
    ],
)
def test_job_template(gpu: bool, changes: dict[str, Any], gpus: str | None, network: str) -> None:
    template = job_template(POOLS.model_copy(update=changes), gpu=gpu)
    job, fields = template["job_configuration"], template["variables"]["properties"]
    (container,) = job["task_definition"]["containerDefinitions"]
    assert [each["value"] for each in container.get("resourceRequirements", ())] == ([gpus] if gpus else [])
    assert job["task_definition"]["networkMode"] == network
    assert ("networkConfiguration" in job["task_run_request"]) == (network == "awsvpc")
    assert fields["capacity_provider_strategy"]["default"][0]["capacityProvider"] == ("gpu-spot" if gpu else "small")


@pytest.mark.parametrize(
    ("name", "whole_videos_on_gpu", "runner"),
    [
        ("blur-video", False, "deployments"),  # it waits where no GPU is
        ("blur-video", True, None),  # it has one itself
        ("process-segment", False, None),  # it is such a run
    ],
)
def test_on_ecs_segments_go_where_the_gpus_are(name: str, whole_videos_on_gpu: bool, runner: str | None) -> None:
    from deployments.deploy import _options, entries

    settings = DeploySettings(pools=POOLS.model_copy(update={"whole_videos_on_gpu": whole_videos_on_gpu}))
    (entry,) = (each for each in entries() if each["name"] == name)
    assert _options(entry, settings, None)["parameters"].get("plan", {}).get("runner", {}).get("method") == runner
    assert "plan" not in _options(entry, DeploySettings(), None)["parameters"]
