"""What is forgotten is gone from the store and from Prefect, to the byte; what others need stays."""

from __future__ import annotations

import base64
import io
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.logging.handlers import APILogHandler

from deployments.checks import unfinished
from flows import cli
from flows.audit import mark_of, read_lines
from flows.forget import forget
from flows.forget_store import forget_jobs
from flows.job_record import JobRecord, StageNote, jobs, save
from flows.local_database import local_database
from tasks.errors import BadVideo
from tasks.manifests import Photos, TrackSet
from tasks.results import Manifest, ObjectRef, ObjectStore, Record, manifest_from_bytes
from tasks.stores.backend import Backend
from tasks.stores.bucket import BucketBackend
from tasks.stores.folder import FolderBackend
from tasks.stores.seal import believed_or_not
from tasks.video.target import this_machine
from tests.buckets import Bucket
from tests.clips import Clip
from tests.flows.running import keep, run_flow

# The real thing -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def wedding(two_people_clip: Clip, tmp_path: Path) -> tuple[Path, Path]:
    """A video that no other test knows, and a photo of a person of whom none has heard."""
    video, photo = tmp_path / "quillfeather-wedding.mp4", tmp_path / "Ottilie.jpg"
    video.write_bytes(two_people_clip.video.read_bytes() + (8).to_bytes(4, "big") + b"free")
    shutil.copy(two_people_clip.photo("collins"), photo)
    return video, photo


def test_person_leaves_no_trace(wedding: tuple[Path, Path], empty_store: Path, prefect_server: str, no_faces_clip: Clip, capfd) -> None:
    """With them goes the video in which they were known: its tracks hold their face. Another video stays known."""
    video, photo = wedding
    other = run_flow(no_faces_clip.video, video.parent / "other.mp4", {})
    of_other = set(_objects(empty_store))
    report = run_flow(video, video.parent / "out.mp4", keep(photo) | {"in_prefect": {"faces": "until_done"}}).report
    APILogHandler().flush()
    hashes = [report.video, report.video[:12], *sorted(_objects(empty_store) - of_other)]
    names = ["quillfeather-wedding", "Ottilie"]
    faces = list(_faces(empty_store))
    assert len(faces) >= 3 * 4
    assert all(_holding(empty_store, word) for word in (hashes[0], names[1])), "or nothing would be shown by their absence"
    assert all(_database_holds(word) for word in (hashes[1], *names))
    assert not any(map(_database_holds, faces)), "embeddings are in the store only: in no parameter, state, log or artifact"

    left = video.parent / f".out.unfinished-{this_machine()}-{2**22 + 1}-abc.mp4"  # of a run that was killed
    left.write_bytes(b"")
    assert [check.found for check in unfinished()] == [f"{left}, of a run that was killed"]

    assert cli.main(["forget", "Ottilie", "--json"]) == 0

    printed = capfd.readouterr().out
    receipt = json.loads(printed)
    assert receipt["videos"] == [report.video]
    assert {"jobs", "objects/tracks", "objects/photos", "stages/find_faces", "finished"} <= receipt["results"].keys()
    assert [run["name"] for run in receipt["flow_runs"]] == [video.name]
    assert receipt["left"] == []
    assert receipt["unfinished"] == [str(left)]
    assert not left.exists()
    assert [word for word in (*hashes, *names) if _holding(empty_store, word)] == []
    assert [word for word in (*hashes[:2], *names) if _database_holds(word)] == []
    assert of_other <= _objects(empty_store)
    deleted = [line for line in read_lines() if line.event == "deleted"]
    assert [(line.why, line.video) for line in deleted] == [("person", mark_of(report.video))]
    assert cli.main(["audit", report.video]) == 0
    told = capfd.readouterr().out.splitlines()[1:]
    assert [next(word for word in ("decided", "deleted") if word in line) for line in told] == ["decided", "decided", "deleted"]
    again = run_flow(other.source, video.parent / "again.mp4", {})
    assert all(stage.num_cached == stage.num_parts for stage in again.report.stages)


def test_video_is_forgotten_where_it_failed(wedding: tuple[Path, Path], empty_store: Path, prefect_server: str, capfd) -> None:
    """No hash was known of it then; its path is in the run's parameters."""
    video, _ = wedding
    video.write_bytes(video.read_bytes()[:20_000])
    with pytest.raises(BadVideo):
        run_flow(video, video.parent / "out.mp4", {})
    APILogHandler().flush()  # as the end of a run's process does
    assert _database_holds("quillfeather-wedding")

    assert cli.main(["forget", str(video)]) == 0

    assert "Forgotten: 0 jobs about 0 videos, and 1 flow runs" in capfd.readouterr().out
    assert not _database_holds("quillfeather-wedding")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nobody-knows-this.mp4"], "no job and nobody of that name is known here"),
        (["twins.mp4"], "is the name of 2 videos; give a video's SHA-256 or 111111111111 or 222222222222"),  # never both by mistake
        (["Otto"], "is the name of a person and of a video; add --person"),
        ([], "is for one thing; give a video, a person's name"),
        (["Otto", "--older-than", "30d"], "is for one thing"),
        (["--older-than", "a month"], "--older-than a month: is no number of days; write 30d"),
    ],
)
def test_forgetting_what_is_not_clear(words: list[str], says: str, empty_store: Path, prefect_server: str, capfd) -> None:
    for digit, name in (("1", "twins.mp4"), ("2", "twins.mp4"), ("3", "Otto")):
        save(_job(digit * 64, name=name, people=("Otto",)))
    before = sorted(empty_store.rglob("*"))
    assert cli.main(["forget", *words]) == 2
    assert says in capfd.readouterr().err
    assert sorted(empty_store.rglob("*")) == before


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("Ottilie Å\n", "Forgotten: 1 jobs"),
        ("Ottilie Å", "Forgotten: 1 jobs"),
        ("Nobody\n", "Forgotten: 0 jobs"),
        ("\n", "--person -: no name was read; write one line"),
        ("\udcff\n", "--person -: no name was read"),
    ],
)
def test_a_name_can_come_from_standard_input(
    typed: str, says: str, empty_store: Path, prefect_server: str, capfd, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(_job("1" * 64, people=("Ottilie Å",)))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed.encode(errors="surrogateescape"))))
    status = cli.main(["forget", "--person", "-"])
    assert (status == 0) == says.startswith("Forgotten")
    assert says in "".join(capfd.readouterr())


def test_what_killed_jobs_left_in_s3_is_named_and_removed(
    empty_store: Path, prefect_server: str, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a video, and of the folder that a pattern fills; what another machine may be at work on stays for a day."""
    gone, elsewhere = f"{this_machine()}-{2**22 + 1}", "elsewhere-7"
    for name in (f".out.unfinished-{gone}.ts", f".out.unfinished-{elsewhere}.ts"):
        bucket.put(f"films/{name}", b"half")
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"films/.out.unfinished-{gone}.ts")
    for number in range(2):
        bucket.put(f"films/.frames.unfinished-{gone}/{number}.png", b"half")
    bucket.put("films/frames/0.png", b"a result")
    targets = [bucket.url("films/out.ts"), bucket.url("films/frames/%d.png"), "s3://nowhere/out.mp4"]
    for digit, target in enumerate(targets, 1):
        save(_job("1" * 64, target=target, days_ago=digit))
    killed = [f"s3://films/films/.frames.unfinished-{gone}", f"s3://films/films/.out.unfinished-{gone}.ts"]
    killed.append(f"{killed[1]} (an upload that was not completed)")
    nowhere = "what is beside s3://nowhere/out.mp4 is not known: there is no such bucket"

    assert sorted(check.found for check in unfinished()) == sorted([*(f"{each}, of a run that was killed" for each in killed), nowhere])

    receipt = forget(0)

    assert sorted(receipt.unfinished) == killed
    stays = f"s3://films/films/.out.unfinished-{elsewhere}.ts"
    said = [f"{stays}, which was not finished"]
    said.append("whatever was not finished beside s3://nowhere/out.mp4: there is no such bucket")
    assert set(said) <= set(receipt.left)
    assert bucket.names() == [f"films/.out.unfinished-{elsewhere}.ts", "films/frames/0.png"]
    assert bucket.uploads() == []

    save(_job("1" * 64, target=targets[0]))
    bucket.client.create_multipart_upload(Bucket=bucket.name, Key=f"films/.out.unfinished-{elsewhere}.ts")
    monkeypatch.setattr("tasks.s3.unfinished._LONG_AGO", timedelta(0))
    assert len(forget(0).unfinished) == 2
    assert (bucket.names(), bucket.uploads()) == (["films/frames/0.png"], [])


def test_older_ones_are_forgotten(empty_store: Path, prefect_server: str) -> None:
    save(_job("1" * 64, days_ago=31))
    save(_job("2" * 64, days_ago=29))
    save(_job("1" * 64, days_ago=1))

    receipt = forget(30)

    assert receipt.num_jobs == 1
    assert [(job.source_sha256[0], job.started.date()) for job in jobs()] == [
        ("1", (datetime.now(UTC) - timedelta(days=1)).date()),
        ("2", (datetime.now(UTC) - timedelta(days=29)).date()),
    ]


def _holding(store: Path, word: str) -> list[Path]:
    return [path for path in store.rglob("*") if word in str(path) or (path.is_file() and word.encode() in path.read_bytes())]


def _database_holds(word: str | bytes) -> bool:
    database = local_database()
    assert database is not None
    sought = word.encode() if isinstance(word, str) else word
    return any(sought in path.read_bytes() for path in database.parent.glob(f"{database.name}*"))


def _objects(store: Path) -> set[str]:
    """What they are named by."""
    return {path.name for path in store.glob("objects/*/*")}


def _faces(store: Path) -> Iterator[bytes]:
    """Embeddings in the ways in which they might be written somewhere."""
    vectors = []
    for path in store.glob("stages/*/*/*"):
        manifest = manifest_from_bytes(json.loads(believed_or_not(path.read_bytes()))["result"].encode())
        if isinstance(manifest, TrackSet):
            vectors += [track.embedding for track in manifest.tracks]
        if isinstance(manifest, Photos):
            vectors += [row for rows in manifest.embeddings.values() for row in rows]
    for vector in vectors:
        some = vector.astype("float32").tobytes()[:24]
        yield from (some, some.hex().encode(), base64.b64encode(some), f"{float(vector[0])!r}"[:9].encode())


# In any store ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "bucket that keeps versions"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    if request.param == "folder":
        monkeypatch.setenv("VEIL_RESULTS", str(tmp_path / "results"))
        return FolderBackend(tmp_path / "results")
    bucket: Bucket = request.getfixturevalue("bucket")
    bucket.client.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setenv("VEIL_RESULTS", bucket.url("veil"))
    return BucketBackend(bucket.name, "veil")


@pytest.mark.parametrize("other_runs", [False, True])
def test_others_keep_what_they_need(store: Backend, other_runs: bool) -> None:
    objects = {word: ObjectStore(store).put("tracks", word.encode()) for word in ("own", "shared", "killed", "theirs", "stray")}
    for key, words in (
        ("build_tracks/v1/own", ["own", "shared"]),
        ("build_tracks/v1/killed", ["killed"]),  # of a stage that never came to its end
        ("build_tracks/v1/both", ["shared"]),
        ("build_tracks/v1/theirs", ["theirs"]),
    ):
        for word in words:
            _result(store, key, objects[word])
    Record("finished/v1/own", store).write(_Kept(ref=objects["own"]))
    keys = ("build_tracks/v1/own", "build_tracks/v1/both")
    doomed = _job("1" * 64, keys=keys, pending=("build_tracks/v1/killed",), records=("finished/v1/own",))
    stays = _job("2" * 64, keys=("build_tracks/v1/both", "build_tracks/v1/theirs"), outcome="running" if other_runs else "completed")
    for job in (doomed, stays):
        Record(job.key, store).write(job)

    deleted = forget_jobs([doomed], store)

    left = {entry.key.removeprefix("objects/tracks/") for entry in store.entries()}
    assert {word for word, ref in objects.items() if ref.sha256 in left} == {"shared", "theirs", *(["stray"] if other_runs else [])}
    assert {key for key in left if key.startswith(("stages", "jobs", "finished"))} == {
        "stages/build_tracks/v1/both", "stages/build_tracks/v1/theirs", stays.key,
    }  # fmt: skip
    assert deleted.num_left == int(other_runs), "what is new may be another's who has not said so yet"
    if isinstance(store, BucketBackend):
        from tasks.s3.client import client

        said = client().list_object_versions(Bucket=store.bucket)
        assert {each["Key"].removeprefix("veil/") for kind in ("Versions", "DeleteMarkers") for each in said.get(kind, ())} == {
            entry.key for entry in store.entries()
        }


def test_results_expire_and_the_audit_does_not(bucket: Bucket) -> None:
    store = BucketBackend(bucket.name, "veil")
    store.expire_after(9)
    store.expire_after(30)  # in place of the first
    assert store.expires_days() == 30
    rules = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)["Rules"]
    prefixes = [rule["Filter"]["Prefix"] for rule in rules]
    assert len(prefixes) == len(set(prefixes))
    assert not any("veil/audit/x".startswith(each) for each in prefixes)


class _Kept(Manifest):
    """Something that names an object."""

    ref: ObjectRef


def _result(store: Backend, key: str, ref: ObjectRef) -> None:
    """As Prefect writes it, in two versions."""
    result = json.dumps({"manifest": "TrackSet", "content": {"tracks_ref": ref.model_dump(), "num_tracks": 1, "num_persons": 1}})
    for _ in range(2):
        store.write(f"stages/{key}", json.dumps({"metadata": {"serializer": {"type": "veil-manifest"}}, "result": result}).encode())


def _job(sha256: str, *, keys: tuple[str, ...] = (), days_ago: float = 0, **others: object) -> JobRecord:
    note = StageNote(stage="build_tracks", version=1, seconds=1, keys=keys, num_cached=0, num_bytes=1, inputs={}, why="")
    about = {"name": "a.mp4", "started": datetime.now(UTC) - timedelta(days=days_ago), "outcome": "completed", "stages": (note,)} | others
    return JobRecord.model_validate({"flow_run_id": str(uuid4()), "source_sha256": sha256} | about)
