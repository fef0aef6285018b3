"""What `veil deploy` is told: where runs are to be done, when, and who hears of those that fail."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from tasks.errors import BadSetting
from tasks.method import Method, Settings
from tasks.plan import Plan, load_values


class ProcessPools(Method):
    """Runs are processes of the machines on which workers are started."""

    method: Literal["process"] = "process"


class EcsPools(Method):
    """Runs are tasks in an ECS cluster of EC2 machines, some of them with GPUs."""

    method: Literal["ecs"] = "ecs"
    image: str = Field(min_length=1, description="with Veil in it, for user `user`, who owns /scratch there")
    region: str = Field(min_length=1, description="of AWS, that the cluster is in")
    cluster: str = Field(min_length=1, description="its name or ARN")
    gpu_capacity_provider: str = Field(min_length=1, description="of its machines with GPUs, for segments")
    capacity_provider: str = Field(min_length=1, description="of small machines, for what waits for segments")
    whole_videos_on_gpu: bool = Field(False, description="videos are not shared out in segments, and so have a GPU themselves")
    task_role_arn: str = Field(min_length=1, description="what a run may do: S3, and its key in KMS")
    execution_role_arn: str = Field(min_length=1, description="what ECS may do to start it: images, logs, secrets")
    auth_secret_arn: str | None = Field(None, description="secret with the user and password of Prefect's server")
    subnets: tuple[str, ...] = Field((), description="of the VPC, for a network address a task; without any, Docker's bridge")
    security_groups: tuple[str, ...] = ()
    gpus: int = Field(1, ge=1, le=16, description="a segment has")
    gpu_cpu_units: int = Field(4096, ge=128, description="a segment has; a core is 1024")
    gpu_memory_mib: int = Field(14336, ge=1024)
    cpu_units: int = Field(1024, ge=128, description="what waits has")
    memory_mib: int = Field(2048, ge=1024)
    user: str = Field("10001:10001", pattern=r"^[1-9]\d*:[1-9]\d*$", description="user and group that a run is; not root")
    log_group: str = Field("/veil", min_length=1, description="in CloudWatch")


Pools = Annotated[ProcessPools | EcsPools, Field(discriminator="method")]


class Nightly(Settings):
    """A folder that is looked through for new videos, at a time or every so often."""

    source: str = Field(min_length=1, description="a folder, or s3://BUCKET/PREFIX/")
    target: str = Field(min_length=1, description="another one")
    cron: str | None = Field("0 2 * * *", description="when: minute, hour, day, month, weekday")
    every_seconds: float | None = Field(None, gt=0, description="in place of cron")
    timezone: str = "UTC"
    share_out: bool = Field(False, description="each video is a run of its own")
    plan: Plan = Plan()

    @field_validator("timezone")
    @classmethod
    def _is_one(cls, value: str) -> str:
        if value not in available_timezones():
            raise PydanticCustomError("timezone", "there is no such timezone: write it as Europe/Oslo")
        return value


class DeploySettings(Settings):
    """What is left out stays as it is on the server, or has a default where nothing is there yet."""

    pools: Pools = ProcessPools()
    videos_at_once: int | None = Field(None, ge=2, description="runs of the pool for whole videos; a folder and its videos are two")
    segments_at_once: int | None = Field(None, ge=1, description="runs of the pool for segments")
    gpus: int | None = Field(None, ge=0, description="slots of the limit `gpu`: stages that use one wait for a slot")
    nightly: Nightly | None = None
    lost_after_seconds: int = Field(300, ge=60, description="a run without a sign of life for so long has lost its worker")
    notify: str | None = Field(None, pattern=r"^[a-z0-9-]+/[a-z0-9-]+$", description="TYPE/NAME of a notification block")


def settings_of(path: Path | None, assignments: list[str], said: dict[str, Any]) -> DeploySettings:
    """From a TOML file, `NAME=VALUE` texts, and what options say, later ones winning. Raises BadSetting."""
    values = load_values(path, assignments)
    both = {name: values[name] | value for name, value in said.items() if isinstance(value, dict) and isinstance(values.get(name), dict)}
    try:
        return DeploySettings.model_validate(values | said | both)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadSetting(place or "veil deploy", first["msg"][0].lower() + first["msg"][1:], fix="change that setting") from None
