"""Tracks exported as the thesis's sequences and read in again cover the same faces, without a look at the video's pictures."""

from __future__ import annotations

from pathlib import Path

from flows import cli
from flows.job_record import latest
from tests.clips import Clip
from tests.flows.looking import HIDDEN, grey_frames, likeness
from tests.flows.running import SECOND, run_flow


def test_there_and_back(prefect_server: str, empty_store: Path, visits_clip: Clip, tmp_path: Path) -> None:
    sequences = tmp_path / "sequences.json"
    words = ["--set", "segment_seconds=1"]
    assert cli.main(["export", str(visits_clip.video), "-o", str(sequences), *words]) == 0

    moved = run_flow(visits_clip.video, tmp_path / "moved.mp4", SECOND | {"sequences": {"path": str(sequences)}})

    record = latest(moved.report.video)
    assert record is not None
    assert "find_faces" not in [note.stage for note in record.stages]
    before, after = (grey_frames(path)[0] for path in (visits_clip.video, moved.target))
    seen = [
        likeness(before[frame], after[frame], face.full_box)
        for frame in range(0, len(before), 5)
        for face in visits_clip.truth.faces[frame]
    ]
    assert seen
    assert max(seen) < HIDDEN

    sequences.write_text("[]")
    assert cli.main(["blur", str(visits_clip.video), "-o", str(tmp_path / "none.mp4"), "--sequences", str(sequences)]) == 2
