"""CenterFace: one anchor-free network for boxes and five landmarks (Xu et al., arXiv:1911.03599)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np
from pydantic import Field

from tasks.detectors.sized import Picture, Sized, SizedDetector, best
from tasks.faces import Faces, Floats
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.session import Session, load_session

_STRIDE = 4  # the network's maps are a quarter of its input
_MAPS = ("heatmap", "scale", "offset", "landmarks")


class CenterFace(Sized):
    """CenterFace through ONNX Runtime; finds profiles and tilted heads; no download."""

    method: Literal["centerface"] = "centerface"
    min_score: float = Field(0.3, ge=0.05, le=1, description="faces that score less are not reported")
    close_up_pixels: int = Field(
        256, ge=0, le=4096, description="long side of a second, small look for faces too large for the first; 0 for none"
    )

    multiple: ClassVar[int] = 32

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        return SizedDetector(self, CenterFaceNetwork(load_session("centerface", threads=1, runtime=runtime), self.min_score))


@dataclass(frozen=True)
class CenterFaceNetwork:
    """The loaded network."""

    session: Session
    min_score: float

    def __call__(self, picture_bgr: Picture) -> Faces:
        maps = self.session.run(_MAPS, {"pictures": cv2.dnn.blobFromImage(picture_bgr, swapRB=True)})
        heat, sizes, offsets, landmarks = (each[0] for each in maps)
        return _decode(heat, sizes, offsets, landmarks, self.min_score)


def _decode(heat: Floats, sizes: Floats, offsets: Floats, landmarks: Floats, min_score: float) -> Faces:
    """The network's four maps, (C, H, W) each, to faces in pixels of its input, the best of those that overlap."""
    rows, columns = np.nonzero(heat[0] > min_score)
    if not len(rows):
        return Faces.none()
    scores = heat[0, rows, columns]
    height, width = np.exp(sizes[:, rows, columns]) * _STRIDE
    left = (columns + offsets[1, rows, columns] + 0.5) * _STRIDE - width / 2
    top = (rows + offsets[0, rows, columns] + 0.5) * _STRIDE - height / 2
    points = landmarks[:, rows, columns].reshape(5, 2, -1)  # y before x
    x, y = points[:, 1] * width + left, points[:, 0] * height + top
    boxes = np.stack([left, top, left + width, top + height], 1).astype(np.float32)
    return best(Faces(boxes, scores.astype(np.float32), np.stack([x.T, y.T], 2).astype(np.float32)))
