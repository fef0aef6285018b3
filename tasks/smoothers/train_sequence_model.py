"""Trains the `sequence_model` smoother: `python -m tasks.smoothers.train_sequence_model`, some minutes on two cores.

A seed makes the tracks, the first weights and the order of training. The network is written as ONNX into `tasks/models`, its size, hash
and difference from what Keras computes into the manifest there, and Keras' outputs beside the tests. Needs `onnx`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import onnx
from onnx import TensorProto

from tasks.faces import Floats
from tasks.models.build import RECORDED, describe, largest_difference
from tasks.models.onnx_graph import OnnxGraph
from tasks.models.weights import MANIFEST
from tasks.smoothers.sequence_model import MODEL, relative
from tasks.smoothers.trajectories import draw_trajectory

SEED = 2022
NUM_TRACKS = 4000
NUM_FRAMES = 96
UNITS = 32
BATCH = 64
EPOCHS = 10
STEADINESS = 1.5  # how much trembling that is not the face's own counts beside being off
_SCALE = 20.0  # offsets are a few hundredths of a face

logger = logging.getLogger(__name__)


class NoneForCandidates(keras.constraints.Constraint):  # type: ignore[misc]  # Keras has no types
    """Biases for the gates alone, so that a track that does not tremble leaves the state, and its boxes, as they are."""

    def __call__(self, w: Any) -> Any:
        return w * np.repeat([1.0, 1.0, 0.0], UNITS).astype(np.float32)


def build() -> keras.Model:
    """(B, N, 4) offsets from the means around -> (B, N, 4) where the face is from there."""
    offsets = keras.Input((None, 4))
    value = scaled = keras.layers.Rescaling(_SCALE)(offsets)
    for layer in (1, 2):
        unit = keras.layers.GRU(UNITS, return_sequences=True, bias_constraint=NoneForCandidates(), name=f"gru_{layer}")
        onwards, back = unit(value), keras.ops.flip(unit(keras.ops.flip(value, 1)), 1)  # one set of weights: neither way is the better one
        value = keras.layers.Add()([onwards, back])
    value = keras.layers.Concatenate()([value, scaled])
    return keras.Model(offsets, keras.layers.Rescaling(1 / _SCALE)(keras.layers.Dense(4, use_bias=False, name="dense")(value)))


def loss(truth: Any, found: Any) -> Any:
    """Mean error, and mean error of the second differences over time."""
    off = (found - truth) * _SCALE
    trembling = off[:, 2:] - 2 * off[:, 1:-1] + off[:, :-2]
    return keras.ops.mean(keras.ops.abs(off)) + STEADINESS * keras.ops.mean(keras.ops.abs(trembling))


def draw_tracks(seed: int, num_tracks: int, num_frames: int) -> tuple[Floats, Floats]:
    """Offsets, and what they should become; each (num_tracks, num_frames, 4)."""
    random = np.random.default_rng(seed)
    pairs = []
    for _ in range(num_tracks):
        track = draw_trajectory(random, num_frames)
        means, offsets, sizes = relative(track.boxes)
        pairs.append((offsets, (track.truth - means) / sizes))
    given, wanted = (np.stack(side).astype(np.float32) for side in zip(*pairs, strict=True))
    return given, wanted


def to_onnx(model: keras.Model) -> onnx.ModelProto:
    """`offsets` (N, 4) float32 -> `corrected` (N, 4) float32, one track of any length."""
    graph = OnnxGraph()
    scaled = graph.add("Mul", graph.add("Unsqueeze", "offsets", graph.integers(1)), graph.constant(np.array(_SCALE, np.float32)))
    value = scaled
    for layer in (1, 2):  # Keras keeps its gates in ONNX's order: update, reset, candidate
        kernel, recurrent, bias = model.get_layer(f"gru_{layer}").get_weights()
        twice = [np.stack([each, each]) for each in (kernel.T, recurrent.T, bias.reshape(-1))]
        both = graph.add("GRU", value, *map(graph.constant, twice), direction="bidirectional", hidden_size=UNITS, linear_before_reset=1)
        value = graph.add("ReduceSum", both, graph.integers(1), keepdims=0)
    (dense,) = model.get_layer("dense").get_weights()
    rows = graph.add("Squeeze", graph.add("Concat", value, scaled, axis=2), graph.integers(1))
    graph.output("corrected", graph.add("MatMul", rows, graph.constant(dense / np.float32(_SCALE))))
    return graph.model(inputs={"offsets": (TensorProto.FLOAT, ["frames", 4])}, outputs={"corrected": (TensorProto.FLOAT, ["frames", 4])})


def train(num_tracks: int, epochs: int) -> keras.Model:
    """A model trained on so many tracks, so often."""
    keras.utils.set_random_seed(SEED)
    given, wanted = draw_tracks(SEED, num_tracks, NUM_FRAMES)
    model = build()
    num_steps = epochs * -(-num_tracks // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(0.0, num_steps, warmup_target=4e-3, warmup_steps=num_steps // 20, alpha=0.01)
    model.compile(keras.optimizers.Adam(rate, clipnorm=1.0), loss)
    model.fit(given, wanted, BATCH, epochs, verbose=2, validation_data=draw_tracks(SEED + 1, num_tracks // 8, NUM_FRAMES))
    return model


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the model, its recorded outputs and its lines in the manifest."""
    parser = argparse.ArgumentParser(prog="python -m tasks.smoothers.train_sequence_model", description=__doc__)
    parser.add_argument("--tracks", type=int, default=NUM_TRACKS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    options = parser.parse_args(arguments)
    model = train(options.tracks, options.epochs)
    offsets = draw_tracks(SEED + 2, 1, 200)[0][0]
    recording = RECORDED / f"{MODEL}.npz"
    np.savez_compressed(recording, allow_pickle=False, offsets=offsets, corrected=model.predict(offsets[None], verbose=0)[0])
    content = to_onnx(model).SerializeToString(deterministic=True)
    difference = largest_difference(content, recording)
    MANIFEST.with_name(f"{MODEL}.onnx").write_bytes(content)
    describe(MODEL, content, difference)
    logger.info("%d bytes, at most %.1e from what Keras computes", len(content), difference)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
