"""YuNet: 75,000 weights, boxes and five landmarks (Wu et al., Machine Intelligence Research 2023), as OpenCV runs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import cv2
import numpy as np

from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.detectors.spares import Spares
from tasks.faces import Faces
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import weights_path

_SAME_FACE = 0.3
_MOST_FACES = 5000  # before the best of those that overlap are chosen


class YuNet(Sized):
    """YuNet through OpenCV, on the CPU; quick; get it with `veil models fetch yunet`."""

    method: Literal["yunet"] = "yunet"

    smallest_pixels: ClassVar[float] = 12

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        make = partial(cv2.FaceDetectorYN.create, str(weights_path("yunet")), "", (320, 320), self.min_score, _SAME_FACE, _MOST_FACES)
        return SizedDetector(self, YuNetNetwork(Spares(make)))


@dataclass(frozen=True)
class YuNetNetwork:
    """OpenCV's detector; it has to be told the size before each picture."""

    detectors: Spares[Any]

    def __call__(self, picture_bgr: Picture) -> Faces:
        with self.detectors.one() as detector:
            detector.setInputSize(picture_bgr.shape[1::-1])
            _, rows = detector.detect(picture_bgr)
        if rows is None:
            return Faces.none()
        # left, top, width, height; x and y of the eyes, nose and mouth, the picture's left one of each pair first; score
        boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
        return Faces(boxes.astype(np.float32), rows[:, 14].astype(np.float32), rows[:, 4:14].reshape(-1, 5, 2).astype(np.float32))
