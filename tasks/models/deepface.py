"""DeepFace, loaded when it is first needed, on ONNX Runtime: TensorFlow would take seconds and half a gigabyte more."""

from __future__ import annotations

import importlib
import os
from typing import Any


def modeling() -> Any:
    """DeepFace's builder of models."""
    os.environ.setdefault("DEEPFACE_BACKEND_ENGINE", "onnx")  # read by DeepFace and RetinaFace when they are imported
    return importlib.import_module("deepface.modules.modeling")
