"""A graph written node by node, with the same bytes for the same weights whatever version of `onnx` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18  # the first in which ScatterElements sums and ReduceMean takes its axes as an input
FORMAT_VERSION = 9

Shape = list[str | int]  # a name is a dimension that may differ from run to run


class OnnxGraph:
    """Collects nodes; every method returns the name of what it adds, to be given to the next."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output."""
        output = f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, array: npt.NDArray[np.generic]) -> str:
        """Numbers kept as they are."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """Axes, sizes and the like: a vector."""
        return self.constant(np.array(values, np.int64))

    def weights(self, array: npt.NDArray[np.floating]) -> str:
        """Numbers stored in half precision and computed with in single: the runtime widens them once, when it loads the model."""
        return self.add("Cast", self.constant(array.astype(np.float16)), to=TensorProto.FLOAT)

    def output(self, name: str, value: str) -> None:
        """Gives `value` the name under which the graph hands it out."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))

    def model(self, inputs: Mapping[str, tuple[int, Shape]], outputs: Mapping[str, tuple[int, Shape]]) -> onnx.ModelProto:
        """The checked model; inputs and outputs are given as name: (element type, shape)."""
        given, found = ([helper.make_tensor_value_info(name, *what) for name, what in side.items()] for side in (inputs, outputs))
        graph = helper.make_graph(self._nodes, "veil", given, found, self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=FORMAT_VERSION, producer_name="veil")
        onnx.checker.check_model(model, full_check=True)
        return model
