"""No recogniser: for work in which nobody has to be told from anybody."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from tasks.faces import Faces, Floats
from tasks.method import Method
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.recognisers.boundary import BOUNDARY


class NoRecogniser(Method):
    """Computes no embeddings; people cannot be chosen by photos then."""

    method: Literal["none"] = "none"
    dimensions: ClassVar[int] = 1
    boundary: ClassVar[float] = BOUNDARY

    @property
    def models(self) -> tuple[str, ...]:
        return ()

    def load(self, runtime: Runtime = ON_ANYTHING) -> NoRecogniser:
        return self

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """NaN and 0 for every face."""
        return np.full((len(faces), 1), np.nan, np.float32), np.zeros(len(faces), np.float32)
