"""dlib's ResNet: 128 numbers a face, near for the same face (King, http://blog.dlib.net/2017/02/high-quality-face-recognition-with-deep.html)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.session import Session, load_session
from tasks.recognisers import chips
from tasks.recognisers.boundary import BOUNDARY, in_common_unit

_DIMENSIONS = 128


class DlibResNet(Method):
    """dlib's ResNet through ONNX Runtime, on chips warped from the detector's five landmarks; no download."""

    method: Literal["dlib"] = "dlib"
    min_face_pixels: int = Field(20, ge=8, le=512, description="smaller faces get no embedding")

    min_score: float = Field(0.4, ge=0, le=1, description="faces that the detector is less sure of get no embedding")
    boundary: float = Field(BOUNDARY, gt=0, description="its distance that all thresholds call 0.6: a larger one finds more faces alike")

    dimensions: ClassVar[int] = _DIMENSIONS

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest: what it needs, and on what terms."""
        return ("dlib_resnet",)

    def load(self, runtime: Runtime = ON_ANYTHING) -> DlibRecogniser:
        return DlibRecogniser(self, load_session("dlib_resnet", threads=1, runtime=runtime))


@dataclass(frozen=True)
class DlibRecogniser:
    """The loaded network."""

    settings: DlibResNet
    session: Session

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings (N, 128) float32 and qualities (N,) float32, 0 to 1, of the faces; NaN and 0 where there is none."""
        embeddings = np.full((len(faces), _DIMENSIONS), np.nan, np.float32)
        qualities = np.zeros(len(faces), np.float32)
        rows = chips.large_enough(faces, self.settings.min_face_pixels, self.settings.min_score)
        if len(rows):
            cut = np.stack([chips.warp(picture_bgr, faces.landmarks[row]) for row in rows])
            network_input = np.ascontiguousarray(cut[:, :, :, ::-1].transpose(0, 3, 1, 2), np.float32)
            (embeddings[rows],) = self.session.run(["embeddings"], {"chips": network_input})
            qualities[rows] = [chips.quality(chip, faces, int(row)) for chip, row in zip(cut, rows, strict=True)]
        return in_common_unit(embeddings, self.settings.boundary), qualities
