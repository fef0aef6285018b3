"""A model in half precision: 16 bits inside, 32 at its inputs and outputs. Needs the package onnx."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16


def in_half_precision(path: Path) -> bytes:
    """The ONNX file of the model at `path`, its weights and arithmetic in half precision."""
    half: bytes = convert_float_to_float16(onnx.load(path), keep_io_types=True).SerializeToString()
    return half
