"""Tracks that are left out on request: not in the result, in the report, and nothing else is worked on again."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from flows.request import check_request, finished_before
from tasks.plan import make_plan
from tests.clips import Clip
from tests.flows.running import run_flow
from tests.video.drawing import with_titles

CAMERA = "a second camera track (stream 3, h264) does not come through"


@pytest.fixture
def source(no_faces_clip: Clip, tmp_path: Path) -> Path:
    """Picture 0, sound 1, subtitles 2, and another camera 3."""
    titled, path = with_titles(no_faces_clip.video, tmp_path / "titled.mkv"), tmp_path / "in.mkv"
    with av.open(str(titled)) as film, av.open(str(no_faces_clip.video)) as other, av.open(str(path), "w") as container:
        copies = [container.add_stream_from_template(one, opaque=True) for one in (*film.streams, other.streams.video[0])]
        for packet in (*film.demux(), *other.demux(video=0)):
            if packet.size:
                packet.stream = copies[packet.stream_index if packet.stream.container is film else 3]
                container.mux(packet)
    return path


def kinds(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams]


def test_what_is_dropped_is_gone_and_said(shared_store: Path, source: Path, tmp_path: Path) -> None:
    whole = run_flow(source, tmp_path / "whole.mkv", {})
    assert kinds(whole.target) == ["video", "audio", "subtitle"]
    assert CAMERA in whole.report.warnings
    assert not any("as was asked for" in line for line in whole.report.left_out)

    request = check_request(str(source), str(whole.target), make_plan({"drop": ["audio"]}), overwrite=True)
    assert finished_before(request) is None, "what has its sound is not taken for what has none"

    silent = run_flow(source, tmp_path / "silent.mp4", {"drop": ["audio", 2, 3]})
    assert kinds(silent.target) == ["video"], "and what remains is all that the container has to hold"
    assert CAMERA not in silent.report.warnings
    said = {"audio stream 1 (aac), as was asked for", "subtitle stream 2 (subrip), as was asked for", "second video stream 3 (h264)"}
    assert said <= set(silent.report.left_out)
    again = {stage.stage for stage in silent.report.stages if stage.num_cached < stage.num_parts}
    assert again <= {"verify_blur"}, "only what was written anew is looked at again"
