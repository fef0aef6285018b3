"""CenterFace: one anchor-free network for boxes and five landmarks (Xu et al., arXiv:1911.03599)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.session import load_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_STRIDE = 4  # the network's maps are a quarter of its input
_MULTIPLE = 32  # of which both sides of the input are
_SAME_FACE = 0.3  # IoU from which two boxes are one face
_CLOSE_UP = 0.3  # of the picture's short side, from which a face may be too large for the first look


class CenterFace(Method):
    """CenterFace through ONNX Runtime; finds profiles and tilted heads; no download."""

    method: Literal["centerface"] = "centerface"
    min_score: float = Field(0.3, ge=0.05, le=1, description="faces that score less are not reported")
    min_long_side_pixels: int = Field(640, ge=128, le=4096, description="smaller pictures are enlarged to this")
    max_long_side_pixels: int = Field(960, ge=128, le=4096, description="larger pictures are reduced to this before they are looked at")
    close_up_pixels: int = Field(
        256, ge=0, le=4096, description="long side of a second, small look for faces too large for the first; 0 for none"
    )

    def load(self) -> CenterFaceDetector:
        return CenterFaceDetector(self, load_session("centerface", threads=1))


@dataclass(frozen=True)
class CenterFaceDetector:
    """The loaded network."""

    settings: CenterFace
    session: InferenceSession

    def detect(self, picture_bgr: npt.NDArray[np.uint8]) -> Faces:
        """The faces of a picture, (H, W, 3) uint8 BGR, upright, in its pixels."""
        height, width = picture_bgr.shape[:2]
        return self._detect(picture_bgr, self.long_side_pixels(width, height), large=True)

    def long_side_pixels(self, width: int, height: int) -> int:
        """Of the picture that the network sees of one of that width and height."""
        return min(self.settings.max_long_side_pixels, max(self.settings.min_long_side_pixels, width, height))

    def detect_at(self, picture_bgr: npt.NDArray[np.uint8], large: bool) -> Faces:
        """The faces of a picture that has the right size already, in its pixels; `large`: look for those that fill much of it too."""
        return self._detect(picture_bgr, max(picture_bgr.shape[:2]), large)

    def _detect(self, picture_bgr: npt.NDArray[np.uint8], long_side_pixels: int, large: bool) -> Faces:
        height, width = picture_bgr.shape[:2]
        looks = [self._look(picture_bgr, long_side_pixels)]
        if large and self.settings.close_up_pixels:
            close_up = self._look(picture_bgr, self.settings.close_up_pixels)
            looks.append(close_up[close_up.boxes[:, 3] - close_up.boxes[:, 1] > _CLOSE_UP * min(width, height)])
        faces = _best(Faces(*(np.concatenate([getattr(look, name) for look in looks]) for name in ("boxes", "scores", "landmarks"))))
        inside = np.clip(faces.boxes, 0, [width, height, width, height]).astype(np.float32)
        kept = (inside[:, 2] - inside[:, 0] > 1) & (inside[:, 3] - inside[:, 1] > 1)
        return Faces(inside, faces.scores, faces.landmarks)[kept]

    def _look(self, picture_bgr: npt.NDArray[np.uint8], long_side_pixels: int) -> Faces:
        """The faces that the network sees when the picture's long side is brought to that size; some may reach beyond the picture."""
        height, width = picture_bgr.shape[:2]
        scale = long_side_pixels / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        reduced = cv2.resize(picture_bgr, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        # A margin on all sides lets a face that the picture's edge cuts stand inside what the network sees.
        margin = _MULTIPLE // 2
        bottom, right = (margin + -(side + 2 * margin) % _MULTIPLE for side in reduced.shape[:2])
        padded = cv2.copyMakeBorder(reduced, margin, bottom, margin, right, cv2.BORDER_REPLICATE)
        network_input = cv2.dnn.blobFromImage(padded, swapRB=True)
        names = ["heatmap", "scale", "offset", "landmarks"]
        heat, sizes, offsets, landmarks = (each[0] for each in self.session.run(names, {"pictures": network_input}))
        found = _decode(heat, sizes, offsets, landmarks, self.settings.min_score)
        return Faces(
            ((found.boxes - margin) / scale).astype(np.float32), found.scores, ((found.landmarks - margin) / scale).astype(np.float32)
        )


def _best(faces: Faces) -> Faces:
    """The best of faces that overlap."""
    corner_and_size = np.concatenate([faces.boxes[:, :2], faces.boxes[:, 2:] - faces.boxes[:, :2]], 1)
    return faces[np.asarray(cv2.dnn.NMSBoxes(corner_and_size.tolist(), faces.scores.tolist(), 0.0, _SAME_FACE), np.int64).reshape(-1)]


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
    return _best(Faces(boxes, scores.astype(np.float32), np.stack([x.T, y.T], 2).astype(np.float32)))
