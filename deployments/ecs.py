"""The job template of a work pool whose runs are tasks in an ECS cluster: as little as it takes, on machines that may be taken away."""

from __future__ import annotations

from typing import Any

from deployments.settings import EcsPools

SCRATCH = "/scratch"
CONTAINER = "veil"
_STOP_SECONDS = 120  # the most that ECS gives, and what is left when a spot machine is reclaimed
_ENVIRONMENT = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "PREFECT_HOME": f"{SCRATCH}/prefect",
    "PYTHONDONTWRITEBYTECODE": "1",
    "DO_NOT_TRACK": "1",
    # A machine that is taken away ends its tasks first; such a run is put back in the queue, and goes on with the segment at which it was.
    "PREFECT_FLOW_RUN_EXECUTE_SIGTERM_BEHAVIOR": "reschedule",
}


def job_template(pools: EcsPools, *, gpu: bool) -> dict[str, Any]:
    """Prefect's own for ECS, with its form; with `gpu` for the capacity that has some."""
    from prefect_aws.workers.ecs_worker import ECSWorker

    template = ECSWorker.get_default_base_job_template()
    fields, job = template["variables"]["properties"], template["job_configuration"]
    provider = pools.gpu_capacity_provider if gpu else pools.capacity_provider
    defaults: dict[str, object] = {
        "aws_credentials": {"region_name": pools.region},  # whose they are, the worker's environment says
        "image": pools.image,
        "cluster": pools.cluster,
        "container_name": CONTAINER,
        "launch_type": "EC2",
        "capacity_provider_strategy": [{"capacityProvider": provider, "weight": 1, "base": 0}],
        "cpu": pools.gpu_cpu_units if gpu else pools.cpu_units,
        "memory": pools.gpu_memory_mib if gpu else pools.memory_mib,
        "task_role_arn": pools.task_role_arn,
        "execution_role_arn": pools.execution_role_arn,
        "prefect_api_auth_string_secret_arn": pools.auth_secret_arn,
        "configure_cloudwatch_logs": True,
        "cloudwatch_logs_options": {"awslogs-group": pools.log_group},
        "match_latest_revision_in_family": True,
        "family": "veil-gpu" if gpu else "veil",
    }
    for name, value in defaults.items():
        fields[name]["default"] = value
    job["task_definition"] |= _task(pools, gpus=pools.gpus if gpu else 0)
    if pools.subnets:
        network = {"subnets": list(pools.subnets), "securityGroups": list(pools.security_groups), "assignPublicIp": "DISABLED"}
        job["task_run_request"]["networkConfiguration"] = {"awsvpcConfiguration": network}
    job["task_run_request"]["propagateTags"] = "TASK_DEFINITION"
    return template


def _task(pools: EcsPools, *, gpus: int) -> dict[str, Any]:
    container = {
        "name": "{{ container_name }}",
        "image": "{{ image }}",
        "essential": True,
        "user": pools.user,
        "readonlyRootFilesystem": True,
        "privileged": False,
        "dockerSecurityOptions": ["no-new-privileges"],
        "linuxParameters": {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}},
        "mountPoints": [{"sourceVolume": "scratch", "containerPath": SCRATCH, "readOnly": False}],
        "stopTimeout": _STOP_SECONDS,
        "environment": [{"name": name, "value": value} for name, value in _ENVIRONMENT.items()],
    }
    if gpus:
        container["resourceRequirements"] = [{"type": "GPU", "value": str(gpus)}]
    return {
        "containerDefinitions": [container],
        "requiresCompatibilities": ["EC2"],
        "networkMode": "awsvpc" if pools.subnets else "bridge",
        "taskRoleArn": "{{ task_role_arn }}",
        "volumes": [{"name": "scratch", "host": {}}],  # a new one a task, gone with it
    }
