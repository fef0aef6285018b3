"""What is written down of a job: why a stage ran, what may be tried again, and what was not kept; in a folder and in S3."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prefect import flow

from flows import cli
from flows.job import recorded
from flows.job_record import JobRecord, StageNote, digests_of, jobs, latest, save, why_run
from tasks.errors import BadVideo, StoreError
from tasks.manifests import Shots
from tasks.plan import BuildTracks, Plan
from tasks.stage import stage
from tasks.stores.settings import results_store
from tasks.versions import STAGES
from tests.buckets import BUCKET, Bucket
from tests.clips import Clip
from tests.flows.running import SECOND, keep, run_flow

SOURCE = "ab" * 32


def job_of(note: StageNote, identity: str = "1") -> JobRecord:
    return JobRecord(flow_run_id=identity, name=f"film-{identity}", source_sha256=SOURCE, started=datetime.now(UTC), stages=(note,))


def note_of(inputs: dict[str, object], version: int = STAGES["build_tracks"]) -> StageNote:
    known = {"keys": ("build_tracks/v1/0",), "num_cached": 0, "num_bytes": 1, "seconds": 1.0, "why": ""}
    return StageNote(stage="build_tracks", version=version, inputs=digests_of(inputs), **known)


@pytest.mark.parametrize(
    ("before", "inputs", "asked_for", "why"),
    [
        (None, {"faces": 1}, False, "it had not been run for this video"),
        (note_of({"faces": 1}), {"faces": 1}, True, "it was asked for (rerun_from)"),
        (note_of({"faces": 1}, version=0), {"faces": 2}, False, f"its version went from 0 to {STAGES['build_tracks']}"),
        (note_of({"faces": 1, "shots": 1}), {"faces": 2, "shots": 1}, False, "other than last time: faces"),
        (note_of({"faces": 1}), {"faces": 1}, False, "its result was gone"),
        (  # of settings, the one that was changed is named
            note_of({"settings": BuildTracks()}),
            {"settings": BuildTracks(lead_seconds=1)},
            False,
            "other than last time: settings.lead_seconds",
        ),
    ],
)
def test_why_a_stage_ran(before: StageNote | None, inputs: dict[str, object], asked_for: bool, why: str) -> None:
    job = job_of(before) if before else None
    assert why_run("build_tracks", digests_of(inputs), job, asked_for=asked_for) == why


def test_jobs_are_found_by_video_name_and_id(empty_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for identity in ("1", "2"):
        save(job_of(note_of({}), identity))
    assert [job.flow_run_id for job in jobs()] == ["1", "2"]
    last = latest(SOURCE)
    assert last is not None
    assert last.flow_run_id == "2"
    for word in ("film-1", "1", SOURCE[:10]):
        assert cli.main(["explain", word]) == 0
    assert cli.main(["explain", "film-3"]) == 2
    assert "job film-3: is not known here" in capsys.readouterr().err


# what is tried again


class Failing:
    """Fails with these, one after the other, and then no more."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.num_calls = 0

    def __call__(self) -> None:
        self.num_calls += 1
        if self.errors:
            raise self.errors.pop(0)


class Current:
    """What the stage does now."""

    does = Failing()


@stage("find_shots", apart=())
def flaky(number: str) -> Shots:
    Current.does()
    return Shots(shots=())


@flow(name="one-flaky-stage")
def one_flaky_stage() -> None:
    with recorded(SOURCE, Plan()) as job:
        job.run(flaky, 0, str(uuid.uuid4()))


@pytest.mark.parametrize(
    ("errors", "raised", "num_calls"),
    [
        ([StoreError("s3://x", "is slow", fix="later", may_pass=True), ConnectionResetError()], None, 3),  # a network's
        ([BadVideo("x.mp4", "is broken", fix="mend it")], BadVideo, 1),  # it will be as broken the next time
        ([StoreError("s3://x", "no access", fix="ask")], StoreError, 1),
        ([ValueError("a mistake of ours")], ValueError, 1),
    ],
)
def test_only_what_may_pass_is_tried_again(
    prefect_server: str,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    errors: list[Exception],
    raised: type[Exception] | None,
    num_calls: int,
) -> None:
    Current.does = Failing(*errors)
    monkeypatch.setattr(flaky, "retry_delay_seconds", [0, 0, 0])
    monkeypatch.setattr(flaky, "retry_jitter_factor", None)
    if raised is None:
        one_flaky_stage()
    else:
        with pytest.raises(raised):
            one_flaky_stage()
    assert Current.does.num_calls == num_calls
    assert [job.outcome for job in jobs()] == ["completed" if raised is None else "failed"]


def test_a_result_that_was_not_kept_fails_the_stage(prefect_server: str, empty_store: Path) -> None:
    Current.does = Failing()
    (empty_store / "stages").mkdir(parents=True)
    (empty_store / "stages" / "find_shots").write_text("in the way")
    with pytest.raises(StoreError, match="did not keep the result of find_shots"):
        one_flaky_stage()


# the whole flow


def test_in_s3_the_result_is_the_same_and_is_known_the_next_time(
    prefect_server: str,
    visits_clip: Clip,
    bucket: Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path / "results"))
    local = run_flow(visits_clip.video, tmp_path / "local.mp4", SECOND)
    monkeypatch.setenv("VEIL_RESULTS", f"s3://{BUCKET}/veil")
    monkeypatch.setenv("VEIL_RESULTS_KMS_KEY", "alias/faces")
    remote = run_flow(visits_clip.video, tmp_path / "remote.mp4", SECOND)
    assert remote.target.read_bytes() == local.target.read_bytes()
    assert remote.known == local.known

    names = [name.removeprefix("veil/") for name in bucket.names()]
    by_stage = {name.split("/")[1] for name in names if name.startswith("stages/")}
    assert by_stage == {
        "probe_video",
        "find_shots",
        "find_faces",
        "follow_faces",
        "build_tracks",
        "choose_people",
        "blur_faces",
        "verify_blur",
    }
    heads = [bucket.client.head_object(Bucket=BUCKET, Key=name) for name in bucket.names()]
    assert {head.get("ServerSideEncryption") for head in heads} == {"aws:kms"}

    other = run_flow(visits_clip.video, tmp_path / "other.mp4", SECOND | keep(visits_clip.photo("collins")))
    assert other.known["find_faces"] == (4, 4)
    assert other.known["choose_people"] == (0, 1)
    capsys.readouterr()
    assert cli.main(["explain", str(visits_clip.video)]) == 0
    said = capsys.readouterr().out
    assert "completed" in said
    assert "settings.policy" in said

    again = run_flow(visits_clip.video, tmp_path / "again.mp4", SECOND | {"rerun_from": "blur_faces"})
    assert again.known["find_faces"] == (4, 4)
    assert again.known["blur_faces"] == (0, 4)
    assert again.target.read_bytes() == local.target.read_bytes()
    record = latest(again.report.video)
    assert record is not None
    assert {note.stage: note.why for note in record.stages}["blur_faces"] == "it was asked for (rerun_from)"
    assert all(results_store().num_bytes(f"stages/{key}") for note in record.stages for key in note.keys)


@pytest.mark.slow  # another setting that changes no cover is among the quick ones: test_same_cover_said_otherwise_renders_nothing
def test_changing_a_setting_that_changes_no_result_runs_no_later_stage(
    prefect_server: str, shared_store: Path, visits_clip: Clip, tmp_path: Path
) -> None:
    run_flow(visits_clip.video, tmp_path / "one.mp4", SECOND)
    changed = run_flow(visits_clip.video, tmp_path / "two.mp4", SECOND | {"build_tracks": {"merge_log_ratio": 3.1}})
    assert changed.known["build_tracks"] == (0, 1)
    assert changed.known["choose_people"] == (1, 1), "the same tracks have the same name"
    assert changed.known["blur_faces"] == (4, 4)
