"""The same calls give the same answers wherever results are kept: a contract over both kinds of store, the one in S3 on a real server."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tasks.errors import BadSetting, StoreError
from tasks.results import ObjectStore, probe_store
from tasks.stores.backend import Backend
from tasks.stores.bucket import BucketBackend
from tasks.stores.folder import FolderBackend
from tasks.stores.settings import StoreSettings
from tasks.video.target import this_machine, this_process
from tests.buckets import BUCKET, Bucket

KEY = "objects/tracks/0123"


@pytest.fixture(params=["folder", "bucket", "bucket without a prefix"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "folder":
        return FolderBackend(tmp_path / "results")
    request.getfixturevalue("bucket")
    return BucketBackend(BUCKET, "" if "without" in request.param else "veil/results")


def test_nothing_is_there_at_first(backend: Backend) -> None:
    assert backend.read(KEY) is None
    assert backend.num_bytes(KEY) is None
    assert backend.file(KEY) is None
    assert list(backend.entries()) == []
    backend.remove(KEY)


@pytest.mark.parametrize("content", [b"veil", b"", bytes(9 << 20)])  # more than one part of an upload
def test_what_is_written_is_read(backend: Backend, content: bytes) -> None:
    backend.write(KEY, content)
    file = backend.file(KEY)
    assert file is not None
    assert (backend.read(KEY), backend.num_bytes(KEY), file.read_bytes()) == (content, len(content), content)
    backend.write(KEY, content + b"again")
    assert backend.read(KEY) == content + b"again"
    backend.remove(KEY)
    assert backend.read(KEY) is None


def test_entries_are_listed_by_the_beginnings_of_their_keys(backend: Backend) -> None:
    keys = ["jobs/aa/1", "jobs/aa/2", "jobs/ab/1", "stages/x"]
    for key in keys:
        backend.write(key, key.encode())
    entries = list(backend.entries())
    assert [entry.key for entry in entries] == keys
    assert [entry.num_bytes for entry in entries] == [len(key) for key in keys]
    assert all(abs(entry.modified - datetime.now(UTC)) < timedelta(minutes=5) for entry in entries)
    assert [entry.key for entry in backend.entries("jobs/aa/")] == keys[:2]
    assert [entry.key for entry in backend.entries("jobs/a")] == keys[:3]
    assert list(backend.entries("nowhere/")) == []


def test_a_file_is_kept_or_gone(backend: Backend) -> None:
    with backend.new_file("objects/pictures") as path:
        path.write_bytes(b"whole")
        backend.keep(path, KEY)
    assert backend.read(KEY) == b"whole"
    with backend.new_file("objects/pictures") as path:
        path.write_bytes(b"half")
    assert not path.exists()
    assert [entry.key for entry in backend.entries()] == [KEY]


def test_an_object_that_was_changed_is_found_out(backend: Backend) -> None:
    store = ObjectStore(backend)
    for read in (store.get, store.path):
        ref = store.put("tracks", b"veil")
        backend.write(f"objects/tracks/{ref.sha256}", b"evil")
        with pytest.raises(StoreError, match="was removed; run again"):
            read(ref)
        assert not store.has(ref)


# only in S3


def test_all_versions_are_removed(bucket: Bucket) -> None:
    bucket.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    store = BucketBackend(BUCKET, "veil")
    for content in (b"one", b"two"):
        store.write(KEY, content)
    store.write(f"{KEY}4", b"other")
    store.remove(KEY)
    left = bucket.client.list_object_versions(Bucket=BUCKET)
    assert [each["Key"] for each in left["Versions"]] == [f"veil/{KEY}4"]
    assert "DeleteMarkers" not in left


def test_what_is_there_is_not_sent_again(bucket: Bucket, tmp_path: Path) -> None:
    store = BucketBackend(BUCKET, "veil")
    path = tmp_path / "content"
    path.write_bytes(b"whole")
    store.keep(path, KEY)
    first = bucket.client.head_object(Bucket=BUCKET, Key=f"veil/{KEY}")["LastModified"]
    store.keep(path, KEY)
    assert bucket.client.head_object(Bucket=BUCKET, Key=f"veil/{KEY}")["LastModified"] == first


def test_with_a_key_everything_is_encrypted_with_it(bucket: Bucket, tmp_path: Path) -> None:
    store = BucketBackend(BUCKET, "veil", "alias/faces")
    store.write("written", b"1")
    with store.new_file("") as path:
        path.write_bytes(b"2")
        store.keep(path, "kept")
    heads = [bucket.client.head_object(Bucket=BUCKET, Key=f"veil/{key}") for key in ("written", "kept")]
    assert {(head["ServerSideEncryption"], head["SSEKMSKeyId"]) for head in heads} == {("aws:kms", "alias/faces")}


def test_results_expire_and_other_rules_stay(bucket: Bucket) -> None:
    other = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 7}}
    bucket.client.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [other]})
    store = BucketBackend(BUCKET, "veil")
    assert store.expires_days() is None
    for days in (30, 20):  # said twice: changed, not added
        store.expire_after(days)
    rules = bucket.client.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert sorted((rule["ID"], rule["Expiration"]["Days"]) for rule in rules) == [("logs", 7), ("veil: veil", 20)]
    assert store.expires_days() == 20
    assert BucketBackend(BUCKET, "elsewhere").expires_days() is None


@pytest.mark.parametrize(
    ("change", "said", "may_pass"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "cannot be reached; check the network", True),
        ({"VEIL_RESULTS": "s3://nowhere/x"}, "there is no such bucket; check the URL", False),
    ],
)
def test_a_store_that_is_not_there(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, change: dict[str, str], said: str, may_pass: bool
) -> None:
    monkeypatch.setenv("VEIL_RESULTS", f"s3://{BUCKET}/veil")
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=said) as caught:
        probe_store()
    assert caught.value.may_pass is may_pass
    assert caught.value.subject.startswith("s3://")


# probing


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, None),
        ({"kms_key": "alias/faces", "require_encryption": True}, None),
        ({"require_encryption": True}, "does not encrypt as demanded"),  # the bucket has no default, and no key is given
    ],
)
def test_encryption_is_found_out_before_any_work(bucket: Bucket, settings: dict[str, object], said: str | None) -> None:
    probed = StoreSettings(location=f"s3://{BUCKET}/veil", **settings)
    if said is None:
        probe_store(probed)
    else:
        with pytest.raises(StoreError, match=said):
            probe_store(probed)
    assert bucket.names() == []


def test_a_folder_does_not_say_that_it_encrypts(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="it says nothing of encryption"):
        probe_store(StoreSettings(location=str(tmp_path), require_encryption=True))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"location": "s3://"}, "names no bucket"),
        ({"location": "gs://bucket/x"}, "neither a folder nor in S3"),
        ({"location": "/tmp/x", "kms_key": "alias/faces"}, "is for a store in S3"),
    ],
)
def test_settings_that_are_none(settings: dict[str, str], said: str) -> None:
    with pytest.raises(BadSetting, match=said):
        StoreSettings(**settings).backend()


def test_what_killed_processes_left_is_removed(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = [tmp_path / f"veil-results-{name}-x" for name in (f"{this_machine()}-999999999", this_process(), "elsewhere-1", "elsewhere-2")]
    for folder in left:
        folder.mkdir()
        (folder / "object").write_bytes(b"faces")
    os.utime(left[3], (0, 0))  # of another machine, and nobody has touched it for long
    BucketBackend(BUCKET, "veil").prepare()
    assert [folder.exists() for folder in left] == [False, True, True, False]
