"""HSE_FaceRec's ResNet-50: 2048 numbers a face, of unit length (Savchenko, PeerJ Computer Science 2019), through TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.frozen_graph import FrozenGraph, load_graph
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.recognisers import chips
from tasks.recognisers.boundary import in_common_unit
from tasks.recognisers.faceres import FORM

_OUTPUT = "pool5_7x7_s1:0"
_MEAN_BGR = np.array([91.4953, 103.8827, 131.0912], np.float32)  # of VGGFace2's pictures


class HseResNet50(Method):
    """The larger model of faceres' author; get it with `veil models fetch hse_resnet50`, then calibrate it."""

    method: Literal["hse_resnet50"] = "hse_resnet50"
    min_face_pixels: int = Field(20, ge=8, le=512, description="smaller faces get no embedding")
    min_score: float = Field(0.4, ge=0, le=1, description="faces that the detector is less sure of get no embedding")
    boundary: float = Field(1.0, gt=0, description="its distance that all thresholds call 0.6: not measured, as no package has its weights")

    dimensions: ClassVar[int] = 2048

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest: what it needs, and on what terms."""
        return (self.method,)

    def load(self, runtime: Runtime = ON_ANYTHING) -> HseResNet50Recogniser:
        """Runs on the processor whatever the runtime says."""
        return HseResNet50Recogniser(self, load_graph(self.method, _OUTPUT))


@dataclass(frozen=True)
class HseResNet50Recogniser:
    """The loaded network."""

    settings: HseResNet50
    graph: FrozenGraph

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings (N, 2048) float32 and qualities (N,) float32, 0 to 1, of the faces; NaN and 0 where there is none."""
        rows = chips.large_enough(faces, self.settings.min_face_pixels, self.settings.min_score)
        embeddings, qualities = chips.embed_one_by_one(picture_bgr, faces, rows, FORM, self.settings.dimensions, self._vector)
        return in_common_unit(embeddings, self.settings.boundary), qualities

    def _vector(self, chip_bgr: npt.NDArray[np.uint8]) -> Floats:
        return chips.unit(self.graph.run((chip_bgr.astype(np.float32) - _MEAN_BGR)[None]).ravel())
