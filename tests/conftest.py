"""Drawn clips, once a session (what they show is in `clip.truth`); a Prefect server, once a session; an empty results store a test."""

from __future__ import annotations

import faulthandler
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from flows import environment
from tests.buckets import Bucket, new_bucket, running_store
from tests.clips import Clip, Script, cuts_script, draw_folder, no_faces_script, two_people_script

SMALL = (640, 360)
_MOST_SECONDS_TO_END = 90
FILM_RATE = Fraction(24000, 1001)  # not a whole number, as in much real footage


def pytest_configure(config: pytest.Config) -> None:
    """What Prefect reads when it is imported: nothing of the user's, and as quiet as the command makes it."""
    home = tempfile.TemporaryDirectory(prefix="veil-tests-")
    config.add_cleanup(home.cleanup)
    for name in [name for name in os.environ if name.startswith("PREFECT_")]:
        del os.environ[name]
    os.environ["PREFECT_HOME"] = home.name
    os.environ["VEIL_RESULTS"] = f"{home.name}/results"  # of tests that ask for no store of their own
    os.environ["VEIL_SETTINGS"] = f"{home.name}/settings.toml"
    environment.prepare()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A thread that never ends is no reason to hang when the tests have ended: what hangs is said, and the run ends as they did."""

    if hasattr(session.config, "workerinput"):  # one of several test processes, which waits for the others
        return

    def end() -> None:
        time.sleep(_MOST_SECONDS_TO_END)
        faulthandler.dump_traceback(all_threads=True)
        os._exit(exitstatus)

    threading.Thread(target=end, daemon=True).start()


@pytest.fixture(scope="session")
def two_people_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """96 frames, two shots: both people, Hopper leaves and returns."""
    return _draw(tmp_path_factory, two_people_script())


@pytest.fixture(scope="session")
def no_faces_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """48 frames, two shots, nobody."""
    return _draw(tmp_path_factory, no_faces_script())


@pytest.fixture(scope="session")
def cut_clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Nine shots: six cuts, a crossfade and a fade."""
    return _draw(tmp_path_factory, cuts_script())


def _draw(tmp_path_factory: pytest.TempPathFactory, script: Script) -> Clip:
    folder: Path = tmp_path_factory.mktemp("clip")
    return draw_folder(script, folder, size=SMALL, frame_rate=FILM_RATE)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One real server for all tests, as quiet as the command makes it; its address, which subprocesses find in PREFECT_API_URL."""
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings
    from prefect.testing.utilities import prefect_test_harness

    no_heartbeat = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})  # saves a second a flow
    with prefect_test_harness(server_startup_timeout=280), no_heartbeat, pytest.MonkeyPatch.context() as variables:
        address = PREFECT_API_URL.value()
        variables.setenv("PREFECT_API_URL", address)
        yield address


@pytest.fixture
def empty_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results store of this test's own, not there yet."""
    folder = tmp_path / "results"
    use_store(folder, monkeypatch)
    return folder


def use_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes `folder` the results store."""
    monkeypatch.setenv("VEIL_RESULTS", str(folder))


@pytest.fixture(scope="session")
def store_address() -> Iterator[str]:
    """A real S3 server, once for all tests that ask for a bucket."""
    with running_store() as address:
        yield address


@pytest.fixture
def bucket(store_address: str) -> Bucket:
    """An empty bucket in it."""
    return new_bucket(store_address)
