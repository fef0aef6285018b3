"""How unlike two faces of neighbouring frames are, in numbers that do not depend on the size of the picture or of the face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tasks.faces import Floats

_NEVER = 1e6


def geometric_cost(boxes: Floats, others: Floats) -> Floats:
    """(N, M): distance of the centres over the mean width, plus the absolute log of the ratio of sizes."""
    apart = (boxes[:, None, :2] + boxes[:, None, 2:] - others[:, :2] - others[:, 2:]) / 2
    sizes, other_sizes = _size(boxes)[:, None], _size(others)
    ratio = np.abs(np.log(sizes / other_sizes))
    return np.asarray(np.hypot(apart[..., 0], apart[..., 1]) / ((sizes + other_sizes) / 2) + ratio, np.float32)


def euclidean(embeddings: Floats, others: Floats) -> Floats:
    """(N, M) distances of embeddings, (N, D) and (M, D); NaN where either is unknown."""
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(embeddings, others), np.float32)


def assign(cost: Floats, gate: float) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the pairs with the least total cost, no pair dearer than the gate (Kuhn 1955, Munkres 1957)."""
    from scipy.optimize import linear_sum_assignment  # SciPy takes a second to load

    allowed = np.where(cost <= gate, cost, _NEVER)  # a NaN is not allowed either
    rows, columns = linear_sum_assignment(allowed)
    kept = allowed[rows, columns] < _NEVER
    return rows[kept], columns[kept]


def intersection_over_union(boxes: Floats, others: Floats) -> Floats:
    """(N, M) IoU of boxes, (N, 4) and (M, 4)."""
    intersection = _intersection(boxes, others)
    union = _area(boxes)[:, None] + _area(others)[None] - intersection
    return np.asarray(intersection / np.maximum(union, 1e-9), np.float32)


def share_inside(boxes: Floats, others: Floats) -> Floats:
    """(N, M) share of each box's area, of boxes (N, 4), that is inside each of the others, (M, 4)."""
    return np.asarray(_intersection(boxes, others) / np.maximum(_area(boxes), 1)[:, None], np.float32)


def _intersection(boxes: Floats, others: Floats) -> Floats:
    overlap = np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - np.maximum(boxes[:, None, :2], others[None, :, :2])
    return np.asarray(np.prod(np.clip(overlap, 0, None), axis=2), np.float32)


def _area(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), np.float32)


def _size(boxes: Floats) -> Floats:
    """Side of the square with a box's area, at least one pixel."""
    return np.asarray(np.sqrt(np.maximum(_area(boxes), 1)), np.float32)
