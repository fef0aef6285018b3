"""Tracks and cover, and their bytes."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from tasks.shot_finders.transitions import Transition, shots_between
from tasks.tracks import Cover, fades_between, tracks_from_bytes, tracks_to_bytes
from tests.fakes import NO_EMBEDDING, square, still, track

MOVING = track(10, [square(20 + x, 30, 12) for x in range(4)], seen=[11, 13], embedding=(0.25, -1.0), quality=0.7, person=1)
OTHER = still(12, 20, embedding=NO_EMBEDDING)


@pytest.mark.parametrize(
    "tracks",
    [
        [],  # nobody in the whole video
        [MOVING],
        [MOVING, OTHER, still(3, 3)],  # of different lengths, one of a single frame
    ],
)
def test_tracks_survive_bytes(tracks) -> None:
    back = tracks_from_bytes(tracks_to_bytes(tracks))
    assert len(back) == len(tracks)
    for one, other in zip(back, tracks, strict=True):
        for field in fields(one):
            value, expected = getattr(one, field.name), getattr(other, field.name)
            assert type(value) is type(expected)
            assert np.array_equal(value, expected, equal_nan=isinstance(value, np.ndarray) and value.dtype.kind == "f"), field.name


@pytest.mark.parametrize("numbers", [[], [0], [1, 0]])  # nobody is covered; one; both, whatever the order of asking
def test_cover_is_in_order_of_frame_and_survives_bytes(numbers) -> None:
    tracks = [MOVING, OTHER]
    cover = Cover.from_tracks(tracks, numbers)
    expected = sorted((int(frame), number) for number in numbers for frame in tracks[number].frames)
    for each in (cover, Cover.from_bytes(cover.to_bytes())):
        assert list(zip(each.frames.tolist(), each.tracks.tolist(), strict=True)) == expected
        assert each.boxes.shape == (len(expected), 4)
        assert all(np.array_equal(box, tracks[n].boxes[f - tracks[n].first]) for box, (f, n) in zip(each.boxes, expected, strict=True))
        assert each.num_frames == len({frame for frame, _ in expected})


def test_cover_of_stretches_is_the_cover() -> None:
    cover = Cover.from_tracks([MOVING, OTHER], [0, 1])
    joined = Cover.concatenate([cover.within(0, 12), cover.within(13, 99)])
    assert all(np.array_equal(getattr(joined, field.name), getattr(cover, field.name)) for field in fields(cover))
    assert cover.at(12).tracks.tolist() == [0, 1]
    assert len(cover.at(9)) == 0


def test_a_track_knows_what_was_seen_of_it() -> None:
    assert (MOVING.first, MOVING.first_seen, MOVING.last_seen, MOVING.last) == (10, 11, 13, 13)
    assert MOVING.box_at(12) == square(22, 30, 12)


@pytest.mark.parametrize(
    "frame",
    [
        14,  # after the last
        pytest.param(9),
    ],
)
def test_a_track_has_no_box_where_it_does_not_reach(frame) -> None:
    with pytest.raises(IndexError):
        MOVING.box_at(frame)


@pytest.mark.parametrize(
    ("transitions", "fades"),
    [
        ([], []),
        ([(50, 50)], []),  # a cut
        ([(160, 179)], [(160, 179)]),
        ([(20, 21), (50, 50), (80, 90)], [(20, 21), (80, 90)]),
    ],
)
def test_fades_are_where_two_shots_are_visible(transitions, fades) -> None:
    shots = shots_between([Transition(*each) for each in transitions], 300)
    assert fades_between(shots) == fades
    halves = [shot.model_copy(update=part) for shot in shots for part in ({"last": shot.first}, {"first": shot.first + 1})]
    assert fades_between(halves) == fades  # a shot that was divided into segments does not fade into itself
