"""What is taken to be no face."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from pydantic import ValidationError

from tasks.false_positives import FalsePositives, Ignored, without_ignored
from tasks.manifests import Video
from tasks.results import ObjectStore
from tasks.tracks import Track
from tests.fakes import FaceBox, frame_index, square, still, track, video_info

PLACE, ELSEWHERE = square(100, 100, 40), square(400, 200, 40)
HALF, BESIDE = FaceBox(80, 85, 100, 122), FaceBox(70, 85, 84, 122)


def seen(first: int, last: int, looks: int, score: float, box: FaceBox = PLACE, quality: float = 0.0) -> Track:
    known = still(first, last, box, quality=quality)
    scores = np.zeros(len(known.frames), np.float32)
    scores[np.linspace(0, len(scores) - 1, looks).astype(int)] = score
    return Track(known.frames, known.boxes, scores, known.embedding, known.quality, known.best, known.person)


ROWS = [
    ([seen(50, 50, 1, 0.5)], [False]),  # seen once, weakly, and nobody is near
    ([seen(50, 50, 1, 0.55)], [True]),  # the score says face
    ([seen(50, 60, 2, 0.5)], [True]),  # seen twice
    ([seen(50, 50, 1, 0.5, quality=0.3)], [True]),  # seen well enough to be recognised
    ([seen(50, 50, 1, 0.5), seen(80, 90, 5, 0.9)], [True, True]),  # a face is there a second later
    ([seen(50, 50, 1, 0.5), seen(20, 30, 5, 0.9)], [True, True]),  # or was before
    ([seen(50, 50, 1, 0.5), seen(40, 60, 5, 0.9, ELSEWHERE)], [False, True]),  # that one is elsewhere
    ([seen(10, 10, 1, 0.5), seen(90, 99, 5, 0.9)], [False, True]),  # long after
    ([seen(50, 50, 1, 0.9, HALF), seen(40, 60, 5, 0.9)], [False, True]),  # a part of the other one, half of which is behind something
    ([seen(50, 50, 1, 0.9, HALF, quality=0.3), seen(40, 60, 5, 0.9)], [True, True]),  # it is a face of its own
    ([seen(50, 52, 2, 0.9, HALF), seen(40, 60, 5, 0.9)], [True, True]),  # seen twice
    ([seen(50, 50, 1, 0.9, HALF), seen(50, 60, 5, 0.9)], [True, True]),  # the other one is not known before
    ([seen(50, 50, 1, 0.9, BESIDE), seen(40, 60, 5, 0.9)], [True, True]),  # most of it is beside the other one
    ([], []),
]


@pytest.mark.parametrize(("tracks", "stay"), ROWS)
def test_weak_lonely_tracks_are_left_out(tracks, stay) -> None:
    kept = FalsePositives().without(tracks, 25.0)
    assert [any(each is one for one in kept) for each in tracks] == stay


def test_nothing_is_left_out_unasked() -> None:
    assert len(FalsePositives(most_looks=0).without([seen(50, 50, 1, 0.3)], 25.0)) == 1


@pytest.mark.parametrize(("min_frames", "num_tracks"), [(10, 1), (11, 1), (12, 0)])  # seen over 11 frames
def test_the_thesis_leaves_short_tracks_out(min_frames, num_tracks) -> None:
    assert len(FalsePositives(min_frames=min_frames).without([seen(50, 60, 3, 0.99)], 25.0)) == num_tracks


AROUND = {"left": 70, "top": 70, "right": 130, "bottom": 130}
WALKS = [square(10 + 6 * n, 100, 40) for n in range(40)]
IGNORED = [
    (Ignored(**AROUND), still(10, 60, PLACE), False),
    (Ignored(**AROUND), still(10, 60, ELSEWHERE), True),
    (Ignored(**AROUND), track(10, WALKS), True),  # somebody walks past it
    (Ignored(**AROUND, start="10f", end="61f"), still(10, 60, PLACE), False),
    (Ignored(**AROUND, start="11f"), still(10, 60, PLACE), True),  # was there before
    (Ignored(**AROUND, end="60f"), still(10, 60, PLACE), True),
    (Ignored(**AROUND, start="0.4", end="10"), still(10, 60, PLACE), False),  # 25 frames/s
]


@pytest.mark.parametrize(("place", "face", "stays"), IGNORED)
def test_places_are_ignored(place, face, stays, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path))
    info = video_info()
    video = Video(info=info, index_ref=ObjectStore().put("index", frame_index(info).to_bytes()))
    assert without_ignored([face], partial(video.at_places, (place,))) == ([face] if stays else [])


def test_a_place_is_where_the_upright_picture_has_it() -> None:
    place = Ignored(left=10, top=20, right=30, bottom=60)
    assert place.box(video_info()).tolist() == [10, 20, 30, 60]
    # Turned by a quarter: x of the decoded picture is y of the upright one, its y the upright width (its height) less x.
    assert place.box(video_info(rotation_degrees=90)).tolist() == [20, 330, 60, 350]


def test_a_place_has_a_size() -> None:
    with pytest.raises(ValidationError, match="right has to be more than left"):
        Ignored(left=10, top=20, right=10, bottom=60)
