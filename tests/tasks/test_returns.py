"""Cuts away and back: the same places in the same picture."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.returns import same_places, with_places
from tasks.tracks import Shot
from tests.fakes import square, still

RATE = 25.0
SHOTS = [Shot(first=first, last=first + 49, visible_first=first, visible_last=first + 49) for first in (0, 50, 100)]
TABLE, STREET = (np.random.default_rng(seed).integers(0, 256, (27, 48)).astype(np.uint8) for seed in (1, 2))
AWAY_AND_BACK = {0: TABLE, 1: STREET, 2: TABLE}
LEFT, RIGHT = square(100, 100, 40), square(400, 100, 40)


def places(tracks, pictures=AWAY_AND_BACK, shots=SHOTS, rate=RATE) -> list[tuple[int, int]]:
    told = with_places(
        tracks, shots, rate, lambda frame: pictures[next(n for n, shot in enumerate(shots) if shot.first <= frame <= shot.last)]
    )
    return [tuple(pair) for pair in same_places(told).tolist()]


def test_who_sits_where_they_sat() -> None:
    tracks = [still(0, 49, LEFT), still(0, 49, RIGHT), still(50, 99, LEFT), still(100, 149, RIGHT), still(100, 149, LEFT)]
    assert places(tracks) == [(0, 4), (1, 3)]


ELSEWHERE = [
    ([still(0, 49, LEFT), still(100, 149, RIGHT)], AWAY_AND_BACK),  # another place
    ([still(0, 49, LEFT), still(100, 149, LEFT)], {0: TABLE, 1: STREET, 2: STREET}),  # another picture
    ([still(0, 20, LEFT), still(100, 149, LEFT)], AWAY_AND_BACK),  # had left before the cut
    ([still(0, 49, LEFT), still(130, 149, LEFT)], AWAY_AND_BACK),  # came later
    ([still(0, 49, LEFT), still(50, 99, LEFT)], {0: TABLE, 1: TABLE, 2: STREET}),  # no cut away
    ([still(0, 49, square(100, 100, 40)), still(100, 149, square(100, 100, 160))], AWAY_AND_BACK),  # another size
]


@pytest.mark.parametrize(("tracks", "pictures"), ELSEWHERE)
def test_somebody_else_may_be_there(tracks, pictures) -> None:
    assert places(tracks, pictures) == []


def test_after_a_minute_it_may_be_anybody() -> None:
    later = [SHOTS[0], *(Shot(first=a, last=b, visible_first=a, visible_last=b) for a, b in ((50, 3000), (3001, 3050)))]
    assert places([still(0, 49, LEFT), still(3001, 3050, LEFT)], shots=later) == []


def test_of_two_that_are_near_a_place_the_nearer_one_is_meant() -> None:
    near, nearer = square(118, 100, 40), square(104, 100, 40)
    assert places([still(0, 49, LEFT), still(100, 149, near), still(100, 149, nearer)]) == [(0, 2)]


def test_nobody_is_nowhere() -> None:
    assert with_places([], SHOTS, RATE, lambda frame: TABLE) == []
    assert same_places([]).shape == (0, 2)
