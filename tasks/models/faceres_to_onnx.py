"""faceres, a MobileNet that describes faces, read from its TensorFlow.js files without TensorFlow, as an ONNX model.

The network is HSE_FaceRec_tf (Savchenko, "Efficient facial representations for age, gender and identity recognition in organizing photo
albums using multi-output ConvNet", PeerJ Computer Science 2019), a MobileNet (Howard et al., arXiv:1704.04861) trained on VGGFace2.
Its heads for age and gender are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from tasks.models.onnx_graph import OnnxGraph

CHIP_PIXELS = 224
DIMENSIONS = 1024
MEAN_BGR = (103.939, 116.779, 123.68)
_EMBEDDING = "global_pooling/Mean"
_SIX = 6.0  # at which its rectifiers cut off

Weights = Mapping[str, npt.NDArray[Any]]


def faceres_to_onnx(topology: bytes, binary: bytes) -> onnx.ModelProto:
    """`chips` (N, 3, 224, 224) float32 BGR, 0-255 -> `embeddings` (N, 1024) float32, not of unit length."""
    nodes, weights = read_graph(topology, binary)
    graph = OnnxGraph()
    value = graph.add("Sub", "chips", graph.constant(np.array(MEAN_BGR, np.float32).reshape(3, 1, 1)))
    blocks = [name for name, node in nodes.items() if node["op"] in ("Conv2D", "DepthwiseConv2dNative")]
    limits = [graph.constant(np.array(limit, np.float32)) for limit in (0.0, _SIX)]
    for name in blocks:
        value = graph.add("Clip", _convolve(graph, value, name, nodes, weights), *limits)
    graph.output("embeddings", graph.add("Flatten", graph.add("GlobalAveragePool", value)))
    return graph.model(
        inputs={"chips": (TensorProto.FLOAT, ["faces", 3, CHIP_PIXELS, CHIP_PIXELS])},
        outputs={"embeddings": (TensorProto.FLOAT, ["faces", DIMENSIONS])},
    )


def read_graph(topology: bytes, binary: bytes) -> tuple[dict[str, dict[str, Any]], dict[str, npt.NDArray[Any]]]:
    """The nodes that lead to the embedding, by name and in order, and the weights; what is kept in 16 bits stays so."""
    model = json.loads(topology)
    described = [weight for group in model["weightsManifest"] for weight in group["weights"]]
    weights, offset = {}, 0
    for weight in described:
        kind = np.dtype(weight.get("quantization", weight)["dtype"]).newbyteorder("<")
        shape = tuple(weight["shape"])
        array = np.frombuffer(binary, kind, int(np.prod(shape)), offset)
        offset += array.nbytes
        weights[weight["name"]] = array.reshape(shape)
    nodes = {node["name"]: node for node in model["modelTopology"]["node"]}
    wanted, todo = set(), [_EMBEDDING]
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += nodes[name].get("input", [])
    return {name: node for name, node in nodes.items() if name in wanted and node["op"] != "Const"}, weights


def _convolve(graph: OnnxGraph, value: str, name: str, nodes: Mapping[str, dict[str, Any]], weights: Weights) -> str:
    """A convolution with its batch normalisation: the gain is in its kernel, or, after a depthwise one, a product of its own."""
    node = nodes[name]
    kernel = weights[node["input"][1]]
    gain, added = None, _reader_of(name, nodes)
    if nodes[added]["op"] == "Mul":
        gain, added = weights[nodes[added]["input"][1]].astype(np.float32), _reader_of(added, nodes)
    bias = graph.constant(weights[nodes[added]["input"][1]].astype(np.float32))
    stride = int(node["attr"]["strides"]["list"]["i"][1])
    window = kernel.shape[0]
    # TensorFlow's SAME: what is missing is added below and to the right, and above and to the left where the rest is even.
    missing = max(0, window - stride)
    pads = [missing // 2] * 2 + [missing - missing // 2] * 2
    same = {"strides": [stride] * 2, "pads": pads}
    if node["op"] == "Conv2D":
        return graph.add("Conv", value, graph.weights(kernel.transpose(3, 2, 0, 1)), bias, **same)
    # Folded in single precision: rounded to 16 bits, the products would move embeddings by a hundredth.
    assert gain is not None
    depthwise = kernel.astype(np.float32).transpose(2, 3, 0, 1) * gain[:, None, None, None]
    return graph.add("Conv", value, graph.constant(depthwise), bias, group=kernel.shape[2], **same)


def _reader_of(name: str, nodes: Mapping[str, dict[str, Any]]) -> str:
    """The node that takes the result of another one first."""
    return next(other for other, node in nodes.items() if node.get("input", [None])[0] == name)
