"""Tracks to persons."""

from __future__ import annotations

import pytest

from tasks.grouping import group
from tests.fakes import still

A, NEAR_A, B = (0.0, 0.0), (0.2, 0.0), (1.0, 0.0)

TABLE = [
    ([], []),
    ([(0, 9, A)], [0]),
    ([(0, 9, A), (20, 29, NEAR_A)], [0, 0]),  # the same face again
    ([(0, 9, A), (20, 29, B)], [0, 1]),
    ([(0, 9, A), (5, 14, A)], [0, 1]),  # at the same time: two persons, however alike
    ([(0, 9, A), (9, 14, A)], [0, 1]),  # seen in one and the same frame
    ([(0, 9, A), (10, 14, A)], [0, 0]),  # one after the other
    ([(0, 9, A), (5, 5, A)], [0, 1]),  # seen once, while the other is there
    ([(0, 9, None), (20, 29, None)], [0, 1]),  # nothing is known of them
    ([(0, 9, A), (20, 29, None), (40, 49, A)], [0, 1, 0]),
    ([(0, 9, B), (3, 9, A), (20, 29, A), (40, 49, B)], [0, 1, 1, 0]),  # numbered as they appear
    ([(20, 29, A), (0, 9, B)], [1, 0]),  # in whatever order they are listed
    ([(20, 29, A), (0, 9, B), (40, 49, B)], [1, 0, 0]),
    ([(40, 49, B), (20, 29, A), (0, 9, B)], [0, 1, 0]),
]


def tracks_of(spans):
    return [still(first, last, embedding=embedding or (float("nan"),) * 2) for first, last, embedding in spans]


@pytest.mark.parametrize(("spans", "persons"), TABLE)
def test_who_is_who(spans, persons) -> None:
    assert [track.person for track in group(tracks_of(spans), 0.45)] == persons


def test_a_guess_is_not_seen() -> None:
    """What a lead-out covers overlaps whoever is seen then; it says nothing of who that is."""
    tracks = [still(0, 20, seen=[0, 9], embedding=A), still(10, 30, seen=[15, 30], embedding=A)]
    assert [track.person for track in group(tracks, 0.45)] == [0, 0]


def test_two_at_the_same_time_are_two_however_often_they_appear() -> None:
    """Twins, 120 tracks each; once they are seen together."""
    spans = [(100 * n, 100 * n + 9, A if n % 2 else NEAR_A) for n in range(240)]
    spans[1] = (5, 14, A)
    persons = [track.person for track in group(tracks_of(spans), 0.45)]
    assert persons[0] != persons[1]
