"""`kill -9` at any point, the same command again: it goes on where it was, and the result is that of a run that nobody disturbed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flows import cli
from flows.report import BlurReport
from tests.clips import Clip
from tests.conftest import use_store
from tests.flows.running import Run, run_flow

ORDER = ["probe_video", "find_shots", "find_faces", "follow_faces", "build_tracks", "choose_people", "blur_faces", "verify_blur"]
NUM_SEGMENTS = 4
PLAN = {"segment_seconds": 1, "blur_faces": {"encoder": {"preset": "veryslow"}}}  # slow enough to be met between two segments


@dataclass(frozen=True)
class Moment:
    """When to kill: as soon as the results store holds so many results of a stage, or there is an unfinished result or segment."""

    stage: str | None
    num_results: int = 1
    unfinished: bool = False
    unfinished_segment: bool = False

    def has_come(self, store: Path, folder: Path) -> bool:
        if self.unfinished:
            return any(path.stat().st_size for path in folder.glob(".*unfinished*"))
        if self.unfinished_segment:
            return any((store / "objects" / "pictures").glob(".new-*"))
        if self.stage is None:
            return store.is_dir()  # the command is at work, Prefect is being loaded
        return num_results(store, self.stage) >= self.num_results


MOMENTS = {
    "before the first stage": Moment(None),
    "in find_shots": Moment("probe_video"),
    "in find_faces, first segment": Moment("find_shots"),
    "in find_faces, a segment known": Moment("find_faces"),
    "in choose_people": Moment("build_tracks"),
    "in blur_faces, first segment": Moment("choose_people"),
    "in blur_faces, two segments known": Moment("blur_faces", 2),
    "in join": Moment("blur_faces", NUM_SEGMENTS),
    "in verify_blur": Moment("", unfinished=True),
    "when verified": Moment("verify_blur"),
}
ALWAYS = {"in blur_faces, two segments known"}


def num_results(store: Path, stage: str) -> int:
    return sum(1 for path in (store / "stages" / stage).glob("v*/*") if not path.name.startswith("."))


@pytest.fixture(scope="module")
def undisturbed(prefect_server: str, visits_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        use_store(folder / "results", patch)
        yield run_flow(visits_clip.video, folder / "out.mp4", PLAN)


@pytest.mark.parametrize("name", [name if name in ALWAYS else pytest.param(name, marks=pytest.mark.slow) for name in MOMENTS])
def test_goes_on_after_a_kill(name: str, undisturbed: Run, empty_store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    target, report = folder / "out.mp4", tmp_path / "report.json"
    words = ["blur", str(undisturbed.source), "-o", str(target), "--report", str(report), "--set", "segment_seconds=1"]
    words += ["--set", "blur_faces.encoder.preset=veryslow"]

    kill_at(MOMENTS[name], words, empty_store, folder)
    known_before = {stage: num_results(empty_store, stage) for stage in ORDER}
    visible = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    assert not visible, "a killed run leaves nothing that looks finished"
    assert name in {"before the first stage", "when verified"} or sum(known_before.values()) < len(ORDER) + 3 * (NUM_SEGMENTS - 1)

    assert cli.main(words) == 0

    assert target.read_bytes() == undisturbed.target.read_bytes()
    done = BlurReport.model_validate_json(report.read_text())
    assert {stage.stage: stage.num_cached for stage in done.stages} == known_before
    assert done.people == undisturbed.report.people


def kill_at(moment: Moment, words: list[str], store: Path, folder: Path) -> None:
    """Runs the command as a process of its own, and kills it then."""
    log = store.parent / "log.txt"
    with log.open("w") as said:
        process = subprocess.Popen([sys.executable, "-m", "flows.cli", *words], stderr=said, start_new_session=True)
    try:
        give_up = time.monotonic() + 120
        while not moment.has_come(store, folder):
            assert process.poll() is None, f"ended before it could be killed: {log.read_text()}"
            assert time.monotonic() < give_up, "the moment did not come"
            time.sleep(0.002)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_nothing_is_left_beside_the_target(undisturbed: Run, empty_store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    words = ["blur", str(undisturbed.source), "-o", str(folder / "out.mp4")]
    kill_at(MOMENTS["in verify_blur"], words, empty_store, folder)
    assert cli.main(words) == 0
    assert [path.name for path in folder.iterdir()] == ["out.mp4"]


@pytest.mark.slow
def test_nothing_is_left_in_the_store(undisturbed: Run, empty_store: Path, tmp_path: Path) -> None:
    words = ["blur", str(undisturbed.source), "-o", str(tmp_path / "out.mp4")]
    kill_at(Moment(None, unfinished_segment=True), [*words, "--set", "blur_faces.encoder.preset=veryslow"], empty_store, tmp_path)
    assert cli.main(words) == 0
    assert not list(empty_store.rglob(".new-*"))
