"""Costs without a scale, and the assignment."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tasks.matching import assign, euclidean, geometric_cost, intersection_over_union
from tests.fakes import faces_of, square


def boxes(*faces):
    return faces_of(faces).boxes


@pytest.mark.parametrize("size", [12, 50, 400])  # the thesis's distance was 0.025 at 50 pixels and 1.6 at 400
@pytest.mark.parametrize("share", [0, 0.5, 2])
def test_the_same_move_costs_the_same_at_every_size(size, share) -> None:
    cost = geometric_cost(boxes(square(1000, 1000, size)), boxes(square(1000 + share * size, 1000, size)))
    assert cost[0, 0] == pytest.approx(share, abs=1e-4)


@pytest.mark.parametrize(("size", "other", "expected"), [(50, 100, np.log(2)), (100, 50, np.log(2)), (50, 50, 0)])
def test_growing_costs_as_much_as_shrinking(size, other, expected) -> None:
    assert geometric_cost(boxes(square(500, 500, size)), boxes(square(500, 500, other)))[0, 0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("side", [0, 1e-3])  # a box without an area divides by nothing
def test_costs_are_finite(side) -> None:
    assert np.isfinite(geometric_cost(boxes(square(5, 5, side)), boxes(square(9, 5, 20)))).all()


NAN = float("nan")
COSTS = [
    ([[0.1, 0.9], [0.9, 0.1]], 1.0, {(0, 0), (1, 1)}),
    ([[0.9, 0.1], [0.1, 0.9]], 1.0, {(0, 1), (1, 0)}),  # the other order: both index arrays are used
    ([[9.0, 9.0], [0.1, 9.0], [9.0, 0.2]], 1.0, {(1, 0), (2, 1)}),  # a newcomer listed first breaks nothing
    ([[0.4, 0.5], [0.1, 0.9]], 1.0, {(0, 1), (1, 0)}),  # least in total: 0.6, not 1.3
    ([[2.0]], 1.0, set()),  # too dear
    ([[1.0]], 1.0, {(0, 0)}),  # as dear as the gate is allowed
    ([[NAN, 0.5]], np.inf, {(0, 1)}),  # forbidden pairs
    ([[NAN]], np.inf, set()),
    ([[0.9, 0.1], [NAN, 0.8]], 1.0, {(0, 0), (1, 1)}),  # a pair is worth more than a cheaper one that leaves somebody alone
    (np.zeros((0, 3)), 1.0, set()),
    (np.zeros((3, 0)), 1.0, set()),
]


@pytest.mark.parametrize(("cost", "gate", "pairs"), COSTS)
def test_assignment(cost, gate, pairs) -> None:
    rows, columns = assign(np.array(cost, np.float32), gate)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == pairs


def test_assignment_is_the_cheapest_of_all() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        cost = random.uniform(0, 1, (4, 4)).astype(np.float32)
        rows, columns = assign(cost, 1.0)
        best = min(cost[range(4), order].sum() for order in itertools.permutations(range(4)))
        assert cost[rows, columns].sum() == pytest.approx(best)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (square(50, 50, 10), 1),
        (square(55, 50, 10), 50 / 150),
        (square(50, 50, 5), 25 / 100),  # one inside the other
        (square(60, 50, 10), 0),  # side by side
        (square(90, 90, 10), 0),
    ],
)
def test_intersection_over_union(other, expected) -> None:
    assert intersection_over_union(boxes(square(50, 50, 10)), boxes(other))[0, 0] == pytest.approx(expected)


def test_distances_of_embeddings() -> None:
    known = np.array([[0, 0], [3, 4], [NAN, NAN]], np.float32)
    assert np.array_equal(euclidean(known[:2], known), [[0, 5, NAN], [5, 0, NAN]], equal_nan=True)
