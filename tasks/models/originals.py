"""The embedded models as their authors published them, run on seeded pictures: what the ONNX files are measured against.

Each function takes the published file and gives the arrays that went in and came out, named like those of the ONNX model.
It raises ModuleNotFoundError where the library that the original needs is not installed.
"""

from __future__ import annotations

import importlib
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks.models.faceres_to_onnx import MEAN_BGR, read_graph

SEED = 2022

Arrays = dict[str, npt.NDArray[np.generic]]
Bytes = npt.NDArray[np.uint8]


def run_centerface(wheel: Path, file: str) -> Arrays:
    """Its own dimensions are ten pictures of 32 x 32 pixels."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of each weight that is listed as an input
    with zipfile.ZipFile(wheel) as archive:
        session = onnxruntime.InferenceSession(archive.read(file), options, providers=["CPUExecutionProvider"])
    pictures = _channels_first(_blocks(count=10, rows=8, columns=8, pixels_a_block=4))
    maps = session.run(None, {session.get_inputs()[0].name: pictures})
    return {"pictures": pictures, **dict(zip(("heatmap", "scale", "offset", "landmarks"), maps, strict=True))}


def run_dlib(wheel: Path, file: str) -> Arrays:
    """The descriptors that dlib itself gives of chips of 150 x 150 pixels."""
    import dlib

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        model = dlib.face_recognition_model_v1(archive.extract(file, folder))
    chips = _blocks(count=4, rows=15, columns=15, pixels_a_block=10)
    embeddings = np.array([model.compute_face_descriptor(chip) for chip in chips], np.float32)
    return {"chips": _channels_first(chips), "embeddings": embeddings}


def run_faceres(archive: Path, topology: str, binary: str) -> Arrays:
    """Its graph run by TensorFlow, node by node, in single precision."""
    tensorflow = importlib.import_module("tensorflow")
    with tarfile.open(archive) as files:
        nodes, weights = read_graph(*(_member(files, name) for name in (topology, binary)))
    chips = _blocks(count=4, rows=14, columns=14, pixels_a_block=16)
    values: dict[str, Any] = {name: array.astype(np.int32 if array.dtype.kind == "i" else np.float32) for name, array in weights.items()}
    name = ""
    for name, node in nodes.items():
        given = [values[each] for each in node.get("input", [])]
        window = {key: [int(n) for n in node["attr"][key]["list"]["i"]] for key in ("strides", "dilations") if key in node["attr"]}
        match node["op"]:
            case "Placeholder":
                values[name] = chips.astype(np.float32) - np.array(MEAN_BGR, np.float32)
            case "Conv2D":
                values[name] = tensorflow.raw_ops.Conv2D(input=given[0], filter=given[1], padding="SAME", **window)
            case "DepthwiseConv2dNative":
                values[name] = tensorflow.raw_ops.DepthwiseConv2dNative(input=given[0], filter=given[1], padding="SAME", **window)
            case "Relu":
                values[name] = tensorflow.nn.relu(given[0])
            case "Mean":
                values[name] = tensorflow.reduce_mean(given[0], [int(axis) for axis in given[1]])
            case operator:
                values[name] = getattr(tensorflow.math, {"Mul": "multiply"}.get(operator, operator.lower()))(*given)
    return {"chips": _channels_first(chips), "embeddings": values[name].numpy()}


def _member(files: tarfile.TarFile, name: str) -> bytes:
    file = files.extractfile(name)
    if file is None:
        raise KeyError(name)
    return file.read()


def run_transnet(wheel: Path, file: str) -> Arrays:
    """The PyTorch network on 100 frames with three cuts and a crossfade."""
    torch = importlib.import_module("torch")
    shots = _blocks(count=5, rows=9, columns=16, pixels_a_block=3).astype(np.float32)
    fade = [shots[3] + (shots[4] - shots[3]) * step / 13 for step in range(1, 13)]
    frames = np.stack([shots[0]] * 18 + [shots[1]] * 22 + [shots[2]] * 16 + [shots[3]] * 15 + fade + [shots[4]] * 17)[None].astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
        sys.path.insert(0, folder)
        try:
            network = importlib.import_module(Path(file).parts[0]).TransNetV2(device="cpu")
        finally:
            sys.path.remove(folder)
    with torch.inference_mode():
        single, many = network.predict_raw(torch.from_numpy(frames))
    return {"frames": frames, "single": single.numpy().ravel(), "many": many.numpy().ravel()}


def _blocks(*, count: int, rows: int, columns: int, pixels_a_block: int) -> Bytes:
    """Pictures of blocks of random colours: (count, H, W, 3)."""
    colours = np.random.default_rng(SEED).integers(0, 256, (count, rows, columns, 3), dtype=np.uint8)
    return colours.repeat(pixels_a_block, axis=1).repeat(pixels_a_block, axis=2)


def _channels_first(pictures: Bytes) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2).astype(np.float32))
