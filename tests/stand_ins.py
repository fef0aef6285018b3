"""Small networks with random weights and the inputs and outputs of models that have to be downloaded.

What they say means nothing, but they are files: the code that finds, checks, loads and runs the real ones does the same with them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

RETINA_STRIDES = (32, 16, 8)
RETINA_CHANNELS = (4, 8, 20)  # two anchors: no face and face, four moves, five points


def write_retinaface(path: Path) -> None:
    """(N, H, W, 3) in 0..255 to scores, moves and points of each stride, channels last."""
    random = np.random.default_rng(1)
    nodes = [helper.make_node("Transpose", ["pictures"], ["first"], perm=[0, 3, 1, 2])]
    constants, outputs = [], []
    for stride in RETINA_STRIDES:
        for channels in RETINA_CHANNELS:
            name = f"out_{stride}_{channels}"
            spread = 1e-3 if channels == 4 else 3e-4  # scores from 0 to 1, and boxes not far from their anchors
            weights = (random.normal(size=(channels, 3, stride, stride)) * spread / stride * 4).astype(np.float32)
            constants.append(numpy_helper.from_array(weights, f"weights_{name}"))
            nodes.append(helper.make_node("Conv", ["first", f"weights_{name}"], [f"conv_{name}"], strides=[stride, stride]))
            last = f"conv_{name}"
            if channels == 4:
                nodes.append(helper.make_node("Sigmoid", [last], [f"sigmoid_{name}"]))
                last = f"sigmoid_{name}"
            nodes.append(helper.make_node("Transpose", [last], [name], perm=[0, 2, 3, 1]))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "h", "w", channels]))
    _write(path, nodes, constants, ["n", "height", "width", 3], outputs)


def write_recogniser(path: Path, pixels: int, dimensions: int, *, channels_first: bool = False) -> None:
    """(N, pixels, pixels, 3), or one picture with its channels first, to (N, dimensions): a projection of some of its values."""
    random = np.random.default_rng(2)
    some = random.choice(pixels * pixels * 3, 256, replace=False)
    constants = [
        numpy_helper.from_array(np.array([-1, pixels * pixels * 3]), "flat"),
        numpy_helper.from_array(some, "some"),
        numpy_helper.from_array(random.normal(size=(len(some), dimensions)).astype(np.float32), "weights"),
    ]
    nodes = [
        helper.make_node("Reshape", ["pictures", "flat"], ["rows"]),
        helper.make_node("Gather", ["rows", "some"], ["values"], axis=1),
        helper.make_node("MatMul", ["values", "weights"], ["embeddings"]),
    ]
    given = [1, 3, pixels, pixels] if channels_first else ["n", pixels, pixels, 3]
    _write(path, nodes, constants, given, [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["n", dimensions])])


def write_frozen_graph(path: Path, pixels: int, dimensions: int) -> None:
    """(N, pixels, pixels, 3) to (N, dimensions), as TensorFlow keeps a graph: a projection of the middle column of pixels."""
    import tensorflow

    graph = tensorflow.Graph()
    with graph.as_default():
        pictures = tensorflow.compat.v1.placeholder(tensorflow.float32, (None, pixels, pixels, 3), name="input")
        weights = np.random.default_rng(3).normal(size=(pixels * 3, dimensions)).astype(np.float32)
        column = tensorflow.reshape(pictures[:, :, pixels // 2], (-1, pixels * 3))
        tensorflow.matmul(column, weights, name="pool5_7x7_s1")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(graph.as_graph_def().SerializeToString())


def _write(path: Path, nodes: list, constants: list, given: list, outputs: list) -> None:
    inputs = [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, given)]
    graph = helper.make_graph(nodes, "stand-in", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
