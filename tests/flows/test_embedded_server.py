"""The server that a command brings along."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from flows.embedded_server import EmbeddedServer, ServerDidNotStart, answers
from tasks.stores.settings import server_is_chosen

_STARTS_AND_WAITS = """
import os
from flows.embedded_server import EmbeddedServer
EmbeddedServer().wait()
print(os.environ["PREFECT_API_URL"], flush=True)
print(os.environ["PREFECT_API_AUTH_STRING"], flush=True)
import time
time.sleep(600)
"""


def test_server_ends_with_the_command_even_when_that_is_killed(tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | {"PREFECT_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", _STARTS_AND_WAITS], stdout=subprocess.PIPE, text=True, env=variables) as command:
        assert command.stdout is not None
        port = int(command.stdout.readline().rsplit(":")[-1].split("/")[0])
        assert answers(port)
        _nobody_else_is_let_in(port, command.pid, command.stdout.readline().strip())
        assert [path.name for path in tmp_path.iterdir() if path.is_file() and path.stat().st_mode & 0o077] == [], "all in it is private"
        command.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(port)


def _nobody_else_is_let_in(port: int, command: int, secret: str) -> None:
    """Neither without the secret, which no list of processes shows, nor a page of another site, nor under another host's name."""
    assert httpx.post(f"http://127.0.0.1:{port}/api/flow_runs/filter", json={}).status_code == 401
    version = f"http://127.0.0.1:{port}/api/admin/version"
    assert [httpx.get(version, auth=tuple(said.split(":"))).status_code for said in ("guessed:", f"{secret}:")] == [401, 401]
    assert httpx.get(version, headers={"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}).status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/api/health", headers={"Host": "a.page.example"}).status_code == 400
    asked = {"Origin": "http://a.page.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in httpx.options(f"http://127.0.0.1:{port}/api/flow_runs/filter", headers=asked).headers
    children = Path(f"/proc/{command}/task/{command}/children")
    for process in children.read_text().split() if children.exists() else ():
        for told in ("environ", "cmdline"):
            assert secret not in Path(f"/proc/{process}/{told}").read_text()


@pytest.mark.parametrize("where", ["environment", "profile"])
def test_a_chosen_server_is_used(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    assert not server_is_chosen()
    if where == "environment":
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    else:
        (tmp_path / "profiles.toml").write_text('active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n')
    monkeypatch.setattr(subprocess, "Popen", None)
    EmbeddedServer()


def test_a_chosen_server_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    variables = os.environ | {"PREFECT_HOME": str(tmp_path), "PREFECT_API_URL": "http://127.0.0.1:9/api"}
    code = "from flows.embedded_server import EmbeddedServer; EmbeddedServer().wait()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=variables, check=False)
    assert "PREFECT_API_URL http://127.0.0.1:9/api: no server answers there; start it" in ended.stderr.splitlines()[-1]


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ServerDidNotStart, match="did not start"):
        EmbeddedServer().wait()
