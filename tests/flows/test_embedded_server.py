"""The server that a command brings along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.embedded_server import EmbeddedServer, ServerDidNotStart, answers
from tasks.stores.settings import server_is_chosen

_STARTS_AND_WAITS = """
import os
from flows.embedded_server import EmbeddedServer
EmbeddedServer().wait()
print(os.environ["PREFECT_API_URL"], flush=True)
import time
time.sleep(600)
"""


def test_server_ends_with_the_command_even_when_that_is_killed(tmp_path: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"} | {"PREFECT_HOME": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", _STARTS_AND_WAITS], stdout=subprocess.PIPE, text=True, env=variables) as command:
        assert command.stdout is not None
        port = int(command.stdout.readline().rsplit(":")[-1].split("/")[0])
        assert answers(port)
        command.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while answers(port) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not answers(port)


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
