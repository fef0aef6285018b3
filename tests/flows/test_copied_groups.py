"""What nobody is covered in stays the source's own, packet by packet; a result that would not play with it is encoded as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

from tasks.video.renumbering import SpliceError
from tests.clips import Clip
from tests.flows.running import SECOND, Run, keep, run_flow
from tests.video.drawing import packets
from tests.video.splicing import changed


@pytest.fixture(scope="module")
def copied(shared_store: Path, visits_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_flow(visits_clip.video, tmp_path_factory.mktemp("copied") / "out.mp4", SECOND)


def test_the_shot_without_anybody_is_copied(copied: Run, visits_clip: Clip) -> None:
    empty = [number for number, faces in enumerate(visits_clip.truth.faces) if not faces]
    assert (copied.report.num_copied_frames, copied.report.why_all_encoded) == (len(empty), None)
    pairs = zip(packets(copied.source), packets(copied.target), strict=True)
    assert [number for number, (one, other) in enumerate(pairs) if one == other] == empty


def test_all_is_copied_when_nobody_is_covered(copied: Run, tmp_path: Path, visits_clip: Clip) -> None:
    run = run_flow(copied.source, tmp_path / "out.mp4", SECOND | keep(visits_clip.folder / "refs"))
    assert run.report.num_copied_frames == run.report.num_frames
    assert packets(run.target) == packets(run.source)


def test_copying_can_be_turned_off(copied: Run, tmp_path: Path) -> None:
    run = run_flow(copied.source, tmp_path / "out.mp4", SECOND | {"blur_faces": {"copy_untouched": False}})
    assert (run.report.num_copied_frames, run.report.why_all_encoded) == (0, "blur_faces.copy_untouched is off")


def test_another_container_is_said_to_be_the_reason(copied: Run, tmp_path: Path) -> None:
    run = run_flow(copied.source, tmp_path / "out.ts", SECOND)
    assert run.report.num_copied_frames == 0
    assert "mp4, mov and mkv" in str(run.report.why_all_encoded)


def spoiled(unit: bytes, _: str) -> bytes:
    return unit[:1] + bytes(len(unit) - 1) if unit[0] & 31 in (1, 5) else unit


def refused(*_: Any) -> bytes:
    raise SpliceError("the encoder made sublayers")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (refused, "sublayers"),  # found while joining
        (spoiled, "the source's frames"),  # found while checking
    ],
)
def test_what_does_not_play_is_encoded_as_a_whole(
    change: Callable[..., bytes], why: str, copied: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.video.splicing.renumbered", change)
    run = run_flow(copied.source, tmp_path / "out.mp4", SECOND)
    assert run.report.num_copied_frames == 0
    assert why in str(run.report.why_all_encoded)
    with av.open(str(run.target)) as container:
        assert sum(1 for _ in container.decode(video=0)) == run.report.num_frames


SECRET = b"+60.3913+005.3221/"  # where somebody was filmed


@pytest.mark.parametrize(
    ("hide", "left_out", "why"),
    [
        (lambda units: [b"\x0c" + SECRET + b"\x80", *units], "data beside the picture in the picture's own stream (in 1 packets)", None),
        (lambda units: [*units[:-1], units[-1] + SECRET], None, "something may be hidden behind a picture"),
    ],
    ids=["in a unit", "behind a slice"],
)
def test_what_is_hidden_in_a_copied_shot_does_not_come_through(
    hide: Callable[[list[bytes]], list[bytes]], left_out: str | None, why: str | None, copied: Run, tmp_path: Path
) -> None:
    pairs = zip(packets(copied.source), packets(copied.target), strict=True)
    in_a_copied_group = [number for number, (one, other) in enumerate(pairs) if one == other][1]
    source = changed(copied.source, tmp_path / "in.mp4", lambda number, units: hide(units) if number == in_a_copied_group else units)
    assert SECRET in source.read_bytes()
    run = run_flow(source, tmp_path / "out.mp4", SECOND)
    assert SECRET not in run.target.read_bytes()
    assert run.report.num_copied_frames < copied.report.num_copied_frames
    assert [line for line in run.report.left_out if "own stream" in line] == ([left_out] if left_out else [])
    assert why is None or why in str(run.report.why_all_encoded)
