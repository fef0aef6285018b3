"""The results store: whole or absent, checked, and clear about what is wrong with it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from tasks.copying import Stretch
from tasks.errors import NoSpace, StoreError
from tasks.manifests import EncodedStretch, RenderedSegment, Shots
from tasks.plan import BuildTracks
from tasks.results import ObjectRef, ObjectStore, Record, content_key, manifest_from_bytes, manifest_to_bytes, probe_store
from tasks.stores.folder import FolderBackend
from tasks.tracks import Shot

SHOTS = Shots(shots=(Shot(first=0, last=9, visible_first=0, visible_last=10),))
PICTURES = ObjectRef(kind="pictures", sha256="a" * 64, num_bytes=3)
RENDERED = RenderedSegment(encoded=(EncodedStretch(stretch=Stretch(first=0, last=9), picture_ref=PICTURES),))


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore(FolderBackend(tmp_path))


def files(store: ObjectStore) -> list[str]:
    folder = store.backend.root / "objects"
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]


# objects


@pytest.mark.parametrize("content", [b"veil", b"", bytes(3 << 20)])  # more than a block is hashed in blocks
def test_an_object_is_named_by_what_is_in_it(store, content) -> None:
    ref = store.put("tracks", content)
    assert store.get(ref) == content
    assert store.has(ref)
    assert store.put("tracks", content) == ref
    assert files(store) == [f"tracks/{ref.sha256}"]


def test_an_object_that_is_gone(store) -> None:
    ref = store.put("tracks", b"veil")
    store.path(ref).unlink()
    assert not store.has(ref)
    with pytest.raises(StoreError, match=r"gone; run again"):
        store.get(ref)


@pytest.mark.parametrize("content", [b"evil", b"vei", b""])  # of the same length; cut short; empty
def test_an_object_that_was_changed_is_removed(store, content) -> None:
    ref = store.put("tracks", b"veil")
    store.path(ref).write_bytes(content)
    with pytest.raises(StoreError, match="was removed; run again"):
        store.get(ref)
    assert files(store) == []
    assert store.get(store.put("tracks", b"veil")) == b"veil"


@pytest.mark.parametrize("content", [b"vei", b"veils"])
def test_an_object_of_another_length_is_not_there(store, content) -> None:
    ref = store.put("tracks", b"veil")
    store.path(ref).write_bytes(content)
    assert not store.has(ref)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("stop"), OSError(errno.EIO, "disk")])  # killed, failed, broken disk
def test_a_failed_object_leaves_nothing(store, error) -> None:
    def write_half() -> None:
        with store.new_file("pictures") as (path, _):
            path.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert files(store) == []


def test_an_object_appears_at_once(store) -> None:
    with store.new_file("pictures") as (path, kept):
        path.write_bytes(b"half")
        assert [Path(name).name.startswith(".new-") for name in files(store)] == [True]
        path.write_bytes(b"whole")
    assert store.get(kept()) == b"whole"


def test_results_are_for_their_owner_alone(store) -> None:
    path = store.path(store.put("detections", b"faces"))
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("kind", ["../up", "a/b", "Tracks", "", "a.b"])
def test_a_name_cannot_leave_the_store(kind) -> None:
    with pytest.raises(ValueError, match="kind"):
        ObjectRef(kind=kind, sha256="0" * 64, num_bytes=0)


# a disk that is full, a folder that is none


@pytest.mark.parametrize(
    ("number", "kind", "way_out"),
    [
        (errno.ENOSPC, NoSpace, "free some space"),
        (errno.EDQUOT, NoSpace, "free some space"),  # the user's share of the disk
        (errno.EACCES, StoreError, "writable folder"),
        (errno.EROFS, StoreError, "writable folder"),
    ],
)
@pytest.mark.parametrize("place", ["mkdir", "write_bytes", "replace"])  # at the beginning, in between, at the very end
def test_a_disk_that_takes_nothing(store, monkeypatch, number, kind, way_out, place) -> None:
    def fail(*_, **__) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, place, fail)
    with pytest.raises(kind, match=way_out) as caught:
        store.put("tracks", b"veil")
    assert str(store.backend.root) in str(caught.value)
    assert files(store) == []


@pytest.mark.parametrize("check", [probe_store, lambda: ObjectStore().put("tracks", b"veil")])
def test_a_store_that_is_a_file(tmp_path, monkeypatch, check) -> None:
    (tmp_path / "results").write_text("a file")
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path / "results"))
    with pytest.raises(StoreError, match="VEIL_RESULTS"):
        check()


def test_probing_leaves_nothing(store, monkeypatch) -> None:
    monkeypatch.setenv("VEIL_RESULTS", store.backend.location)
    probe_store()
    assert files(store) == []


# manifests


@pytest.mark.parametrize("manifest", [SHOTS, RENDERED, Shots(shots=())])
def test_a_manifest_survives_bytes(manifest) -> None:
    back = manifest_from_bytes(manifest_to_bytes(manifest))
    assert back == manifest
    assert type(back) is type(manifest)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\x80\x04K\x01.",  # a pickle
        b'{"content": {}}',  # of no kind
        b'{"manifest": "os.system", "content": {}}',  # of an unknown kind
        b'{"manifest": "Manifest", "content": {"shots": []}}',  # of the base, which is none
        b'{"manifest": ["Shots"], "content": {}}',
        b'{"manifest": "Shots", "content": {"shots": [], "more": 1}}',  # of a later version
        b'{"manifest": "Shots", "content": {"shots": [{"first": "x"}]}}',
    ],
)
def test_anything_else_is_refused(content) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        manifest_from_bytes(content)


def test_a_record_is_read_or_not_there(tmp_path) -> None:
    record = Record("jobs/one", FolderBackend(tmp_path))
    assert record.read() is None
    record.write(SHOTS)
    assert record.read() == SHOTS
    (tmp_path / "jobs" / "one").write_bytes(manifest_to_bytes(SHOTS)[:-3])
    assert record.read() is None


def test_a_failed_record_leaves_nothing(tmp_path, monkeypatch) -> None:
    def fail(*_) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(NoSpace):
        Record("jobs/one", FolderBackend(tmp_path)).write(SHOTS)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# keys


def test_a_key_says_stage_version_and_inputs() -> None:
    stage, version, digest = content_key("find_shots", 3, {"video": SHOTS}).split("/")
    assert (stage, version, len(digest)) == ("find_shots", "v3", 64)


SAME = [
    ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}),  # order of dicts, at any depth
    ({"a": (1, 2)}, {"a": [1, 2]}),
    ({"settings": BuildTracks()}, {"settings": BuildTracks(lead_seconds=0.25)}),  # a default that is said aloud
    ({"a": [SHOTS]}, {"a": (manifest_from_bytes(manifest_to_bytes(SHOTS)),)}),
]
DIFFERENT = [
    ({"a": 1}, {"a": 2}),
    ({"a": 1}, {"b": 1}),
    ({"a": [1, 2]}, {"a": [2, 1]}),  # order of lists
    ({"a": None}, {}),
    ({"settings": BuildTracks()}, {"settings": BuildTracks(lead_seconds=0.3)}),
    ({"settings": BuildTracks()}, {"settings": BuildTracks(interpolator={"method": "linear"})}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_inputs_have_the_same_key(one, other) -> None:
    assert content_key("stage", 1, one) == content_key("stage", 1, other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_inputs_have_another_key(one, other) -> None:
    assert content_key("stage", 1, one) != content_key("stage", 1, other)


def test_another_stage_or_version_has_another_key() -> None:
    assert len({content_key("one", 1, {}), content_key("one", 2, {}), content_key("other", 1, {})}) == 3


def test_keys_are_the_same_on_every_machine() -> None:
    text = json.dumps({"a": [1, "x"]}, sort_keys=True)  # what is hashed is this text, and nothing of the process
    assert content_key("s", 1, {"a": [1, "x"]}) == f"s/v1/{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.mark.parametrize("value", [Path("video.mp4"), {1, 2}, object()])  # where something is, is not what it is
def test_what_has_no_content_cannot_be_part_of_a_key(value) -> None:
    with pytest.raises(TypeError, match="cannot be part of a key"):
        content_key("stage", 1, {"a": value})
