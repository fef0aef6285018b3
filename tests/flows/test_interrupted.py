"""Killed in each stage, told to stop, run twice at once: the result is that of a run that nobody disturbed, in a folder and in S3."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from flows import cli
from flows.report import BlurReport
from tasks.stores.settings import results_store
from tasks.versions import STAGES
from tests.buckets import Bucket
from tests.clips import Clip
from tests.conftest import use_store
from tests.flows.workers import ROOT, end_all

TRIED = [stage for stage in STAGES if stage != "read_sequences"]  # it stands in for find_faces, where sequences are given
PEOPLE = """
[[people]]
name = "Anna"
at = { seconds = 0.1, x = 180, y = 155 }
"""


@dataclass(frozen=True)
class Job:
    """A command that goes through all stages there are."""

    words: tuple[str, ...]
    folder: Path

    def run(self, target: Path) -> BlurReport:
        report = target.with_suffix(".json")
        assert cli.main([*self.words, "-o", str(target), "--report", str(report)]) == 0
        return BlurReport.model_validate_json(report.read_text())

    def start(self, target: Path, *before: str) -> subprocess.Popen[bytes]:
        """As a process of its own; `before` is what it is started by."""
        quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        with (target.parent / "log.txt").open("ab") as log:
            command = [sys.executable, "-m", *(before or ("flows.cli",)), *self.words, "-o", str(target)]
            return subprocess.Popen(command, cwd=ROOT, stderr=log, start_new_session=True, **quiet)


@pytest.fixture(scope="module")
def job(visits_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("job")
    (folder / "people.toml").write_text(PEOPLE)
    words = ["blur", str(visits_clip.video), "--keep", str(visits_clip.photo("collins"))]
    return Job((*words, "--people", str(folder / "people.toml"), "--set", "segment_seconds=1"), folder)


@pytest.fixture(scope="module")
def undisturbed(prefect_server: str, job: Job) -> Iterator[bytes]:
    with pytest.MonkeyPatch.context() as patch:
        use_store(job.folder / "results", patch)
        report = job.run(job.folder / "out.mp4")
        assert {stage.stage for stage in report.stages} == set(TRIED), "each stage is tried below"
        yield (job.folder / "out.mp4").read_bytes()


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    place = str(tmp_path / "results") if request.param == "folder" else request.getfixturevalue("bucket").url("veil")
    monkeypatch.setenv("VEIL_RESULTS", place)
    return place


def wait_for(mark: Path, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 120
    while not mark.exists():
        assert process.poll() is None, f"ended before: {(mark.parent / 'log.txt').read_text()[-2000:]}"
        assert time.monotonic() < give_up, "the moment did not come"
        time.sleep(0.01)


def half_written(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".") or "unfinished" in path.name]


When = Literal["begun", "computed"]
POINTS: list[tuple[str, When, str]] = [(stage, when, "folder") for stage in TRIED for when in ("begun", "computed")]
POINTS += [(stage, "computed", "bucket") for stage in TRIED]
ALWAYS = ("choose_people", "computed", "bucket")


@pytest.mark.parametrize(
    ("stage", "when", "store"),
    [point if point == ALWAYS else pytest.param(*point, marks=pytest.mark.slow) for point in POINTS],
    indirect=["store"],
)
def test_killed_in_each_stage(stage: str, when: When, store: str, job: Job, undisturbed: bytes, tmp_path: Path) -> None:
    target, mark = tmp_path / "out.mp4", tmp_path / "mark"
    process = job.start(target, "tests.flows.halting", str(mark), stage, when)
    try:
        wait_for(mark, process)
    finally:
        end_all(process)
    assert not target.exists()
    assert not list(results_store().entries(f"stages/{stage}/")), "it was killed before that was known"
    known = {entry.key.split("/")[1] for entry in results_store().entries("stages/")}

    report = job.run(target)

    assert target.read_bytes() == undisturbed
    assert {each.stage for each in report.stages if each.num_cached} == known
    assert not half_written(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("store", ["folder", "bucket"], indirect=True)
def test_told_to_stop(store: str, job: Job, undisturbed: bytes, tmp_path: Path) -> None:
    """As a machine that will be taken away in a moment is: it has the time to leave nothing half written."""
    target, mark = tmp_path / "out.mp4", tmp_path / "mark"
    process = job.start(target, "tests.flows.halting", str(mark), "verify_blur", "begun")  # the whole is there, under another name
    try:
        wait_for(mark, process)
        assert half_written(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) != 0
    finally:
        end_all(process)
    assert not target.exists()
    assert not half_written(tmp_path)
    report = job.run(target)
    assert target.read_bytes() == undisturbed
    assert all(each.num_cached == each.num_parts for each in report.stages if each.stage != "verify_blur")


@pytest.mark.parametrize("store", ["folder", pytest.param("bucket", marks=pytest.mark.slow)], indirect=True)
def test_two_at_once(store: str, job: Job, undisturbed: bytes, tmp_path: Path) -> None:
    targets = [tmp_path / name / "out.mp4" for name in ("one", "two")]
    for target in targets:
        target.parent.mkdir()
    both = [job.start(target) for target in targets]
    try:
        assert [process.wait(timeout=200) for process in both] == [0, 0], "\n".join(
            (target.parent / "log.txt").read_text() for target in targets
        )
    finally:
        for process in both:
            end_all(process)
    assert [target.read_bytes() for target in targets] == [undisturbed] * 2
    assert not half_written(tmp_path)
    again = job.run(tmp_path / "three.mp4")
    assert all(each.num_cached == each.num_parts for each in again.stages), "what both have written is whole"


def spoil_nothing_left(bucket: Bucket, key: str) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=key)


def spoil_cut_short(bucket: Bucket, key: str) -> None:
    bucket.put(key, bucket.get(key)[:-10])


def spoil_other_version(bucket: Bucket, key: str) -> None:
    """A manifest with something that this version does not know."""
    bucket.put(key, bucket.get(key).replace(b"num_tracks", b"num_paths_"))


@pytest.mark.slow
@pytest.mark.parametrize("store", ["bucket"], indirect=True)
def test_what_cannot_be_read_is_computed_again(store: str, bucket: Bucket, job: Job, undisturbed: bytes, tmp_path: Path) -> None:
    assert job.run(tmp_path / "out.mp4")
    for number, spoil in enumerate((spoil_nothing_left, spoil_cut_short, spoil_other_version)):
        (key,) = [name for name in bucket.names() if name.startswith("veil/stages/build_tracks/")]
        spoil(bucket, key)
        report = job.run(tmp_path / f"{number}.mp4")
        assert {each.stage for each in report.stages if each.num_cached < each.num_parts} == {"build_tracks"}
        assert (tmp_path / f"{number}.mp4").read_bytes() == undisturbed
