"""Who can write to a store, but has not its key, makes nobody believe anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import StoreError
from tasks.manifests import TrackSet
from tasks.results import ObjectRef, Record, manifest_to_bytes, probe_store, read_sealed, write_sealed
from tasks.s3.client import new_client
from tasks.stores.seal import BLOCK, KeySeal, forget_keys, seal_of, sealed, unsealed
from tasks.stores.settings import StoreSettings, record_seal, results_store
from tests.buckets import Bucket

KEY = b"k" * 32
TRACKS = TrackSet(tracks_ref=ObjectRef(kind="tracks", sha256="0" * 64, num_bytes=1), num_tracks=1, num_persons=1, ignored=())


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        ("stages/a", b"planted"),  # as anybody may write it
        ("stages/a", b""),
        ("stages/a", sealed(KeySeal(b"x" * 32), "stages/a", b"planted")),  # with another key
        ("stages/b", sealed(KeySeal(KEY), "stages/a", b"true")),  # true, but of another record
        ("stages/a", sealed(KeySeal(KEY), "stages/a", b"true")[:-1]),  # cut short
        ("stages/a", sealed(KeySeal(KEY), "stages/a", b"true").replace(b"true", b"lies")),
    ],
)
def test_what_was_not_sealed_for_this_name_is_not_there(key: str, stored: bytes) -> None:
    assert unsealed(KeySeal(KEY), key, stored) is None


def test_what_was_sealed_is_what_it_was() -> None:
    assert unsealed(KeySeal(KEY), "stages/a", sealed(KeySeal(KEY), "stages/a", b"two\nlines")) == b"two\nlines"


def test_a_record_that_somebody_put_into_the_store_is_not_read(empty_store: Path) -> None:
    record = Record("finished/v1/aa")
    results_store().write(record.key, manifest_to_bytes(TRACKS))
    assert record.read() is None
    record.write(TRACKS)
    assert record.read() == TRACKS
    results_store().write("finished/v1/bb", results_store().read(record.key))
    assert Record("finished/v1/bb").read() is None


def test_the_key_is_made_once_and_is_private(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEIL_SETTINGS", str(tmp_path / "own" / "settings.toml"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    write_sealed("stages/a", b"true")
    made = tmp_path / "own" / "results.key"
    assert made.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in made.parent.iterdir()] == ["results.key"]
    assert read_sealed("stages/a") == b"true"
    made.unlink()
    assert read_sealed("stages/a") is None, "with another key"


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), ("short", "too short")])
def test_a_key_that_is_none_is_said_before_any_work(content: str | None, says: str, empty_store: Path, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    with pytest.raises(StoreError, match=says):
        probe_store(StoreSettings(location=str(empty_store), record_key=str(tmp_path / "key")))


def test_the_key_is_in_secrets_manager_or_in_kms(bucket: Bucket) -> None:
    secret = f"veil-{bucket.name}"
    new_client("secretsmanager").create_secret(Name=secret, SecretString="s" * 64)
    key = new_client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    forget_keys()
    marks = [seal_of(where, Path("/none"), "").mark(b"a") for where in (f"secretsmanager:{secret}", f"kms:{key}")]
    assert [len(mark) for mark in marks] == [32, 32]
    assert marks[0] == KeySeal(b"s" * 64).mark(b"a")
    for where in ("secretsmanager:none", "kms:none"):
        with pytest.raises(StoreError, match=where):
            seal_of(where, Path("/none"), "").mark(b"a")


def test_who_share_a_server_share_a_key(prefect_server: str) -> None:
    from prefect.blocks.system import Secret

    forget_keys()
    first = seal_of("", Path("/none"), prefect_server).mark(b"a")
    forget_keys()  # as another process
    assert seal_of("", Path("/none"), prefect_server).mark(b"a") == first
    assert KeySeal(str(Secret.load(BLOCK).get()).encode()).mark(b"a") == first


def test_a_server_that_a_profile_names_has_the_key_too(prefect_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    (tmp_path / "profiles.toml").write_text(f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{prefect_server}"\n')
    forget_keys()
    assert record_seal(StoreSettings()).mark(b"a") == seal_of("", Path("/none"), prefect_server).mark(b"a")
