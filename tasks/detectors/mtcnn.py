"""MTCNN: three small networks, each looking more closely at what the one before proposed (Zhang et al., arXiv:1604.02878)."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.faces import Faces
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import check_packages


class Mtcnn(Sized):
    """MTCNN through the package mtcnn and TensorFlow, on the CPU; one picture at a time, slow."""

    method: Literal["mtcnn"] = "mtcnn"
    min_score: float = Field(0.7, ge=0.05, le=1, description="faces that score less are not reported")

    smallest_pixels: ClassVar[float] = 20

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        check_packages("mtcnn")
        from mtcnn import MTCNN  # loads TensorFlow

        return SizedDetector(self, MtcnnNetworks(MTCNN(device="CPU:0"), self.min_score))


@dataclass(frozen=True)
class MtcnnNetworks:
    """The loaded networks; TensorFlow spreads one picture over all cores, so that a second one at the same time gains nothing."""

    networks: Any
    min_score: float
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, picture_bgr: Picture) -> Faces:
        with self.lock:
            rows = self.networks.detect_faces(
                np.ascontiguousarray(picture_bgr[:, :, ::-1]),
                fit_to_image=False,
                box_format="xyxy",
                output_type="numpy",
                threshold_onet=self.min_score,
            )
        if not len(rows):
            return Faces.none()
        # number of the picture; left, top, right, bottom; score; five x, five y
        landmarks = np.stack([rows[:, 6:11], rows[:, 11:16]], 2)
        return Faces(rows[:, 1:5].astype(np.float32), rows[:, 5].astype(np.float32), landmarks.astype(np.float32))
