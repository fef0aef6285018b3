"""Stored records: Prefect believes what they say of themselves, so those that may not be believed are removed first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect import flow
from prefect.results import ResultRecord, ResultRecordMetadata
from prefect.serializers import JSONSerializer, PickleSerializer

from tasks.copying import Stretch
from tasks.manifests import EncodedStretch, RenderedSegment
from tasks.results import ObjectStore, read_sealed, write_sealed
from tasks.stage import ManifestSerializer, Records, stage
from tasks.stores.seal import sealed
from tasks.stores.settings import record_seal

KEY = "a_stage/v1/0123"


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (str(self.path),))


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of Prefect's records; objects lie in the same store."""
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path))
    return tmp_path / "stages"


@pytest.fixture
def manifest(records: Path) -> RenderedSegment:
    return rendered(b"pictures", 3)


def rendered(pictures: bytes, num_frames: int) -> RenderedSegment:
    stretch = Stretch(first=0, last=num_frames - 1)
    return RenderedSegment(encoded=(EncodedStretch(stretch=stretch, picture_ref=ObjectStore().put("pictures", pictures)),))


def record_of(result: object, serializer: object) -> bytes:
    return ResultRecord(result=result, metadata=ResultRecordMetadata(serializer=serializer)).serialize()


def keep(records: Path, content: bytes) -> Path:
    path = records / KEY
    write_sealed(f"stages/{KEY}", content)  # by somebody who has the key: what else is read of it is shown here
    return path


def is_there(key: str = KEY) -> bool:
    """As Prefect asks."""
    try:
        ResultRecord.deserialize(Records().read_path(key))
    except Exception:
        return False
    return True


def test_a_whole_record_is_read(records, manifest) -> None:
    keep(records, record_of(manifest, ManifestSerializer()))
    assert ResultRecord.deserialize(Records().read_path(KEY)).result == manifest


def test_no_record_is_no_result(records) -> None:
    assert not is_there()


def renamed(record: bytes, **top_level: object) -> bytes:
    return json.dumps(json.loads(record) | top_level).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record[: len(record) // 2],  # the machine went off while it was written
        lambda record: b"",
        lambda record: b"[]",
        lambda record: b"\x00\x01",
        lambda record: renamed(record, metadata={}),  # Prefect's default is pickle
        lambda record: renamed(record, metadata="veil-manifest"),
        lambda record: renamed(record, result=None),
        lambda record: renamed(record, result="{"),
    ],
)
def test_what_is_not_whole_is_not_there(records, manifest, spoil) -> None:
    keep(records, spoil(record_of(manifest, ManifestSerializer())))
    assert not is_there()


@pytest.mark.parametrize("content", [None, b"picture"])  # gone; cut short
def test_a_record_without_its_objects_is_not_there(records, manifest, content) -> None:
    keep(records, record_of(manifest, ManifestSerializer()))
    place = ObjectStore().path(manifest.encoded[0].picture_ref)
    place.unlink() if content is None else place.write_bytes(content)
    assert not is_there()


def pickled(manifest: RenderedSegment, bomb: Bomb) -> bytes:
    return record_of(bomb, PickleSerializer())


def as_json(manifest: RenderedSegment, bomb: Bomb) -> bytes:
    return record_of({"manifest": "RenderedSegment"}, JSONSerializer())


def old_format(manifest: RenderedSegment, bomb: Bomb) -> bytes:
    """Prefect moves a `serializer` and `data` beside the metadata into it, over what is there."""
    pickled_record = json.loads(record_of(bomb, PickleSerializer()))
    honest = json.loads(record_of(manifest, ManifestSerializer()))
    return json.dumps(honest | {"serializer": {"type": "pickle"}, "data": pickled_record["result"]}).encode()


def said_twice(manifest: RenderedSegment, bomb: Bomb) -> bytes:
    """A name twice in one JSON object."""
    honest, evil = (record_of(manifest, ManifestSerializer()).decode(), record_of(bomb, PickleSerializer()).decode())
    return f"{honest[:-1]},{evil[1:]}".encode()


NOT_OURS = [
    pickled,
    as_json,
    said_twice,
    pytest.param(
        old_format,
    ),
]


@pytest.mark.parametrize("make", NOT_OURS)
def test_what_a_record_says_is_never_run(records, manifest, tmp_path, make) -> None:
    bomb = Bomb(tmp_path / "code-was-run")
    keep(records, make(manifest, bomb))
    assert not is_there()
    assert not bomb.path.exists()


# the same, by Prefect itself


class Counted:
    calls = 0


@stage("blur_faces", apart=("source",))
def counted(source: Path, number: int) -> RenderedSegment:
    Counted.calls += 1
    return rendered(f"picture {number}".encode(), number)


@pytest.fixture
def run(prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Runs the stage in a flow; says what it gave and whether it was computed."""
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path))

    @flow(name="one-stage", persist_result=False)
    def one_stage(source: Path, number: int) -> tuple[RenderedSegment, bool]:
        before = Counted.calls
        return counted(source, number), Counted.calls > before

    return one_stage


def test_prefect_runs_again_only_what_is_not_whole(run, tmp_path) -> None:
    first, computed = run(Path("a.mp4"), 7)
    assert computed
    assert run(Path("elsewhere.mp4"), 7) == (first, False), "where the source lies is not part of the key"
    (path,) = [each for each in (tmp_path / "stages").rglob("*") if each.is_file()]
    key = str(path.relative_to(tmp_path))
    whole, bomb = read_sealed(key), Bomb(tmp_path / "code-was-run")
    assert whole is not None
    assert json.loads(whole)["metadata"]["serializer"]["type"] == "veil-manifest"
    spoilt = [
        whole[:-10],  # cut short
        record_of(bomb, PickleSerializer()),
        record_of({"a": 1}, JSONSerializer()),
        renamed(whole, result='{"manifest": "Gone", "content": {}}'),  # of a kind that this version does not know
    ]
    unsealed = [path.read_bytes()[:-10], whole, path.read_bytes().replace(b"veil", b"evil")]
    for content in (*(sealed(record_seal(), key, each) for each in spoilt), *unsealed):
        path.write_bytes(content)
        assert run(Path("a.mp4"), 7) == (first, True)
        assert run(Path("a.mp4"), 7) == (first, False)
    ObjectStore().path(first.encoded[0].picture_ref).unlink()
    assert run(Path("a.mp4"), 7) == (first, True)
    assert not bomb.path.exists()
