"""Haar cascades: the detector of Viola and Jones (2001), as OpenCV before version 5 has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import cv2
import numpy as np

from tasks.detectors import places
from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.detectors.spares import Spares
from tasks.errors import MissingWeights
from tasks.faces import Faces
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import weights_path

_SCALE_STEP = 1.1
_FEWEST_HITS = 4  # that make a face
_HALF_SURE = 2.0  # OpenCV's weight of a face that is as likely one as not
# Its squares are wider than a face and begin below the hairline: in shares of their sides, how far a face reaches beyond.
_BEYOND = np.array([0.1, -0.02, -0.1, 0.08], np.float32)


class Haar(Sized):
    """OpenCV's frontal Haar cascade: upright, frontal faces; more false ones than the others."""

    method: Literal["haar"] = "haar"

    smallest_pixels: ClassVar[float] = 30
    margin_pixels: ClassVar[int] = 24

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        path = str(weights_path("haar"))
        if not hasattr(cv2, "CascadeClassifier"):
            raise MissingWeights("haar", f"OpenCV {cv2.__version__} has no cascades", fix="run `pip install 'opencv-python<5'`")
        cascade: Callable[[str], Any] = vars(cv2)["CascadeClassifier"]
        return SizedDetector(self, Cascade(Spares(lambda: cascade(path))))


@dataclass(frozen=True)
class Cascade:
    """The loaded cascade; it remembers the picture while it looks at it."""

    cascades: Spares[Any]

    def __call__(self, picture_bgr: Picture) -> Faces:
        gray = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY)
        with self.cascades.one() as cascade:
            found, _, weights = cascade.detectMultiScale3(gray, _SCALE_STEP, _FEWEST_HITS, outputRejectLevels=True)
        if not len(found):
            return Faces.none()
        squares = np.asarray(found, np.float32)
        squares[:, 2:] += squares[:, :2]
        boxes = squares + _BEYOND * np.tile(squares[:, 2:] - squares[:, :2], 2)
        scores = 1 / (1 + np.exp(_HALF_SURE - np.asarray(weights, np.float32).reshape(-1)))
        return Faces(boxes, scores.astype(np.float32), places.in_boxes(boxes))
