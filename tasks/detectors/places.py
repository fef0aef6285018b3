"""Where eyes, nose and mouth are when a model does not say: estimated from its box, or from the eyes.

The places are means over portraits; what is estimated stands in for landmarks, it does not measure them.
"""

from __future__ import annotations

import numpy as np

from tasks.faces import Floats

# Both eyes, the nose tip and both corners of the mouth, in shares of a box from forehead to chin and from ear to ear.
_IN_BOX = np.array([[0.26, 0.36], [0.74, 0.36], [0.50, 0.55], [0.29, 0.72], [0.70, 0.72]], np.float32)
# The same in shares of the distance of the eyes: along the line from the left eye to the right one, and downwards from it.
_FROM_EYES = np.array([[0, 0], [1, 0], [0.5, 0.57], [0.05, 1.05], [0.95, 1.05]], np.float32)


def in_boxes(boxes: Floats) -> Floats:
    """(N, 5, 2) of upright, frontal faces with these boxes, (N, 4)."""
    return np.asarray(boxes[:, None, :2] + _IN_BOX * (boxes[:, None, 2:] - boxes[:, None, :2]), np.float32)


def from_eyes(eyes: Floats) -> Floats:
    """(N, 5, 2) of faces whose eyes are at (N, 2, 2), the picture's left one first; heads may be tilted."""
    along = eyes[:, 1] - eyes[:, 0]
    down = np.stack([-along[:, 1], along[:, 0]], 1)
    return np.asarray(eyes[:, None, 0] + _FROM_EYES[:, :1] * along[:, None] + _FROM_EYES[:, 1:] * down[:, None], np.float32)


def left_first(landmarks: Floats) -> Floats:
    """The same faces, (N, 5, 2), with the picture's left one of each pair first."""
    swapped = landmarks[:, 0, 0] > landmarks[:, 1, 0]
    return np.where(swapped[:, None, None], landmarks[:, [1, 0, 2, 4, 3]], landmarks)
