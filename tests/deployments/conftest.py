"""Prefect's whole server, with its scheduler and automations, once for all tests here; and workers. All end with the tests."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.embedded_server import answers
from tasks.stores.settings import forget_settings


@contextmanager
def process(arguments: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, which ends as a whole; it holds nothing of pytest's open."""
    with log.open("ab") as output:
        started = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=os.environ | environment
        )
    try:
        yield started
    finally:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(started.pid, kind)
                started.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def wait_until(true: Callable[[], object], seconds: float, what: str, every: float = 0.5) -> None:
    """Fails with `what` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(every)


@contextmanager
def chosen(address: str) -> Iterator[None]:
    """This server is the one that is used, here and in subprocesses, whichever other one other tests have chosen."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with pytest.MonkeyPatch.context() as patch, temporary_settings({PREFECT_API_URL: address}):
        patch.setenv("PREFECT_API_URL", address)
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("no_proxy", "127.0.0.1")
        patch.setenv("PREFECT_WORKER_QUERY_SECONDS", "1")
        forget_settings()
        yield
    forget_settings()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server_on(database: str, home: Path) -> Iterator[str]:
    """Its address, once `veil deploy` has been there."""
    port = _free_port()
    quick = {
        "PREFECT_HOME": str(home),
        "PREFECT_API_DATABASE_CONNECTION_URL": database,
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "2",
        "PREFECT_SERVER_SERVICES_SCHEDULER_MIN_RUNS": "1",
        "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "2",
        "PREFECT_SERVER_SERVICES_TRIGGERS_PROACTIVE_GRANULARITY": "PT1S",
        "PREFECT_SERVER_UI_ENABLED": "false",
        "PREFECT_SERVER_DATABASE_TIMEOUT": "60",  # SQLite on a busy machine
    }
    arguments = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    address = f"http://127.0.0.1:{port}/api"
    with process(arguments, home / "log", **quick):
        wait_until(lambda: answers(port), 240, "Prefect's server answers")
        with chosen(address):
            deploy()
        yield address


@pytest.fixture(scope="session")
def whole_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("server")
    with server_on(f"sqlite+aiosqlite:///{home}/prefect.db", home) as address:
        yield address


@pytest.fixture
def deployed(whole_server: str) -> Iterator[list[str]]:
    """The server is the one that is used; the deployments' names."""
    from deployments.deploy import entries

    with chosen(whole_server):
        yield [f"{entry['name']}/{entry['name']}" for entry in entries()]


class Patient(httpx.HTTPTransport):
    """Asks again when the server says that it is busy, as Prefect's own clients do."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(20):
            answer = super().handle_request(request)
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        return answer


@pytest.fixture
def api(deployed: list[str], whole_server: str) -> Iterator[httpx.Client]:
    """The server's API, as anybody can use it."""
    with httpx.Client(base_url=whole_server, timeout=180, transport=Patient()) as client:
        yield client


def deploy(**settings: Any) -> None:
    """As `veil deploy` does it, onto the server that is used."""
    from deployments.deploy import deploy
    from deployments.settings import DeploySettings

    asyncio.run(deploy(DeploySettings.model_validate({"lost_after_seconds": 60, **settings})))


def deployment(api: httpx.Client, name: str) -> dict[str, Any]:
    return dict(api.get(f"/deployments/name/{name}/{name}").raise_for_status().json())


def created(api: httpx.Client, parameters: dict[str, Any], **more: Any) -> httpx.Response:
    """The answer to whoever wants a run of `blur-video`."""
    return api.post(f"/deployments/{deployment(api, 'blur-video')['id']}/create_flow_run", json={"parameters": parameters, **more})
