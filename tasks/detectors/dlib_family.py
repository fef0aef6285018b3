"""dlib's two detectors: HOG with a linear classifier (Dalal and Triggs 2005) and a max-margin CNN (King, arXiv:1502.00046).

Both give boxes only; dlib's five-point predictor then finds the eyes and the nose, and the mouth is estimated from the eyes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tasks.detectors import places
from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.detectors.spares import Spares
from tasks.faces import Faces, Floats
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import check_packages, weights_path

_PREDICTOR = "dlib_five_points"
_WEAKEST = -0.5  # margin of the classifiers: 0 is dlib's own limit
# dlib's boxes begin at the eyebrows and end above the chin: in shares of their sides, how far a face reaches beyond.
_BEYOND = np.array([0, -0.14, 0, 0.06], np.float32)
_TIP_ABOVE = 0.2  # of the way from where the nose meets the lip to the eyes: the tip


class _Dlib(Sized):
    """What both share: room around a face at the edge, and the landmarks' own model."""

    margin_pixels: ClassVar[int] = 40

    @property
    def models(self) -> tuple[str, ...]:
        return (self.method, _PREDICTOR)


class DlibHog(_Dlib):
    """dlib's HOG detector: upright, frontal faces."""

    method: Literal["dlib_hog"] = "dlib_hog"
    max_long_side_pixels: int = Field(1920, ge=128, le=4096, description="larger pictures are reduced to this before they are looked at")

    smallest_pixels: ClassVar[float] = 60

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        check_packages(self.method)
        import dlib

        detectors = Spares(dlib.get_frontal_face_detector)
        return SizedDetector(self, Hog(detectors, dlib.shape_predictor(str(weights_path(_PREDICTOR)))))


class DlibCnn(_Dlib):
    """dlib's CNN detector: more turned and tilted faces than HOG; on a CPU very slow, one picture at a time."""

    method: Literal["dlib_cnn"] = "dlib_cnn"
    max_long_side_pixels: int = Field(640, ge=128, le=4096, description="larger pictures are reduced to this before they are looked at")

    smallest_pixels: ClassVar[float] = 50

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        check_packages(self.method)
        import dlib

        network = dlib.cnn_face_detection_model_v1(str(weights_path(self.method)))
        return SizedDetector(self, Cnn(network, dlib.shape_predictor(str(weights_path(_PREDICTOR)))))


@dataclass(frozen=True)
class Hog:
    """The loaded classifier; it remembers the picture while it looks at it."""

    detectors: Spares[Any]
    predictor: Any

    def __call__(self, picture_bgr: Picture) -> Faces:
        picture_rgb = np.ascontiguousarray(picture_bgr[:, :, ::-1])
        with self.detectors.one() as detector:
            rectangles, margins, _ = detector.run(picture_rgb, 0, _WEAKEST)
        return _faces(picture_rgb, list(rectangles), list(margins), self.predictor)


@dataclass(frozen=True)
class Cnn:
    """The loaded network: its layers hold the picture, so one is looked at at a time."""

    network: Any
    predictor: Any
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, picture_bgr: Picture) -> Faces:
        picture_rgb = np.ascontiguousarray(picture_bgr[:, :, ::-1])
        with self.lock:
            found = list(self.network(picture_rgb, 0))
        return _faces(picture_rgb, [each.rect for each in found], [each.confidence for each in found], self.predictor)


def score(margins: Floats) -> Floats:
    """0 to 1 from the distance to a classifier's border: one half on it, 0.88 at a distance of 1, where training asked all faces to be."""
    return np.asarray(1 / (1 + np.exp(-2 * margins)), np.float32)


def _faces(picture_rgb: Picture, rectangles: list[Any], margins: list[float], predictor: Any) -> Faces:
    if not rectangles:
        return Faces.none()
    # dlib's rectangles include their last pixels
    boxes = np.array([(each.left(), each.top(), each.right() + 1, each.bottom() + 1) for each in rectangles], np.float32)
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    points = np.array([[(part.x, part.y) for part in predictor(picture_rgb, each).parts()] for each in rectangles], np.float32)
    return Faces(boxes + _BEYOND * sizes, score(np.array(margins, np.float32)), _landmarks(points))


def _landmarks(points: Floats) -> Floats:
    """(N, 5, 2) from dlib's five: outer and inner corner of the picture's right eye, of its left eye, and where the nose meets the lip."""
    eyes = np.stack([points[:, 2:4].mean(1), points[:, :2].mean(1)], 1)
    landmarks = places.from_eyes(eyes)
    # The tip stands above the place below the nose that dlib marks.
    landmarks[:, 2] = points[:, 4] + _TIP_ABOVE * (eyes.mean(1) - points[:, 4])
    return landmarks
