"""The recipe of the sequence model: what is trained is what runs, and a still face stays still whatever is learnt."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

pytest.importorskip("onnx")
pytest.importorskip("tensorflow")

from tasks.smoothers.train_sequence_model import draw_tracks, to_onnx, train


@pytest.fixture(scope="module")
def trained():
    return train(num_tracks=64, epochs=1)


@pytest.mark.parametrize("length", [1, 2, 40, 200])  # shorter and longer than what it was trained on
def test_onnx_runtime_computes_what_keras_does(trained, length) -> None:
    session = onnxruntime.InferenceSession(to_onnx(trained).SerializeToString(), providers=["CPUExecutionProvider"])
    (offsets,), _ = draw_tracks(3, 1, length)
    (found,) = session.run(None, {"offsets": offsets})
    assert np.allclose(found, trained.predict(offsets[None], verbose=0)[0], atol=1e-5)


def test_no_offset_is_no_correction(trained) -> None:
    assert any(weights.any() for weights in trained.get_layer("gru_1").get_weights()[2:]), "biases are learnt"
    assert not trained.predict(np.zeros((1, 30, 4), np.float32), verbose=0).any()


def test_a_seed_makes_the_tracks() -> None:
    one, again, other = (draw_tracks(seed, 4, 50) for seed in (1, 1, 2))
    assert all(np.array_equal(each, same) for each, same in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
