"""Files that are written beside their place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.errors import BadOutput
from tasks.video.target import left_beside, this_process, whole_file


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_link_that_lies_in_wait_is_not_followed(tmp_path: Path) -> None:
    """Somebody else, who may write to the same folder, guesses the name of what a process is about to write."""
    victim, out = tmp_path / "victim", tmp_path / "out.mp4"
    victim.write_text("untouched")
    for guess in (f".out.unfinished-{this_process()}.mp4", f".out.unfinished-{this_process()}-.mp4"):
        (tmp_path / guess).symlink_to(victim)
    with whole_file(out) as file:
        file.path.write_text("new")
        file.keep()
    assert victim.read_text() == "untouched"
    assert out.read_text() == "new"


def test_what_is_unfinished_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for private, kept in ((False, 0o644), (True, 0o600)):
            with whole_file(tmp_path / "out.mp4", private=private) as file:
                assert mode(file.path) == 0o600
                file.keep()
            assert mode(tmp_path / "out.mp4") == kept
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", ["n" * 251 + ".mp4", "å" * 125 + ".mp4"])
def test_a_name_may_be_as_long_as_the_disk_allows(name: str, tmp_path: Path) -> None:
    out = tmp_path / name
    with whole_file(out) as file:
        assert left_beside(out) == [file.path]
        assert file.path.suffix == ".mp4"
        file.keep()
    assert out.exists()
    assert left_beside(out) == []


def test_a_folder_that_cannot_be_written_to_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(BadOutput, match="cannot be written"), whole_file(tmp_path / "gone" / "out.mp4"):
        pass
