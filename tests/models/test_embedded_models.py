"""The models in the package are the files that the manifest names, and do what their originals do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tasks.models.session import load_session
from tasks.models.weights import find_model, list_models, weights_path

RECORDED = Path(__file__).with_name("recorded")
EMBEDDED = [entry.name for entry in list_models() if entry.origin == "embedded"]
ROUNDING = 1e-5  # how far the sums of another processor may lie from those of the one that the manifest was written on


@pytest.mark.parametrize("name", EMBEDDED)
def test_it_is_the_file_of_the_manifest(name: str) -> None:
    assert weights_path(name).stat().st_size == find_model(name).bytes


@pytest.mark.parametrize("name", EMBEDDED)
def test_it_agrees_with_the_original(name: str) -> None:
    session = load_session(name, threads=2)
    with np.load(RECORDED / f"{name}.npz") as recorded:
        found = session.run(None, {value.name: recorded[value.name] for value in session.get_inputs()})
        for value, output in zip(session.get_outputs(), found, strict=True):
            np.testing.assert_allclose(output, recorded[value.name], rtol=0, atol=find_model(name).largest_difference + ROUNDING)


def test_the_recorded_clip_has_its_transitions() -> None:
    # the three cuts and the middle of the crossfade that the clip was drawn with: agreement on a clip without any would say nothing
    with np.load(RECORDED / "transnetv2.npz") as recorded:
        assert np.flatnonzero(recorded["single"] > 0.5).tolist() == [17, 39, 55, 76, 77]


@pytest.mark.parametrize(
    ("name", "inputs", "outputs"),
    [
        ("centerface", (1, 3, 64, 96), [(1, 1, 16, 24), (1, 2, 16, 24), (1, 2, 16, 24), (1, 10, 16, 24)]),  # upright is not square
        ("centerface", (3, 3, 32, 32), [(3, 1, 8, 8), (3, 2, 8, 8), (3, 2, 8, 8), (3, 10, 8, 8)]),  # a batch
        ("dlib_resnet", (1, 3, 150, 150), [(1, 128)]),  # one face
        ("dlib_resnet", (5, 3, 150, 150), [(5, 128)]),  # several
        ("transnetv2", (1, 1, 27, 48, 3), [(1,), (1,)]),  # the shortest clip
        ("transnetv2", (1, 130, 27, 48, 3), [(130,), (130,)]),  # longer than the 101 frames that a frame is compared with
    ],
)
def test_sizes_may_differ(name: str, inputs: tuple[int, ...], outputs: list[tuple[int, ...]]) -> None:
    session = load_session(name, threads=2)
    given = session.get_inputs()[0]
    found = session.run(None, {given.name: np.zeros(inputs, np.uint8 if "uint8" in given.type else np.float32)})
    assert [output.shape for output in found] == outputs
    assert all(np.isfinite(output).all() for output in found)


def test_faces_in_a_batch_do_not_influence_each_other() -> None:
    session = load_session("dlib_resnet", threads=2)
    with np.load(RECORDED / "dlib_resnet.npz") as recorded:
        together = session.run(None, {"chips": recorded["chips"]})[0]
        alone = session.run(None, {"chips": recorded["chips"][2:3]})[0]
    np.testing.assert_allclose(together[2:3], alone, rtol=0, atol=ROUNDING)


def test_a_session_is_loaded_once_whoever_asks() -> None:
    with ThreadPoolExecutor(8) as pool:
        sessions = list(pool.map(lambda _: load_session("centerface", threads=1), range(16)))
    assert len(set(map(id, sessions))) == 1
    assert load_session("centerface", threads=2) is not sessions[0]  # another number of threads is another session


def test_all_of_them_fit_in_the_package() -> None:
    assert sum(find_model(name).bytes for name in EMBEDDED) < 70_000_000
