"""RetinaFace with ResNet-50: boxes and five landmarks from anchors on three scales (Deng et al., arXiv:1905.00641)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.detectors.sized import Picture, Sized, SizedDetector, best
from tasks.faces import Faces, Floats
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.session import Session, load_session

_STRIDES = (32, 16, 8)  # in the order of the network's outputs: scores, boxes and landmarks of each
_ANCHORS = {  # left, top, right, bottom around the corner of a cell; both ends included
    32: np.array([[-248, -248, 263, 263], [-120, -120, 135, 135]], np.float32),
    16: np.array([[-56, -56, 71, 71], [-24, -24, 39, 39]], np.float32),
    8: np.array([[-8, -8, 23, 23], [0, 0, 15, 15]], np.float32),
}


class RetinaFace(Sized):
    """RetinaFace through ONNX Runtime, with DeepFace's weights; thorough, slow on a CPU; get it with `veil models fetch retinaface`."""

    method: Literal["retinaface"] = "retinaface"
    min_score: float = Field(0.4, ge=0.05, le=1, description="faces that score less are not reported")

    smallest_pixels: ClassVar[float] = 12
    margin_pixels: ClassVar[int] = 32
    multiple: ClassVar[int] = 32

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        return SizedDetector(self, RetinaFaceNetwork(load_session("retinaface", threads=1, runtime=runtime), self.min_score))


@dataclass(frozen=True)
class RetinaFaceNetwork:
    """The loaded network."""

    session: Session
    min_score: float

    def __call__(self, picture_bgr: Picture) -> Faces:
        name = self.session.get_inputs()[0].name
        outputs = self.session.run(None, {name: np.ascontiguousarray(picture_bgr[None, :, :, ::-1], np.float32)})
        found = [decode(stride, outputs[3 * row : 3 * row + 3], self.min_score) for row, stride in enumerate(_STRIDES)]
        return best(Faces(*(np.concatenate([getattr(each, name) for each in found]) for name in ("boxes", "scores", "landmarks"))))


def decode(stride: int, maps: Sequence[Floats], min_score: float) -> Faces:
    """One scale's maps, (1, H, W, 4), (1, H, W, 8) and (1, H, W, 20) for two anchors a cell, to faces in pixels of the picture."""
    scores, boxes, landmarks = maps
    face_scores = scores[0, :, :, 2:]  # the first two say how likely each anchor is no face
    rows, columns, anchors = np.nonzero(face_scores >= min_score)
    corner = np.stack([columns, rows], 1).astype(np.float32) * stride
    anchor = _ANCHORS[stride][anchors]
    size = anchor[:, 2:] - anchor[:, :2] + 1
    centre = corner + anchor[:, :2] + (size - 1) / 2
    moves = _of(boxes, rows, columns, anchors, (4,))
    points = _of(landmarks, rows, columns, anchors, (5, 2))
    middle = centre + moves[:, :2] * size + 0.5  # of pixels, to edges
    half = np.exp(moves[:, 2:]) * size / 2
    return Faces(
        np.concatenate([middle - half, middle + half], 1).astype(np.float32),
        face_scores[rows, columns, anchors].astype(np.float32),
        (centre[:, None] + points * size[:, None]).astype(np.float32),
    )


def _of(
    values: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp], anchors: npt.NDArray[np.intp], shape: tuple[int, ...]
) -> Floats:
    """What a map says of the chosen anchors, two a cell."""
    return np.asarray(values[0].reshape(*values.shape[1:3], 2, *shape)[rows, columns, anchors])
