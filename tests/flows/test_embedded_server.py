"""The server that a command brings along."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows import embedded_server
from flows.embedded_server import EmbeddedServer, ServerDidNotStart

_STARTS_AND_WAITS = """
import os
from flows.embedded_server import EmbeddedServer
EmbeddedServer().wait()
print(os.environ["PREFECT_API_URL"], flush=True)
import time
time.sleep(600)
"""


def answers(address: str) -> bool:
    connection = http.client.HTTPConnection(address.removeprefix("http://").split("/", maxsplit=1)[0], timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def test_server_ends_with_the_command_even_when_that_is_killed(tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | {"PREFECT_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", _STARTS_AND_WAITS], stdout=subprocess.PIPE, text=True, env=variables) as command:
        assert command.stdout is not None
        address = command.stdout.readline().strip()
        assert answers(address)
        command.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while answers(address) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(address)


@pytest.mark.parametrize("where", ["environment", "profile"])
def test_a_chosen_server_is_used(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    assert not embedded_server.is_chosen()
    if where == "environment":
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    else:
        (tmp_path / "profiles.toml").write_text('active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "http://127.0.0.1:1/api"\n')
    monkeypatch.setattr(subprocess, "Popen", None)
    EmbeddedServer().wait()


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ServerDidNotStart, match="did not start"):
        EmbeddedServer().wait()
