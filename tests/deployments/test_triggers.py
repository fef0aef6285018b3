"""What starts runs, with a real server and a worker that runs them: a schedule, the API, Python, an upload; and a worker that dies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tasks.stores.settings import forget_settings
from tests.buckets import Bucket
from tests.clips import draw_folder, no_faces_script, two_people_script
from tests.conftest import use_store
from tests.deployments.conftest import created, deploy, deployment, process, server_on, wait_until
from tests.postgres import postgres

_SECONDS = 280.0  # until a run is done: two processes start for it, on a machine that may be busy


@pytest.fixture(scope="module")
def whole_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """In place of the one on SQLite that the other tests share."""
    home = tmp_path_factory.mktemp("server")
    with postgres(home) as database, server_on(database, home) as address:
        yield address


@pytest.fixture(scope="module")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of nobody."""
    return draw_folder(no_faces_script(), tmp_path_factory.mktemp("small"), size=(192, 108), frame_rate=Fraction(24)).video


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("shared") / "results"
    with pytest.MonkeyPatch.context() as patch:
        use_store(folder, patch)
        forget_settings()
        yield folder


@pytest.fixture
def worker(api: httpx.Client, store: Path, tmp_path: Path) -> Iterator[Path]:
    """A worker of the pool `veil`; its log. What other tests have left there to be run is not."""
    waiting = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED", "PENDING"]}}}}
    for run in api.post("/flow_runs/filter", json=waiting).json():
        api.delete(f"/flow_runs/{run['id']}")
    with started(tmp_path / "worker"):
        yield tmp_path / "worker"


def started(log: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
    return process([sys.executable, "-m", "prefect", "worker", "start", "--pool", "veil", "--type", "process"], log)


def run_until_done(api: httpx.Client, run: str, log: Path) -> dict[str, Any]:
    def ended() -> bool:
        return api.get(f"/flow_runs/{run}").json()["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")

    wait_until(ended, _SECONDS, f"run {run} ends: {log.read_text()[-2000:]}")
    return dict(api.get(f"/flow_runs/{run}").json())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_by_api_and_by_python(api: httpx.Client, worker: Path, small_clip: Path, tmp_path: Path) -> None:
    from prefect.deployments import run_deployment

    of = [tmp_path / "by-api.mp4", tmp_path / "by-python.mp4"]
    parameters = {"source": str(small_clip), "target": str(of[0])}
    ids = {created(api, parameters, idempotency_key="day 1").json()["id"] for _ in range(3)}
    assert len(ids) == 1, "whoever asks again gets the same run"
    by_python: Any = run_deployment("blur-video/blur-video", parameters={"source": str(small_clip), "target": str(of[1])}, timeout=0)

    for run in (*ids, str(by_python.id)):
        done = run_until_done(api, run, worker)
        assert done["state"]["type"] == "COMPLETED", worker.read_text()[-3000:]
        assert done["name"] == small_clip.name, "the file's name, not its path"
        assert {"veil", "blur-video"} <= set(done["tags"])
    assert all(path.is_file() for path in of)


@pytest.mark.slow  # half a minute: a worker of its own, and the schedule's next time
@pytest.mark.timeout(900)
def test_every_night(api: httpx.Client, worker: Path, small_clip: Path, tmp_path: Path) -> None:
    """The scheduler starts it, the worker runs it, each new video is a run of its own; a broken one stops no other."""
    source, target = tmp_path / "in", tmp_path / "out"
    for path in (source, target):
        path.mkdir()
    shutil.copy(small_clip, source / "day1.mp4")
    (source / "broken.mp4").write_text("no video")
    nightly = {"source": str(source), "target": str(target), "every_seconds": 5, "share_out": True}
    folder = deployment(api, "blur-folder")["id"]
    begun = {"deployments": {"id": {"any_": [folder]}}, "flow_runs": {"start_time": {"is_null_": False}}, "sort": "START_TIME_ASC"}
    deploy(nightly=nightly)
    try:
        wait_until(lambda: api.post("/flow_runs/filter", json=begun).json(), _SECONDS, "the scheduled run begins")
    finally:
        for each in deployment(api, "blur-folder")["schedules"]:
            api.delete(f"/deployments/{folder}/schedules/{each['id']}")
    run = api.post("/flow_runs/filter", json=begun).json()[0]["id"]
    first = run_until_done(api, run, worker)
    assert (target / "day1.mp4").is_file()
    assert first["auto_scheduled"]
    assert first["name"] == "in"
    assert "1 of 2 videos failed: broken.mp4" in first["state"]["message"]
    of_the_run = {"flow_runs": {"id": {"any_": [run]}}, "artifacts": {"key": {"any_": ["blur-folder"]}}}
    (table,) = api.post("/artifacts/filter", json=of_the_run).json()
    assert '"outcome": "blurred"' in table["data"]
    children = {"flow_runs": {"parent_flow_run_id": {"any_": [run]}}}
    assert [each["name"] for each in api.post("/flow_runs/filter", json=children).json()] == ["day1.mp4"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_an_upload_is_blurred(
    api: httpx.Client, deployed: list[str], store: Path, small_clip: Path, tmp_path: Path, bucket: Bucket
) -> None:
    """The service as it is started, by `veil watch`; SIGTERM ends it well."""
    from tasks.s3.client import new_client

    sqs = new_client("sqs")
    url = sqs.create_queue(QueueName="uploads")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bucket.client.put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    logs = tmp_path / "worker", tmp_path / "watch"
    with (
        started(logs[0]),
        process([sys.executable, "-m", "flows.cli", "watch", url, "--bucket", bucket.name, "-o", bucket.url("out/")], logs[1]) as watch,
    ):
        bucket.put("in/day1.mp4", small_clip.read_bytes())
        wait_until(lambda: "out/in/day1.mp4" in bucket.names(), _SECONDS, "the result is in the bucket")
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(60) == 0, logs[1].read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_goes_on_when_its_machine_is_gone(api: httpx.Client, deployed: list[str], store: Path, tmp_path: Path) -> None:
    """Worker and run are killed at once. The server hears nothing more, marks the run as crashed, schedules it again; another takes it."""
    deploy()
    clip = draw_folder(two_people_script(), tmp_path / "clip", size=(1280, 720), frame_rate=Fraction(24)).video
    slowly = {"find_faces": {"sampler": {"method": "every_frame"}}}
    run = created(api, {"source": str(clip), "target": str(tmp_path / "out.mp4"), "plan": slowly}).json()["id"]
    searching = {
        "flow_runs": {"id": {"any_": [run]}},
        "task_runs": {"name": {"like_": "find_faces"}, "state": {"name": {"any_": ["Running"]}}},
    }
    log = tmp_path / "log"
    with started(log) as worker:
        wait_until(lambda: api.post("/task_runs/filter", json=searching).json(), _SECONDS, "faces are searched", every=0.2)
        for process_id in children_of(worker.pid):
            os.kill(process_id, signal.SIGKILL)
    wait_until(lambda: api.get(f"/flow_runs/{run}").json()["state"]["name"] == "AwaitingRetry", 200, "the run is scheduled again")
    with started(log):
        done = run_until_done(api, run, log)
    assert done["state"]["type"] == "COMPLETED"
    assert done["run_count"] == 2
    assert (tmp_path / "out.mp4").is_file()


class Told(HTTPServer):
    """Somebody who is notified."""

    messages: list[str]


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Told)
        self.server.messages.append(self.rfile.read(int(self.headers["content-length"])).decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def told() -> Iterator[Told]:
    server = Told(("127.0.0.1", 0), _Takes)
    server.messages = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_failed_runs_are_told_and_crashed_ones_begin_again(api: httpx.Client, told: Told) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    block = CustomWebhookNotificationBlock(
        name="veil", url=f"http://127.0.0.1:{told.server_port}/", json_data={"text": "{{subject}}: {{body}}"}
    )
    block.save("told", overwrite=True, _sync=True)  # type: ignore[call-arg]
    deploy(notify="custom-webhook/told")

    def run_in(state: dict[str, str]) -> str:
        made = created(api, {"source": "/films/day1.mp4", "target": "/films/day1-blurred.mp4"}, name="day1.mp4")
        run = str(made.raise_for_status().json()["id"])
        for each in ({"type": "PENDING"}, {"type": "RUNNING"}, state):
            api.post(f"/flow_runs/{run}/set_state", json={"state": each, "force": True}).raise_for_status()
        return run

    run_in({"type": "FAILED", "message": "no such video"})
    crashed = run_in({"type": "CRASHED"})
    wait_until(lambda: api.get(f"/flow_runs/{crashed}").json()["state"]["name"] == "AwaitingRetry", 90, "a crashed run is scheduled again")
    wait_until(lambda: told.messages, 90, "somebody is told")
    (message,) = told.messages
    assert "day1.mp4 failed" in message
    assert "no such video" in message


def children_of(process_id: int) -> list[int]:
    """All of them, and theirs, and itself."""
    listed = [line.split() for line in subprocess.check_output(["ps", "-eo", "pid=,ppid="], text=True).splitlines()]
    found = [process_id]
    for parent in found:
        found += [int(pid) for pid, of in listed if int(of) == parent]
    return found
