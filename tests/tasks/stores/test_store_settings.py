"""Who says where results are kept, and whose word stands above whose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows import cli
from tasks.errors import BadSetting
from tasks.stores.bucket import BucketBackend
from tasks.stores.settings import VARIABLE, forget_settings, results_store, settings_file, store_settings
from tests.buckets import BUCKET, Bucket


@pytest.fixture(autouse=True)
def nothing_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No environment, no file, no server; what was read before is forgotten."""
    for name in ("VEIL_RESULTS", "VEIL_RESULTS_KMS_KEY", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VEIL_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    forget_settings()
    yield
    forget_settings()


@pytest.fixture
def server(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    from prefect.variables import Variable

    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    yield prefect_server
    Variable.unset(VARIABLE, _sync=True)


def test_by_default_results_are_at_home() -> None:
    assert store_settings().location == "~/.veil/results"
    assert results_store().location == str(Path.home() / ".veil" / "results")


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_file().write_text(f'[results]\nlocation = "{tmp_path}/configured"\n')
    assert results_store().location == f"{tmp_path}/configured"
    monkeypatch.setenv("VEIL_RESULTS", f"{tmp_path}/said")
    assert results_store().location == f"{tmp_path}/said"


def test_a_chosen_server_stands_above_the_file(server: str, tmp_path: Path) -> None:
    from prefect.variables import Variable

    settings_file().write_text(f'[results]\nlocation = "{tmp_path}/file"\n')
    assert store_settings().location == "~/.veil/results", "a server that says nothing means the default, on every worker the same"
    Variable.set(VARIABLE, f"{tmp_path}/plain", overwrite=True, _sync=True)  # as somebody types it into Prefect's form
    forget_settings()
    assert results_store().location == f"{tmp_path}/plain"


def test_the_commands_own_server_is_not_asked(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_file().write_text(f'[results]\nlocation = "{tmp_path}/file"\n')
    monkeypatch.setenv("VEIL_OWN_SERVER", "1")
    assert results_store().location == f"{tmp_path}/file"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[results", "is not TOML"),
        ('[results]\nlocation = ""\n', "location"),
        ('[results]\nplace = "/x"\n', "place"),
        ("[results]\nexpire_days = 0\n", "expire_days"),
    ],
)
def test_a_file_that_says_nothing_sensible(text: str, said: str) -> None:
    settings_file().write_text(text)
    with pytest.raises(BadSetting, match=said):
        store_settings()


def test_configure_remembers_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["configure", "--results", str(tmp_path / "kept here")]) == 0
    assert "it works" in capsys.readouterr().out
    assert results_store().location == str(tmp_path / "kept here")
    assert cli.main(["configure"]) == 0
    assert str(tmp_path / "kept here") in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--results", "/proc/nowhere"], 1, "writable folder"),
        (["--results", "s3://"], 2, "names no bucket"),
        (["--expire-days", "3"], 2, "veil forget"),  # a folder deletes nothing by itself
        (["--results", "/tmp/x", "--kms-key", "k"], 2, "is for a store in S3"),
        (["--results", "/tmp/x", "--require-encryption"], 1, "does not encrypt as demanded"),
    ],
)
def test_what_does_not_work_is_not_remembered(words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["configure", *words]) == status
    assert said in capsys.readouterr().err
    assert not settings_file().exists()


def test_configure_on_a_server_leaves_a_block_and_a_variable(server: str, bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    from prefect_aws import S3Bucket

    words = ["--results", f"s3://{BUCKET}/veil", "--kms-key", "alias/faces", "--expire-days", "30", "--require-encryption"]
    for _ in range(2):  # again changes nothing
        assert cli.main(["configure", *words]) == 0, capsys.readouterr().err
    assert store_settings().location == "s3-bucket/veil-results"
    block = S3Bucket.load("veil-results", _sync=True)
    assert (block.bucket_name, block.bucket_folder) == (BUCKET, "veil")
    store = results_store()
    assert isinstance(store, BucketBackend)
    assert (store.location, store.kms_key, store.expires_days()) == (f"s3://{BUCKET}/veil", "alias/faces", 30)
    store.write("key", b"content")
    assert bucket.names() == ["veil/key"]
