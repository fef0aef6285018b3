"""What `veil doctor` says, with the real store, server and models."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployments import checks, server_checks
from deployments.checks import Check
from deployments.doctor_command import doctor, show
from tasks.stores.settings import OWN_SERVER, forget_settings
from tests.buckets import Bucket
from tests.conftest import use_store


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    use_store(tmp_path / "results", monkeypatch)
    forget_settings()
    yield
    forget_settings()


def standing(found: list[Check], what: str) -> list[str]:
    return [check.standing for check in found if check.what == what]


def test_all_is_well_enough(api: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor() == 0
    said = capsys.readouterr().out
    for what in ("versions", "models", "results", "processors", "server", "pool veil", "limit gpu", "deployments", "automations"):
        assert what in said
    assert "prefect worker start --pool veil" in said or "1 workers" in said
    assert "\x1b" not in said, "plain where it does not go to a terminal"


def test_a_server_that_asks_for_no_password_is_warned_of(api: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own asks for none; the command's own, which is asked as a chosen one here, does."""
    assert any("asks for no password" in check.found for check in server_checks.server())
    from flows.embedded_server import EmbeddedServer

    for name in ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING", OWN_SERVER):
        monkeypatch.setenv(name, "")  # comes back after the test
        monkeypatch.delenv(name)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    server = EmbeddedServer()
    try:
        server.wait()
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

        told = {PREFECT_API_URL: os.environ["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: os.environ["PREFECT_API_AUTH_STRING"]}
        with temporary_settings(told):
            said = [check.found for check in server_checks.server()]
        assert any(str(told[PREFECT_API_URL]) in each for each in said)
        assert not any("asks for no password" in each for each in said)
    finally:
        server.stop()


def test_a_store_that_keeps_nothing(deployed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    use_store(tmp_path / "file" / "results", monkeypatch)
    (check,) = checks.checked("results", checks.results)
    assert check.standing == "mend"
    assert "VEIL_RESULTS" in check.fix
    assert doctor() == 1


@pytest.mark.parametrize(
    ("installed", "said"),
    [
        ({"sqlalchemy": "2.1.9"}, "sqlalchemy 2.1.9"),  # Prefect's scheduler starts nothing with it
        ({"fastapi": None}, "fastapi is not installed"),
        ({"opencv-python-headless": "5.0"}, "overwrite one another"),
    ],
)
def test_versions_that_do_not_do(installed: dict[str, str | None], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    really = checks._version
    monkeypatch.setattr(checks, "_version", lambda name: installed.get(name, really(name)))
    bad = [check for check in checks.versions() if check.standing == "mend"]
    assert any(said in check.found for check in bad)
    assert all(check.fix.startswith("pip ") for check in bad)


def test_versions_here() -> None:
    assert standing(list(checks.versions()), "versions") == ["well"]


def test_a_model_that_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.errors import BadWeights

    def changed(name: str) -> None:
        if name == "centerface":
            raise BadWeights(name, "has another hash", fix="install Veil again")

    monkeypatch.setattr(checks, "check_ready", changed)
    found = list(checks.models())
    assert standing(found, "models") == ["mend", "well"]
    assert "centerface" not in found[1].found


def test_a_store_in_s3(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEIL_RESULTS", bucket.url("results"))
    found = list(checks.results())
    assert standing(found, "expiry") == ["look"], "nothing deletes biometric data"
    from tasks.stores.settings import results_store

    results_store().expire_after(30)  # type: ignore[attr-defined]
    assert standing(list(checks.results()), "expiry") == ["well"]
    assert standing(list(server_checks.store()), "clock, S3") == ["well"]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, "well"), (60, "look"), (1000, "mend")],  # the last is more than S3 allows
)
def test_clocks(seconds: int, expected: str) -> None:
    from datetime import UTC, datetime, timedelta
    from email.utils import format_datetime

    date = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds))
    assert server_checks._clock("server", date).standing == expected


@pytest.mark.parametrize(("free_gb", "expected"), [(100, "well"), (10, "look"), (1, "mend")])
def test_disks(free_gb: float, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage: Any = type("Usage", (), {"free": free_gb * 1e9})
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage)
    assert checks.disk("results", tmp_path / "not" / "there", "choose another").standing == expected


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert standing(list(server_checks.server()), "server") == ["well"]


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show([Check("versions", "mend", "veil[detectors]", "pip install 'veil[detectors]'")])
    assert "pip install 'veil[detectors]'" in capsys.readouterr().out
