"""A portrait turned aside: the photo laid on an upright cylinder as wide as the head, which is then turned.

It is no more than that: what a photo from the front does not show, the far cheek and the ear, is stretched or missing. It says how a
detector takes to narrowing and to a nose beside the middle; real profiles are harder.
"""

from __future__ import annotations

import cv2
import numpy as np

from tasks.faces import FaceBox
from tests.clips import Person
from tests.tasks.scenes import Picture, scene

_RADIUS = 0.62  # of the head, in widths of the face


def turned_scene(person: Person, face_width: float, size: tuple[int, int], yaw_degrees: float) -> tuple[Picture, FaceBox]:
    """(H, W, 3) BGR with the face in the middle, and the box of what is still seen of it."""
    picture, box = scene(person, face_width, size)
    middle, radius = (box.left + box.right) / 2, _RADIUS * face_width
    across = (np.arange(size[0], dtype=np.float32) - middle) / radius
    on_head = np.abs(across) < 1
    angle = np.arcsin(np.clip(across, -1, 1)) - np.deg2rad(yaw_degrees)
    seen = on_head & (np.abs(angle) < np.pi / 2)
    source = np.where(seen, np.sin(angle) * radius + middle, np.arange(size[0])).astype(np.float32)
    # Around the head the picture stays; between the head's new outline and its old one the background goes on.
    source = np.where(on_head & ~seen, middle - np.sign(yaw_degrees) * 1.02 * radius, source).astype(np.float32)
    rows = np.repeat(np.arange(size[1], dtype=np.float32)[:, None], size[0], 1)
    turned = cv2.remap(picture, np.tile(source, (size[1], 1)), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    half = np.arcsin(0.5 / _RADIUS)  # of the face's width, as an angle
    edges = np.sin(np.clip(np.array([-half, half]) + np.deg2rad(yaw_degrees), -np.pi / 2, np.pi / 2)) * radius + middle
    return np.asarray(turned, np.uint8), FaceBox(float(edges[0]), box.top, float(edges[1]), box.bottom)
