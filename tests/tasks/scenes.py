"""Pictures of the two portraits at a chosen size and place, with the box that the face then has."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.faces import FaceBox
from tests.clips import FACE_BOXES, Person, portrait

Picture = npt.NDArray[np.uint8]


def scene(
    person: Person,
    face_width: float,
    size: tuple[int, int] = (640, 640),
    centre: tuple[float, float] | None = None,
    turn_degrees: float = 0,
) -> tuple[Picture, FaceBox]:
    """(H, W, 3) BGR and the face's box (of the face before it was turned); width and height of the picture are `size`."""
    box, picture = FACE_BOXES[person], portrait(person)
    x, y = centre or (size[0] / 2, size[1] / 2)
    scale = face_width / box.width
    matrix = cv2.getRotationMatrix2D(((box.left + box.right) / 2, (box.top + box.bottom) / 2), turn_degrees, scale)
    matrix[:, 2] += (x - (box.left + box.right) / 2, y - (box.top + box.bottom) / 2)
    if scale < 1:  # warping alone would skip pixels
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    half_width, half_height = scale * box.width / 2, scale * box.height / 2
    return np.asarray(warped, np.uint8), FaceBox(x - half_width, y - half_height, x + half_width, y + half_height)
