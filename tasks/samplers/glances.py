"""Cheap evidence of change: grey thumbnails of all frames, which the search for shots has made anyway."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.faces import Floats
from tasks.samplers.looks import Glances, Stretch

_NEIGHBOURS = np.ones((5, 5), np.uint8)  # cells, between which what a look shows may move
_AROUND = (0.6, 0.6, 0.6, 1.5)  # of a known face's size, left, up, right and down: hair and shoulders, which move with it


def change_between(stretch: Stretch, before: int, after: int, known: Floats) -> tuple[int, float]:
    """The frame between two looks whose picture is least like both of theirs, and how unlike, in grey levels.

    What is compared is the cell that differs most, known faces (N, 4) and what is around them left out. 0.0 where nothing is between.
    """
    if stretch.glances is None or after - before < 2:
        return before, 0.0
    glances: Glances = stretch.glances[before - stretch.first : after - stretch.first + 1]
    # A cell is like another look where that one has such a grey near it: what only moves a little brings nothing new.
    ends = glances[[0, -1]]
    darkest = np.min([cv2.erode(end, _NEIGHBOURS) for end in ends], axis=0).astype(np.int16)
    brightest = np.max([cv2.dilate(end, _NEIGHBOURS) for end in ends], axis=0).astype(np.int16)
    levels = glances[1:-1].astype(np.int16)
    unlike = np.maximum(np.maximum(darkest - levels, levels - brightest), 0)
    unlike[:, _cells_of(known, stretch, glances.shape[1:])] = 0
    most = unlike.max((1, 2))
    frame = int(np.argmax(most))
    return before + 1 + frame, float(most[frame])


def _cells_of(boxes: Floats, stretch: Stretch, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(H, W): cells of a thumbnail in which a known face may show."""
    cells = np.zeros(shape, bool)
    scale = np.array([shape[1] / stretch.width, shape[0] / stretch.height] * 2)
    for box in boxes:
        size = np.tile(box[2:] - box[:2], 2)
        left, top, right, bottom = (box + np.array([-1, -1, 1, 1]) * np.array(_AROUND) * size) * scale
        cells[max(0, int(top)) : max(0, int(np.ceil(bottom))), max(0, int(left)) : max(0, int(np.ceil(right)))] = True
    return cells
