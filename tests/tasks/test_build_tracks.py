"""All segments' detections to tracks."""

from __future__ import annotations

import pytest

from tasks.build_tracks import build_tracks
from tasks.false_positives import Ignored
from tasks.manifests import SegmentFaces, Shots, Video
from tasks.plan import BuildTracks
from tasks.recognisers.faceres import Faceres
from tasks.results import ObjectStore
from tasks.tracks import Shot
from tests.fakes import FaceScript, found, frame_index, square, video_info


def tracks_of(scripts: list[FaceScript], looked: list[range | list[int]], settings=BuildTracks()):  # noqa: B008
    store, info = ObjectStore(), video_info()
    video = Video(info=info, index_ref=store.put("index", frame_index(info).to_bytes()))
    faces = [
        SegmentFaces(detections_ref=store.put("detections", found(script, frames).to_bytes()), num_looks=1, num_frames=1)
        for script, frames in zip(scripts, looked, strict=True)
    ]
    shots = Shots(shots=(Shot(first=0, last=99, visible_first=0, visible_last=99),))
    return build_tracks.fn(video, shots, faces, (), Faceres(), settings).tracks


@pytest.fixture(autouse=True)
def _store(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path))


def test_segments_leave_no_mark() -> None:
    face = {frame: [square(300, 100, 40)] for frame in range(0, 100, 4)}
    (whole,) = tracks_of([face], [range(0, 100, 4)])
    (parts,) = tracks_of([face, face], [range(0, 48, 4), range(48, 100, 4)])
    assert (parts.first, parts.last) == (whole.first, whole.last) == (0, 99)


def test_a_missed_face_is_added_at_a_frame_that_was_looked_at() -> None:
    """The second part is what `verify_blur` gives back for another round."""
    tracks = tracks_of([{}, {18: [square(300, 100, 40)]}], [range(0, 100, 2), [18]])
    assert [(track.first_seen, track.last_seen) for track in tracks] == [(18, 18)]


def test_a_place_that_somebody_named_has_no_faces() -> None:
    """Beside it there is one."""
    both = {frame: [square(300, 100, 40), square(500, 100, 40)] for frame in range(0, 100, 4)}
    settings = BuildTracks(ignore=(Ignored(left=250, top=50, right=350, bottom=150),))
    (track,) = tracks_of([both], [range(0, 100, 4)], settings)
    assert track.box_at(50).left == 480
