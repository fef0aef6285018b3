"""One unit for the distances of all recognisers.

Recognisers place faces at distances of their own: what is the same person for one is nobody in particular for another. Each therefore
has a boundary, the Euclidean distance at which two faces may as well be one person's as not, and multiplies its embeddings so that this
distance becomes 0.6, which is dlib's. Thresholds by which faces are followed and checked (`same_face`, `other_face`) are in that unit. What
a distance says of who somebody is, is each recogniser's own: see `tasks.calibration`.
"""

from __future__ import annotations

import numpy as np

from tasks.faces import Floats

BOUNDARY = 0.6


def in_common_unit(embeddings: Floats, boundary: float) -> Floats:
    """Embeddings (N, D) scaled so that faces at the boundary are 0.6 apart."""
    return np.asarray(embeddings * (BOUNDARY / boundary), np.float32)
