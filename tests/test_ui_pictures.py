"""Prefect's own pages in a real browser: the form of a deployment, a run that asks, its answer, and what a finished run shows.

A server, a worker and Chromium, as an operator has them. The pictures go to tests/pictures; the faces are the drawn clip's, which are
in the public domain.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.clips import Clip

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(__file__).parent / "pictures"
SECONDS = 400.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3 * SECONDS),
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium on the path (`apt-get install chromium`)"),
]


@contextmanager
def process(*words: str, environment: dict[str, str]) -> Iterator[None]:
    """Runs a module's command; it ends with all that it has started."""
    started = subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def until(happens: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := happens()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.5)
    return found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server with its pages and of a worker's pool, `here`."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        "VEIL_RESULTS": str(tmp_path / "results"),
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    pool = ("prefect", "worker", "start", "--pool", "here", "--type", "process")
    with process("prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port), environment=environment):
        until(lambda: _answers(f"{address}/api/health"), "the server")
        with temporary_settings({PREFECT_API_URL: f"{address}/api"}), process(*pool, environment=environment):
            yield address


def _answers(address: str) -> bool:
    import httpx

    try:
        return httpx.get(address, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_pages(server: str, two_people_clip: Clip, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.utilities.callables import parameter_schema

    from flows.blur_video import blur_video

    sync_api = pytest.importorskip("playwright.sync_api")
    chosen = {"policy": "ask", "selectors": [{"method": "known_faces", "photos": [str(two_people_clip.photo("collins"))]}]}
    parameters = {"source": str(two_people_clip.video), "target": str(tmp_path / "out.mp4"), "plan": {"choose_people": chosen}}
    with get_client(sync_client=True) as client, sync_api.sync_playwright() as playwright:
        until(lambda: client.request("POST", "/work_pools/filter", json={}).json(), "the worker's pool")
        deployment = client.create_deployment(
            client.create_flow(blur_video),  # type: ignore[arg-type]
            "blur-video",
            entrypoint="flows.blur_video.blur_video",
            work_pool_name="here",
            parameter_openapi_schema=parameter_schema(blur_video).model_dump_for_openapi(),
        )
        run = client.create_flow_run_from_deployment(deployment, parameters=parameters).id
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-proxy-server"])
        page = browser.new_page(viewport={"width": 1280, "height": 960})
        page.set_default_timeout(120_000)

        page.goto(f"{server}/deployments/deployment/{deployment}/run")
        page.get_by_text("the run waits until somebody says", exact=False).first.scroll_into_view_if_needed()
        page.screenshot(path=PICTURES / "ui_form.png")

        until(lambda: _state(client, run) == "Suspended", "the question")
        page.goto(f"{server}/runs/flow-run/{run}")
        page.get_by_role("button", name="Resume").click()
        form = page.get_by_role("dialog")
        form.get_by_text("Person 1").wait_for()
        assert form.locator("img").count() == 2
        assert all(form.locator("img").nth(place).evaluate("picture => picture.naturalWidth") > 50 for place in range(2))
        page.wait_for_timeout(1000)  # it fades in
        page.screenshot(path=PICTURES / "ui_ask.png")
        form.get_by_role("button", name="Submit").click()

        until(lambda: _state(client, run) in ("Completed", "Failed"), "the end")
        assert _state(client, run) == "Completed"
        page.goto(f"{server}/runs/flow-run/{run}")
        page.get_by_text("Artifacts", exact=True).first.click()
        page.locator("a[href*='/artifacts/artifact/']").first.wait_for()
        page.wait_for_timeout(3000)  # the graph is drawn
        page.screenshot(path=PICTURES / "ui_run.png")
        page.locator("a[href*='/artifacts/artifact/']", has_text="people-").click()
        page.get_by_text("was reviewed (as person 1)").wait_for()
        assert page.locator("img").count() == 0, "no faces are left"
        browser.close()
    assert (tmp_path / "out.mp4").is_file()


def _state(client: Any, run: UUID) -> str:
    state = client.read_flow_run(run).state
    return state.name if state else ""
