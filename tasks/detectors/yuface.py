"""libfacedetection: YuNet's elder, its weights compiled into the package yuface (Yu, https://github.com/ShiqiYu/libfacedetection)."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np

from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.faces import Faces
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import check_packages


class YuFace(Sized):
    """libfacedetection through the package yuface, on the CPU."""

    method: Literal["yuface"] = "yuface"

    smallest_pixels: ClassVar[float] = 12
    multiple: ClassVar[int] = 32

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        check_packages("yuface")
        warnings.filterwarnings("ignore", "Image size", module="yuface")  # said of every picture above VGA, where it works as well
        return SizedDetector(self, YuFaceNetwork(self.min_score))


@dataclass(frozen=True)
class YuFaceNetwork:
    """The library, which spreads one picture over all cores, so that a second one at the same time gains nothing."""

    min_score: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, picture_bgr: Picture) -> Faces:
        import yuface

        with self.lock:
            percents, places, points = yuface.detect(np.ascontiguousarray(picture_bgr), conf=self.min_score)
        boxes = places.astype(np.float32)
        boxes[:, 2:] += boxes[:, :2]
        return Faces(boxes, percents.astype(np.float32) / 100, points.reshape(-1, 5, 2).astype(np.float32))
