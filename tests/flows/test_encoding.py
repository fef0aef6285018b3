"""How the picture was written, and what came through besides it, as a whole job does and reports it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.clips import Clip
from tests.flows.running import run_flow


def named(source: Path, path: Path) -> Path:
    """The same film with a title and a place."""
    with av.open(str(source)) as film, av.open(str(path), "w") as container:
        container.metadata.update({"title": "At home", "location": "+60.3+5.3/"})
        copies = [container.add_stream_from_template(one, opaque=True) for one in film.streams]
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
    return path


def test_the_report_says_how_and_what(shared_store: Path, no_faces_clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.video.encoders.why_not_encoding", lambda encoder: "no card")
    source, target = named(no_faces_clip.video, tmp_path / "named.mp4"), tmp_path / "out.mp4"
    run = run_flow(source, target, {"blur_faces": {"encoder": {"codec": "h264_nvenc", "preset": "ultrafast"}}, "keep_metadata": ["title"]})

    encoding = run.report.encoding
    assert encoding is not None
    assert (encoding.encoder, encoding.preset, encoding.pixel_format) == ("libx264", "ultrafast", "yuv420p")
    assert "not as in the source: hardware: h264_nvenc cannot be used here (no card); libx264 was used" in run.report.warnings
    assert set(run.report.left_out) == {"metadata: location", "metadata: location-eng"}
    with av.open(str(target)) as container:
        assert container.metadata.get("title") == "At home"
        assert "location" not in container.metadata
    assert b"loci" in source.read_bytes()
    assert b"loci" not in target.read_bytes()
