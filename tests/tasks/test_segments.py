"""Shots to segments."""

from __future__ import annotations

import itertools

import pytest

from tasks.segments import cut_into_segments
from tasks.tracks import Shot


def shots_of(*lengths: int) -> list[Shot]:
    borders = [0, *itertools.accumulate(lengths)]
    return [Shot(first=a, last=b - 1, visible_first=max(0, a - 3), visible_last=b + 2) for a, b in itertools.pairwise(borders)]


TABLE = [
    ((10,), 100, [10]),  # one short shot
    ((100,), 100, [100]),  # as long as a segment may be
    ((101,), 100, [50, 51]),  # one frame too many: equal parts
    ((350,), 100, [87, 88, 87, 88]),
    ((40, 40, 40), 100, [80, 40]),  # runs of whole shots
    ((60, 60, 60), 100, [60, 60, 60]),
    ((1,) * 7, 3, [3, 3, 1]),
    ((30, 250, 30), 100, [30, 83, 83, 84, 30]),
    ((5, 5), 1, [1] * 10),  # a segment of single frames
]


@pytest.mark.parametrize(("lengths", "most_frames", "expected"), TABLE)
def test_every_frame_is_in_one_segment(lengths, most_frames, expected) -> None:
    segments = cut_into_segments(shots_of(*lengths), most_frames)
    assert [segment.num_frames for segment in segments] == expected
    frames = [frame for segment in segments for shot in segment.shots for frame in range(shot.first, shot.last + 1)]
    assert frames == list(range(sum(lengths)))
    for segment in segments:
        assert (segment.first, segment.last) == (segment.shots[0].first, segment.shots[-1].last)


def test_parts_of_a_shot_know_how_far_it_is_visible() -> None:
    parts = [shot for segment in cut_into_segments(shots_of(10, 250, 10), 100) for shot in segment.shots][1:-1]
    assert {(part.visible_first, part.visible_last) for part in parts} == {(7, 262)}


def test_a_part_of_a_long_shot_is_a_segment_of_its_own() -> None:
    assert [segment.num_frames for segment in cut_into_segments(shots_of(150, 20), 100)] == [75, 75, 20]
