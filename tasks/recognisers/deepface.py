"""DeepFace's recognisers (Serengil and Özpınar, https://github.com/serengil/deepface), on chips cut here, a picture's faces at once.

No package has their weights, so their boundaries are not measured with these chips: each is the mean of DeepFace's thresholds for the
cosine and for the Euclidean distance of unit vectors, the former brought to the latter (the root of twice a cosine distance).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.deepface import modeling
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.session import load_session
from tasks.models.weights import find_model
from tasks.recognisers import chips
from tasks.recognisers.boundary import in_common_unit
from tasks.recognisers.chips import ARCFACE_LANDMARKS, Form

# The face's box, nine tenths of the chip high.
_WHOLE_FACE = np.array([[0.33, 0.374], [0.67, 0.374], [0.5, 0.545], [0.353, 0.698], [0.64, 0.698]], np.float32)
# From eyebrows to chin.
_OPENFACE = np.array([[0.28, 0.33], [0.73, 0.33], [0.5, 0.56], [0.33, 0.76], [0.69, 0.76]], np.float32)

_BOUNDARY = "distance of its unit vectors that all thresholds call 0.6: a larger one finds more faces alike; not measured with these chips"


class DeepFaceRecogniser(Method):
    """What DeepFace's recognisers share."""

    min_face_pixels: int = Field(20, ge=8, le=512, description="smaller faces get no embedding")
    min_score: float = Field(0.4, ge=0, le=1, description="faces that the detector is less sure of get no embedding")
    boundary: float = Field(1.0, gt=0, description=_BOUNDARY)

    form: ClassVar[Form]
    dimensions: ClassVar[int]

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest: what it needs, and on what terms."""
        return (self.method,)

    def load(self, runtime: Runtime = ON_ANYTHING) -> LoadedRecogniser:
        session = load_session(self.method, threads=1, runtime=runtime)
        kind = modeling().get_model_class("facial_recognition", find_model(self.method).deepface_name)
        client = kind.__new__(kind)  # made as usual, it would load the file a second time, or download it
        client.model = session
        return LoadedRecogniser(self, client)


class Facenet512(DeepFaceRecogniser):
    """FaceNet with 512 numbers a face (Schroff et al., arXiv:1503.03832); get it with `veil models fetch facenet512`."""

    method: Literal["facenet512"] = "facenet512"
    boundary: float = Field(0.91, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(160, _WHOLE_FACE * 160)
    dimensions: ClassVar[int] = 512


class Facenet(DeepFaceRecogniser):
    """FaceNet with 128 numbers a face; get it with `veil models fetch facenet`."""

    method: Literal["facenet"] = "facenet"
    boundary: float = Field(0.85, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(160, _WHOLE_FACE * 160)
    dimensions: ClassVar[int] = 128


class ArcFace(DeepFaceRecogniser):
    """ArcFace, 512 numbers a face (Deng et al., arXiv:1801.07698); get it with `veil models fetch arcface`."""

    method: Literal["arcface"] = "arcface"
    boundary: float = Field(1.15, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(112, ARCFACE_LANDMARKS)
    dimensions: ClassVar[int] = 512


class SFace(DeepFaceRecogniser):
    """SFace, 128 numbers a face (Zhong et al., arXiv:2205.12010); get it with `veil models fetch sface`."""

    method: Literal["sface"] = "sface"
    boundary: float = Field(1.07, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(112, ARCFACE_LANDMARKS)
    dimensions: ClassVar[int] = 128


class GhostFaceNet(DeepFaceRecogniser):
    """GhostFaceNet, 512 numbers a face (Alansari et al., IEEE Access 2023); get it with `veil models fetch ghostfacenet`."""

    method: Literal["ghostfacenet"] = "ghostfacenet"
    boundary: float = Field(1.12, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(112, ARCFACE_LANDMARKS)
    dimensions: ClassVar[int] = 512


class OpenFace(DeepFaceRecogniser):
    """OpenFace, 128 numbers a face (Amos et al., CMU-CS-16-118); get it with `veil models fetch openface`."""

    method: Literal["openface"] = "openface"
    boundary: float = Field(0.5, gt=0, description=_BOUNDARY)
    form: ClassVar[Form] = Form(96, _OPENFACE * 96)
    dimensions: ClassVar[int] = 128


@dataclass(frozen=True)
class LoadedRecogniser:
    """DeepFace's client of a recogniser, on a session of ours.

    It is called as DeepFace's `represent` calls it, which itself cannot be imported without a web framework.
    """

    settings: DeepFaceRecogniser
    client: Any

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings (N, D) float32 and qualities (N,) float32, 0 to 1, of the faces; NaN and 0 where there is none."""
        embeddings = np.full((len(faces), self.settings.dimensions), np.nan, np.float32)
        qualities = np.zeros(len(faces), np.float32)
        rows = chips.large_enough(faces, self.settings.min_face_pixels, self.settings.min_score)
        if len(rows):
            cut = [chips.warp(picture_bgr, faces.landmarks[row], self.settings.form) for row in rows]
            said = self.client.forward(np.stack(cut).astype(np.float32) / 255)
            vectors = np.array(said, np.float32).reshape(len(cut), -1)  # of one chip it says a plain list
            embeddings[rows] = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
            qualities[rows] = [chips.quality(chips.warp(picture_bgr, faces.landmarks[row]), faces, int(row)) for row in rows]
        return in_common_unit(embeddings, self.settings.boundary), qualities
