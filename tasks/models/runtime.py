"""What a model runs on: chosen by a setting, never by chance."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SerializationInfo, SerializerFunctionWrapHandler, model_serializer

from tasks.method import FOR_A_KEY, Settings

Device = Literal["cpu", "cuda", "tensorrt", "openvino"]


class Runtime(Settings):
    """What ONNX Runtime computes on.

    Devices round differently: boxes differ by fractions of a pixel. `auto` says that any will do, and a result that one machine has kept is
    used on another; a named provider has results of its own. How many threads there are, how
    many pictures make a batch, and what may be fallen back to, changes no result.
    """

    provider: Literal["auto", "cpu", "cuda", "tensorrt", "openvino"] = Field(
        "auto",
        description="auto: CUDA or OpenVINO where ONNX Runtime has it and it works, else the CPU; TensorRT only where it is named",
    )
    threads: int = Field(
        0, ge=0, le=256, description="cores that work on one picture; 0: one for each picture that is looked at side by side"
    )
    batch: int = Field(
        16,
        ge=1,
        le=256,
        description="pictures that CUDA looks at together, from all that is waited for; halved where its memory holds no more",
    )
    half_precision: bool = Field(
        False, description="16 bits on a GPU, for the models that lose nothing by it; needs the package onnx with CUDA"
    )
    allow_fallback: bool = Field(False, description="whether the CPU may do what a named provider cannot; it is said when it does")

    @model_serializer(mode="wrap")
    def _values(self, write: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        values: dict[str, Any] = write(self)
        if info.context == FOR_A_KEY:
            values = {name: values[name] for name in ("provider", "half_precision")}
        return values


ON_ANYTHING = Runtime()
