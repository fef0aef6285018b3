"""faceres: 1024 numbers a face, of unit length, near for the same face (Savchenko, PeerJ Computer Science 2019).

What all faces have in common is taken away: a blurred face has little else, and would be near to everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.session import Session, load_session
from tasks.recognisers import chips
from tasks.recognisers.boundary import in_common_unit
from tasks.recognisers.chips import ARCFACE_LANDMARKS, Form

MEAN_FILE = Path(__file__).with_name("faceres_mean.npy")  # written by `python -m tests.benchmarks.calibration`
MEAN_SHARE = 0.5  # of the mean over clear faces of many people: what is measured of few is not all common to everybody
_PIXELS = 224
_WIDER = 1.1  # than ArcFace's square: with less around the face, half of what it tells apart is lost
FORM = Form(_PIXELS, ((ARCFACE_LANDMARKS / 112 - 0.5) / _WIDER + 0.5).astype(np.float32) * _PIXELS)


class Faceres(Method):
    """HSE_FaceRec's MobileNet through ONNX Runtime, on chips warped from the detector's five landmarks; no download."""

    method: Literal["faceres"] = "faceres"
    min_face_pixels: int = Field(20, ge=8, le=512, description="smaller faces get no embedding")
    min_score: float = Field(0.4, ge=0, le=1, description="faces that the detector is less sure of get no embedding")
    boundary: float = Field(1.0, gt=0, description="its distance that all thresholds call 0.6: a larger one finds more faces alike")

    dimensions: ClassVar[int] = 1024

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest: what it needs, and on what terms."""
        return ("faceres",)

    def load(self, runtime: Runtime = ON_ANYTHING) -> FaceresRecogniser:
        return FaceresRecogniser(self, load_session("faceres", threads=1, runtime=runtime), mean_face())


@cache
def mean_face() -> Floats:
    """(1024,), `MEAN_SHARE` of the mean of the network's unit vectors over clear faces of many people."""
    return np.asarray(np.load(MEAN_FILE, allow_pickle=False), np.float32)


@dataclass(frozen=True)
class FaceresRecogniser:
    """The loaded network."""

    settings: Faceres
    session: Session
    mean: Floats
    """(1024,), what is taken away from each face's unit vector"""

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings (N, 1024) float32 and qualities (N,) float32, 0 to 1, of the faces; NaN and 0 where there is none."""
        rows = chips.large_enough(faces, self.settings.min_face_pixels, self.settings.min_score)
        embeddings, qualities = chips.embed_one_by_one(picture_bgr, faces, rows, FORM, self.settings.dimensions, self._vector)
        return in_common_unit(embeddings, self.settings.boundary), qualities

    def _vector(self, chip_bgr: npt.NDArray[np.uint8]) -> Floats:
        (found,) = self.session.run(["embeddings"], {"chips": chip_bgr.transpose(2, 0, 1)[None].astype(np.float32)})
        return chips.unit(chips.unit(found[0]) - self.mean)
