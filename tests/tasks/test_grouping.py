"""Tracks to persons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tasks import grouping
from tasks.calibration import calibration_of
from tasks.faces import FaceBox
from tasks.grouping import group
from tasks.plan import BuildTracks
from tasks.tracks import seen_together
from tests.fakes import face, still

A, NEAR_A, B = face(0), face(0, 0.2), face(1)
CALIBRATION, SAME = calibration_of("faceres"), BuildTracks().merge_log_ratio

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
    return [still(first, last, embedding=embedding or (float("nan"),) * 8) for first, last, embedding in spans]


def grouped(tracks):
    return group(tracks, SAME, CALIBRATION)


@pytest.mark.parametrize(("spans", "persons"), TABLE)
def test_who_is_who(spans, persons) -> None:
    assert [track.person for track in grouped(tracks_of(spans))] == persons


def test_a_guess_is_not_seen() -> None:
    """What a lead-out covers overlaps whoever is seen then; it says nothing of who that is."""
    tracks = [still(0, 20, seen=[0, 9], embedding=A), still(10, 30, seen=[15, 30], embedding=A)]
    assert [track.person for track in grouped(tracks)] == [0, 0]


def test_two_at_the_same_time_are_two_however_often_they_appear() -> None:
    """Twins, 120 tracks each; once they are seen together."""
    spans = [(100 * n, 100 * n + 9, A if n % 2 else NEAR_A) for n in range(240)]
    spans[1] = (5, 14, A)
    persons = [track.person for track in grouped(tracks_of(spans))]
    assert persons[0] != persons[1]


def test_those_seen_together_are_found_in_any_order() -> None:
    spans = [(20, 29), (0, 9), (5, 24), (9, 9), (40, 49)]
    tracks = [still(first, last, embedding=A) for first, last in spans]
    brute = {(a, b) for a in range(5) for b in range(a) if spans[a][0] <= spans[b][1] and spans[b][0] <= spans[a][1]}
    assert {tuple(sorted(pair, reverse=True)) for pair in seen_together(tracks).tolist()} == brute
    assert seen_together([]).shape == (0, 2)


def test_people_who_look_alike_are_not_one() -> None:
    """Brothers, each often seen, and never together: all of the one are nearer to one another than to any of the other."""
    brothers = [(face(0, 0.1, 6), face(0, 0.56, 5)), (face(0, 0.12, 7), face(0, 0.58, 5))]
    spans = [(100 * n, 100 * n + 9, brothers[n // 2 % 2][n % 2]) for n in range(12)]
    persons = [track.person for track in grouped(tracks_of(spans))]
    assert persons == [0, 1] * 6


def test_poor_faces_do_not_join_others() -> None:
    """Between two people, a face that is hardly seen would make one of both."""
    between = np.array(face(0)) + np.array(face(1))
    tracks = tracks_of([(0, 9, A), (20, 29, tuple(0.6 * between / np.linalg.norm(between))), (40, 49, B), (80, 89, None)])
    tracks[1] = replace(tracks[1], quality=0.05)
    persons = [track.person for track in grouped(tracks)]
    assert persons[0] != persons[2]


def test_who_is_where_somebody_was_before_a_cut_away_is_that_one() -> None:
    tracks = [still(0, 9, embedding=A), replace(still(20, 29, embedding=face(0, 0.62, 5)), quality=0.1)]
    assert [track.person for track in grouped(tracks)] == [0, 1]
    assert [track.person for track in grouped([replace(track, place=4) for track in tracks])] == [0, 0]


def test_a_face_seen_twice_in_a_fade_may_be_one() -> None:
    tracks = tracks_of([(0, 12, A), (8, 30, NEAR_A)])
    assert [track.person for track in grouped(tracks)] == [0, 1]
    assert [track.person for track in group(tracks, SAME, CALIBRATION, [(6, 14)])] == [0, 0]


def test_poor_faces_seen_with_somebody_are_not_that_one() -> None:
    tracks = [
        replace(track, quality=0.05 if number else 1.0) for number, track in enumerate(tracks_of([(0, 9, A), (5, 14, A), (30, 39, A)]))
    ]
    persons = [track.person for track in grouped(tracks)]
    assert persons[0] != persons[1]
    assert persons[2] == persons[0]


@pytest.mark.parametrize("at_once", [2000, 60, 5])  # in one piece; in parts whose clusters are put together; in more than fit at once
def test_a_crowd_of_tracks(monkeypatch, at_once) -> None:
    monkeypatch.setattr(grouping, "_MOST_AT_ONCE", at_once)
    random = np.random.default_rng(4)
    centres = random.normal(size=(12, 256)) / 16 * 0.6  # as far apart as strangers
    who = random.integers(12, size=500)
    noise = random.normal(size=(500, 256)) / 16 * 0.2
    embeddings = (centres[who] + noise).astype(np.float32)
    tracks = [replace(still(20 * n, 20 * n + 9, embedding=A), embedding=each) for n, each in enumerate(embeddings)]
    persons = np.array([track.person for track in grouped(tracks)])
    assert len(np.unique(persons)) == 12
    assert all(len(np.unique(who[persons == person])) == 1 for person in range(12))


def test_who_appear_at_once_are_numbered_from_the_left() -> None:
    """Whatever order they were found in: numbers are written down, and given back."""
    right, left = (still(0, 9, FaceBox(x, 0, x + 50, 60), embedding=embedding) for x, embedding in ((300, A), (40, B)))
    assert [track.person for track in grouped([right, left])] == [1, 0]


@pytest.mark.parametrize(("others", "joined"), [([], True), ([face(0, 0.6, 2)], False)])
def test_who_was_seen_often_is_seen_again_where_nobody_else_is_near(others, joined) -> None:
    """A visit that is too unlike a person of few tracks is one more of somebody with many, but not where another one is as near."""
    unlike = face(0, 0.5, 2)
    few, many = ([(100 * n, 100 * n + 9, A) for n in range(count)] for count in (2, 120))
    alone = [track.person for track in grouped(tracks_of([*few, (90_000, 90_009, unlike)]))]
    assert alone[-1] != alone[0]
    spans = [*many, *((80_000 + n, 80_009 + n, other) for n, other in enumerate(others)), (90_000, 90_009, unlike)]
    persons = [track.person for track in grouped(tracks_of(spans))]
    assert (persons[-1] == persons[0]) == joined
