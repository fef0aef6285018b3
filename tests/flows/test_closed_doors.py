"""What somebody else put into a folder, a store or a name does nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flows import environment
from flows.screen import Screen
from tasks.errors import BadSetting, StoreError
from tasks.plain_text import visible
from tasks.stores.folder import FolderBackend


@pytest.mark.parametrize(
    ("name", "content", "refused"),
    [
        (".env", "PREFECT_LOGGING_SETTINGS_PATH=log.yml\n", True),
        (".env", "export prefect_api_url=http://example\n", True),
        (".env", "DATABASE=x\n", False),
        ("prefect.toml", '[logging]\nconfig_path = "log.yml"\n', True),
        ("pyproject.toml", '[tool.prefect.logging]\nconfig_path = "log.yml"\n', True),
        ("pyproject.toml", '[tool]\nprefect.logging.config_path = "log.yml"\n', True),
        ("pyproject.toml", "[tool.ruff]\nline-length = 100\n", False),
    ],
)
def test_settings_in_the_current_folder_are_not_taken(
    name: str, content: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prefect's logging settings alone can name any program to run."""
    (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)
    if refused:
        with pytest.raises(BadSetting, match=f"{name}: holds settings of Prefect's"):
            environment.prepare()
    else:
        environment.prepare()


def test_a_linked_folder_in_the_store_is_not_followed(tmp_path: Path) -> None:
    theirs, root = tmp_path / "theirs", tmp_path / "results"
    theirs.mkdir()
    (theirs / "letter").write_text("precious")
    root.mkdir()
    (root / "missed").symlink_to(theirs)
    store = FolderBackend(root)
    assert list(store.entries()) == []
    assert list(store.entries("missed/")) == []
    for touch in (lambda: store.remove("missed/letter"), lambda: store.read("missed/letter"), lambda: store.write("missed/more", b"")):
        with pytest.raises(StoreError, match="is a link"):
            touch()
    assert (theirs / "letter").read_text() == "precious"


def test_a_record_that_is_no_file_is_not_there(tmp_path: Path) -> None:
    store = FolderBackend(tmp_path)
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    before = time.monotonic()
    assert store.read("fifo") is store.read("folder") is store.read("absent") is None
    assert time.monotonic() - before < 5


def test_a_folder_with_other_things_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("")
    (tmp_path / ".new-old").write_text("")
    tmp_path.chmod(0o755)
    FolderBackend(tmp_path).prepare()
    assert tmp_path.stat().st_mode & 0o777 == 0o755
    assert (tmp_path / ".new-old").exists()


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    name = "x\x1b[31mRED\x1b]0;t\a\nveil: all done\u202egnp.mp4"
    assert "\n" not in visible(name)
    Screen().say(name)
    said = capsys.readouterr().err
    assert not {"\x1b", "\a", "\u202e"} & set(said)
    assert said.count("\n") == 1
