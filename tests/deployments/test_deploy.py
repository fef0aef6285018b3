"""What `veil deploy` makes, on a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments.settings import settings_of
from tasks.errors import BadSetting
from tasks.plan import Plan
from tests.deployments.conftest import created, deploy, deployment

OF_A_VIDEO = {"source": "/films/day1.mp4", "target": "/films/day1-blurred.mp4"}


def test_all_are_there(deployed: list[str], api: httpx.Client) -> None:
    assert {"blur-video/blur-video", "blur-folder/blur-folder", "find-people/find-people"} <= set(deployed)
    for name in deployed:
        there = deployment(api, name.partition("/")[0])
        assert there["enforce_parameter_schema"]
        assert "veil" in there["tags"]
        assert there["work_pool_name"] in ("veil", "veil-segments")
    assert api.get("/work_pools/veil").json()["type"] == "process"
    assert api.get("/work_pools/veil").json()["concurrency_limit"] == 4
    assert api.get("/v2/concurrency_limits/gpu").json()["limit"] == 1
    assert deployment(api, "blur-folder")["global_concurrency_limit"]["limit"] == 1


def test_again_changes_nothing_that_was_not_said(api: httpx.Client) -> None:
    before = deployment(api, "blur-folder")
    api.patch("/work_pools/veil", json={"concurrency_limit": 7})
    api.patch(f"/deployments/{before['id']}", json={"paused": True, "parameters": {"overwrite": True}})
    schedule = {"schedule": {"cron": "0 4 * * 6", "timezone": "UTC"}, "active": False, "slug": "by-hand"}
    api.post(f"/deployments/{before['id']}/schedules", json=[schedule]).raise_for_status()
    deploy(nightly={"source": "/in", "target": "/out", "timezone": "Europe/Oslo"})
    deploy(gpus=2)
    after = deployment(api, "blur-folder")
    assert after["id"] == before["id"]
    assert after["paused"]
    assert after["parameters"] == {"overwrite": True}
    assert api.get("/work_pools/veil").json()["concurrency_limit"] == 7
    assert api.get("/v2/concurrency_limits/gpu").json()["limit"] == 2
    slugs = {each["slug"]: each for each in after["schedules"]}
    assert slugs.keys() == {"by-hand", "nightly"}
    assert not slugs["by-hand"]["active"]
    assert slugs["nightly"]["schedule"] | {"cron": "0 2 * * *", "timezone": "Europe/Oslo"} == slugs["nightly"]["schedule"]
    names = [each["name"] for each in api.post("/automations/filter", json={}).json()]
    assert {"veil: lost runs", "veil: runs that did not begin", "veil: lost runs begin again"} <= set(names)
    assert len(names) == len(set(names)), "none was made twice"
    for each in after["schedules"]:
        api.delete(f"/deployments/{before['id']}/schedules/{each['id']}")
    api.patch(f"/deployments/{before['id']}", json={"paused": False, "parameters": {}})
    deploy(videos_at_once=4, gpus=1)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"source": "/films/day1.mp4"}, "'target' is a required property"),  # something is missing
        ({**OF_A_VIDEO, "plam": {}}, "'plam' was unexpected"),  # a misspelt parameter
        ({**OF_A_VIDEO, "plan": {"sgment_seconds": 9}}, "'sgment_seconds' was unexpected"),  # a misspelt setting
        ({**OF_A_VIDEO, "plan": {"segment_seconds": 0}}, "less than the minimum"),  # out of bounds
        ({**OF_A_VIDEO, "plan": {"preset": "quick"}}, "is not one of"),  # no such choice
        ({**OF_A_VIDEO, "plan": {"blur_faces": {"blur": {"method": "blurry"}}}}, "not valid under any"),  # no such method
        ({**OF_A_VIDEO, "plan": {"blur_faces": {"blur": {"expand": 0.1}}}}, "not valid under any"),  # which method is not said
        ({**OF_A_VIDEO, "plan": {"blur_faces": {"blur": {"method": "solid", "tiles": 4}}}}, "not valid under any"),  # another's setting
        ({**OF_A_VIDEO, "overwrite": "perhaps"}, "is not of type"),
    ],
)
def test_wrong_input_is_refused_before_a_run_starts(api: httpx.Client, parameters: dict[str, Any], said: str) -> None:
    before = api.post("/flow_runs/count", json={}).json()
    answer = created(api, parameters)
    assert answer.status_code in (409, 422)
    assert said in answer.json()["detail"]
    assert api.post("/flow_runs/count", json={}).json() == before


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"preset": "fast"},
        {"blur_faces": {"blur": {"method": "solid"}}},
        {"find_faces": {"detector": None, "recogniser": None, "sampler": None}},  # as a form that nobody touched says it
        Plan().model_dump(mode="json"),  # as another run passes it on
    ],
)
def test_right_input_is_taken(api: httpx.Client, plan: dict[str, Any]) -> None:
    answer = created(api, {**OF_A_VIDEO, "plan": plan}, idempotency_key=f"films/day1 {json.dumps(plan)}")
    assert answer.status_code == 201
    again = created(api, {**OF_A_VIDEO, "plan": plan}, idempotency_key=f"films/day1 {json.dumps(plan)}")
    assert again.json()["id"] == answer.json()["id"], "the same key starts no other run"
    Plan.model_validate(plan)


def test_the_form(api: httpx.Client) -> None:
    """Choices, defaults, bounds and help, as the UI makes fields of them."""
    schema = deployment(api, "blur-video")["parameter_openapi_schema"]
    assert "oneOf" not in json.dumps(schema), "one of the two UIs shows it as JSON"
    fields = schema["properties"]
    assert list(fields) == ["source", "target", "plan", "overwrite"]
    assert all(field["description"] for field in fields.values())
    plan = schema["definitions"]["Plan"]["properties"]
    assert plan["preset"]["enum"][:3] == ["fast", "balanced", "best"]
    assert plan["segment_seconds"] | {"minimum": 1, "default": 300} == plan["segment_seconds"]
    blur = schema["definitions"]["BlurFaces"]["properties"]["blur"]
    names = [choice["$ref"].rpartition("/")[2] for choice in blur["anyOf"]]
    assert names == ["Pixelate", "Round", "Square", "Solid", "NoBlur"]
    assert schema["definitions"]["Solid"]["properties"]["method"]["const"] == "solid"
    detector = schema["definitions"]["FindFaces"]["properties"]["detector"]
    assert detector["anyOf"][0]["type"] == "null"
    assert fields["plan"]["default"]["find_faces"]["detector"] is None, "or a preset that is chosen in the form would change nothing"


def test_a_preset_decides_what_a_form_leaves_open() -> None:
    of_a_form = Plan().model_dump(mode="json") | {"preset": "fast"}
    of_a_form["find_faces"] |= dict.fromkeys(["detector", "recogniser", "sampler"])
    assert Plan.model_validate(of_a_form) == Plan.model_validate({"preset": "fast"})


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (["pools.method=ec2"], "pools"),  # no such way
        (["pools.method=ecs"], "pools.ecs.image"),  # what has no default
        (["videos_at_once=1"], "videos_at_once"),  # a folder would wait for its own videos
        (["nightly.source=/in"], "nightly.target"),  # half a schedule
        (["nightly.source=/in", "nightly.target=/out", "nightly.timezone=Oslo"], "nightly.timezone"),
        (["notify=slack"], "notify"),  # no type
    ],
)
def test_settings_that_are_none(said: list[str], problem: str) -> None:
    with pytest.raises(BadSetting) as raised:
        settings_of(None, said, {})
    assert raised.value.subject == problem


def test_a_block_that_is_not_there(deployed: list[str]) -> None:
    with pytest.raises(BadSetting, match="is not on Prefect's server"):
        deploy(notify="slack-webhook/nobody")


@pytest.mark.slow
def test_prefect_yaml_does_the_same(api: httpx.Client, deployed: list[str], tmp_path: Path) -> None:
    from deployments.deploy import FILE, entries

    names = [entry["name"] for entry in entries()]
    said = ["name", "description", "tags", "entrypoint", "pull_steps", "work_pool_name", "job_variables", "enforce_parameter_schema"]
    before = [deployment(api, name) for name in names]
    chosen = [word for name in names for word in ("-n", name)]
    try:
        with (tmp_path / "log").open("wb") as log:
            command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", *chosen, "--prefect-file", str(FILE)]
            subprocess.run(command, check=True, timeout=280, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        after = [deployment(api, name) for name in names]
    finally:
        deploy()
    for each in (*before, *after):
        each["pull_steps"] = each["pull_steps"] or []  # none at all, or an empty list once `prefect deploy` has been there
    assert [{key: each[key] for key in said} for each in after] == [{key: each[key] for key in said} for each in before]
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert deployment(api, "blur-folder")["global_concurrency_limit"]["limit"] == 1
