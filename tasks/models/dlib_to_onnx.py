"""dlib's face recognition ResNet (29 convolutions), read from dlib's own serialisation, as an ONNX model.

The file lists the network from its input to its loss. Each layer is a tag (`con_4`, `affine_`, ...) and its parameters; what stands
between two layers is dlib's training state, skipped by looking for the next tag. The network is King, "High Quality Face Recognition
with Deep Metric Learning" (2017), as in dlib's `dnn_face_recognition_ex.cpp`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from tasks.models.onnx_graph import OnnxGraph

CHIP_PIXELS = 150
MEAN_RGB = (122.782, 117.001, 104.298)  # of dlib's `input_rgb_image`
_LAYER = re.compile(rb"\x01[\x04-\x0a](con_4|affine_|relu_|max_pool_2|avg_pool_2|add_prev_|fc_2)")


class _Reader:
    """dlib's primitives from `offset` on: an integer is its length in one byte, then that many bytes, the lowest first."""

    def __init__(self, content: bytes, offset: int) -> None:
        self._content = content
        self._offset = offset

    def integer(self) -> int:
        start = self._offset + 1
        self._offset = start + self._content[self._offset]
        return int.from_bytes(self._content[start : self._offset], "little")

    def tensor(self) -> npt.NDArray[np.float32]:
        version, *shape = (self.integer() for _ in range(5))
        if version != 2:
            raise ValueError(f"a dlib tensor of version {version}, expected 2")
        floats = np.frombuffer(self._content, "<f4", int(np.prod(shape)), self._offset)
        self._offset += floats.nbytes
        return floats.reshape(shape)


@dataclass(frozen=True)
class _Square:
    """A tensor of the graph, (N, channels, side, side)."""

    name: str
    channels: int
    side: int


def dlib_to_onnx(content: bytes) -> onnx.ModelProto:
    """`chips` (N, 3, 150, 150) float32 RGB, 0-255 -> `embeddings` (N, 128) float32; two of one person are mostly closer than 0.6."""
    graph = OnnxGraph()
    mean = graph.constant(np.array(MEAN_RGB, np.float32).reshape(3, 1, 1))
    centred = graph.add("Div", graph.add("Sub", "chips", mean), graph.constant(np.array(256, np.float32)))
    value = block_input = shortcut = _Square(centred, 3, CHIP_PIXELS)
    layers = [(match[1].decode(), _Reader(content, match.end())) for match in _LAYER.finditer(content)]
    for index, (tag, reader) in enumerate(layers):
        match tag:
            case "con_4":  # its affine layer always follows
                value = _convolve(graph, value, reader, layers[index + 1][1])
            case "relu_":
                value = _Square(graph.add("Relu", value.name), value.channels, value.side)
            case "max_pool_2":
                value = _pool(graph, "MaxPool", value, window=3)
            case "avg_pool_2":
                if reader.integer() == 2:
                    shortcut = _pool(graph, "AveragePool", block_input, window=2)
                else:  # a window of 0 is the whole picture
                    value = _Square(graph.add("Flatten", graph.add("GlobalAveragePool", value.name)), value.channels, 1)
            case "add_prev_":
                value = _add(graph, value, shortcut)
            case "fc_2":
                reader.integer(), reader.integer()  # the numbers of outputs and inputs, which the tensor tells as well
                matrix = reader.tensor().reshape(value.channels, -1)
                graph.output("embeddings", graph.add("MatMul", value.name, graph.weights(matrix)))
        if tag == "max_pool_2" or layers[index - 1][0] == "add_prev_":
            block_input = shortcut = value
    return graph.model(
        inputs={"chips": (TensorProto.FLOAT, ["faces", 3, CHIP_PIXELS, CHIP_PIXELS])},
        outputs={"embeddings": (TensorProto.FLOAT, ["faces", 128])},
    )


def _convolve(graph: OnnxGraph, value: _Square, convolution: _Reader, affine: _Reader) -> _Square:
    """A convolution and the affine layer (once a batch normalisation) after it, folded into one."""
    parameters = convolution.tensor().ravel()
    filters, window, _, stride, _, padding, _ = (convolution.integer() for _ in range(7))
    gain, offset = affine.tensor().ravel().reshape(2, filters)
    kernel = parameters[:-filters].reshape(filters, value.channels, window, window) * gain[:, None, None, None]
    bias = graph.constant(parameters[-filters:] * gain + offset)
    name = graph.add("Conv", value.name, graph.weights(kernel), bias, strides=[stride] * 2, pads=[padding] * 4)
    return _Square(name, filters, (value.side + 2 * padding - window) // stride + 1)


def _pool(graph: OnnxGraph, operator: str, value: _Square, *, window: int) -> _Square:
    name = graph.add(operator, value.name, kernel_shape=[window] * 2, strides=[2, 2])
    return _Square(name, value.channels, (value.side - window) // 2 + 1)


def _add(graph: OnnxGraph, first: _Square, second: _Square) -> _Square:
    """The sum in dlib's manner: the one with fewer channels, rows or columns counts as zero there."""
    channels, side = max(first.channels, second.channels), max(first.side, second.side)
    padded = []
    for value in (first, second):
        ends = [0, channels - value.channels, side - value.side, side - value.side]
        padded.append(graph.add("Pad", value.name, graph.integers(0, 0, 0, 0, *ends)) if any(ends) else value.name)
    return _Square(graph.add("Add", *padded), channels, side)
