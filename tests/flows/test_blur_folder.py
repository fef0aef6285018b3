"""A folder of videos: what is new in it, whatever its names and times say; and what fails."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from flows.blur_folder import Outcome, SomeFailed, blur_folder
from tasks.errors import BadOutput
from tasks.plan import Plan, make_plan
from tests.clips import Clip


@pytest.fixture
def folders(tmp_path: Path, no_faces_clip: Clip) -> tuple[Path, Path]:
    source, target = tmp_path / "in", tmp_path / "out"
    for folder in (source, target):
        folder.mkdir()
    shutil.copy(no_faces_clip.video, source / "take2.mp4")
    (source / "notes.txt").write_text("no video")
    (source / ".take3.mp4").write_text("a file that a program is still writing")
    return source, target


def outcomes(source: Path, target: Path, plan: Plan = Plan(), overwrite: bool = False) -> dict[str, str]:  # noqa: B008
    result: tuple[Outcome, ...] = blur_folder(str(source), str(target), plan, overwrite)
    return {each.video: each.outcome for each in result}


def test_new_by_content(prefect_server: str, empty_store: Path, folders: tuple[Path, Path]) -> None:
    source, target = folders
    assert outcomes(source, target) == {"take2.mp4": "blurred"}
    assert sorted(path.name for path in target.iterdir()) == ["take2.mp4"]
    written = (target / "take2.mp4").stat()

    os.utime(source / "take2.mp4", (0, 0))
    assert outcomes(source, target) == {"take2.mp4": "known"}, "a file that was only touched"
    assert (target / "take2.mp4").stat().st_mtime_ns == written.st_mtime_ns

    other = make_plan({"verify_blur": {"every_frames": 6}})
    with pytest.raises(SomeFailed, match="exists already"):
        outcomes(source, target, other)  # it is not the same job, and nobody said that its result may be replaced
    assert outcomes(source, target, other, overwrite=True) == {"take2.mp4": "blurred"}


def test_what_fails_stops_no_other(prefect_server: str, empty_store: Path, folders: tuple[Path, Path]) -> None:
    source, target = folders
    (source / "take1.mp4").write_text("no video")  # comes first
    with pytest.raises(SomeFailed, match=r"1 of 2 videos failed: take1\.mp4 \(.*cannot be read as a video"):
        outcomes(source, target)
    assert (target / "take2.mp4").is_file()


def test_into_itself(prefect_server: str, empty_store: Path, folders: tuple[Path, Path]) -> None:
    with pytest.raises(BadOutput, match="is the input itself"):
        outcomes(folders[0], Path(f"{folders[0]}/"))
