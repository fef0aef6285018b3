"""Tracks to persons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks import grouping
from tasks.faces import FaceBox
from tasks.grouping import adapted, group, seen_together
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


def test_those_seen_together_are_found_in_any_order() -> None:
    spans = [(20, 29), (0, 9), (5, 24), (9, 9), (40, 49)]
    tracks = [still(first, last, embedding=A) for first, last in spans]
    brute = {(a, b) for a in range(5) for b in range(a) if spans[a][0] <= spans[b][1] and spans[b][0] <= spans[a][1]}
    assert {tuple(sorted(pair, reverse=True)) for pair in seen_together(tracks).tolist()} == brute
    assert seen_together([]).shape == (0, 2)


@pytest.mark.parametrize(
    ("apart", "num_pairs", "threshold"),
    [
        (0.9, 20, 0.45),  # strangers: what was asked for
        (0.45, 20, 0.45 * 0.85),  # people who look alike
        (0.1, 20, 0.6 * 0.45),  # twins; or the same face twice, which must not take everybody apart
        (0.1, 5, 0.45),  # too few to say anything
    ],
)
def test_people_who_look_alike_lower_the_threshold(apart, num_pairs, threshold) -> None:
    embeddings = np.array([[0.0, 0.0], [apart, 0.0]], np.float32)
    assert adapted(0.45, embeddings, np.tile([0, 1], (num_pairs, 1))) == pytest.approx(threshold)


def test_poor_faces_join_and_do_not_join_others() -> None:
    """Between two people, a face that is hardly seen would make one of both."""
    a, between, b, near_a = (0.0, 0.0), (0.4, 0.0), (0.8, 0.0), (0.1, 0.0)
    tracks = tracks_of([(0, 9, a), (20, 29, between), (40, 49, b), (60, 69, near_a), (80, 89, None)])
    tracks[1], tracks[3] = replace(tracks[1], quality=0.05), replace(tracks[3], quality=0.05)
    persons = [track.person for track in group(tracks, 0.45)]
    assert persons[0] != persons[2]
    assert persons[3] == persons[0]
    assert persons[1] in (persons[0], persons[2])


def test_poor_faces_seen_with_somebody_are_not_that_one() -> None:
    tracks = [
        replace(track, quality=0.05 if number else 1.0) for number, track in enumerate(tracks_of([(0, 9, A), (5, 14, A), (30, 39, A)]))
    ]
    persons = [track.person for track in group(tracks, 0.45)]
    assert persons[0] != persons[1]
    assert persons[2] == persons[0]


@pytest.mark.parametrize("at_once", [2000, 60])  # in one piece, and in pieces whose clusters are put together
def test_a_crowd_of_tracks(monkeypatch, at_once) -> None:
    monkeypatch.setattr(grouping, "_MOST_AT_ONCE", at_once)
    random = np.random.default_rng(4)
    centres = random.normal(size=(12, 64)) / 8  # about 1.4 apart
    who = random.integers(12, size=500)
    noise = random.normal(size=(500, 64)) / 8 * 0.2
    embeddings = (centres[who] + noise).astype(np.float32)
    tracks = [replace(still(20 * n, 20 * n + 9, embedding=A), embedding=each) for n, each in enumerate(embeddings)]
    persons = np.array([track.person for track in group(tracks, 0.45)])
    assert len(np.unique(persons)) == 12
    assert all(len(np.unique(who[persons == person])) == 1 for person in range(12))


def test_who_appear_at_once_are_numbered_from_the_left() -> None:
    """Whatever order they were found in: numbers are written down, and given back."""
    right, left = (still(0, 9, FaceBox(x, 0, x + 50, 60), embedding=embedding) for x, embedding in ((300, A), (40, B)))
    assert [track.person for track in group([right, left], 0.45)] == [1, 0]
