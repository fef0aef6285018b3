"""What models run on. There is no GPU here: what happens without one is real, what happens when one fails is played."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from tasks.detectors.centerface import CenterFace
from tasks.errors import DeviceError
from tasks.models.runtime import Runtime
from tasks.models.session import PROVIDERS, OnDevice, candidates, check_device, load_session
from tests.tasks.scenes import scene

onnxruntime = pytest.importorskip("onnxruntime")
ABSENT = [device for device, provider in PROVIDERS.items() if provider not in onnxruntime.get_available_providers()]
INPUT = {"pictures": np.zeros((1, 3, 32, 32), np.float32)}


@pytest.mark.parametrize(
    ("runtime", "available", "expected"),
    [
        (Runtime(), ["cpu"], ["cpu"]),
        (Runtime(), ["cuda", "cpu"], ["cuda", "cpu"]),  # auto: the quickest, and what works if it does not
        (Runtime(), ["tensorrt", "cuda", "openvino", "cpu"], ["cuda", "openvino", "cpu"]),  # TensorRT takes minutes to begin
        (Runtime(provider="cpu"), ["cuda", "cpu"], ["cpu"]),  # a named one only
        (Runtime(provider="cuda"), ["cpu"], ["cuda"]),  # though it is not there: that is the error
        (Runtime(provider="tensorrt", allow_fallback=True), ["cpu"], ["tensorrt", "cpu"]),
        (Runtime(provider="cpu", allow_fallback=True), ["cpu"], ["cpu"]),
    ],
)
def test_what_is_tried_in_which_order(runtime, available, expected) -> None:
    assert candidates(runtime, [PROVIDERS[device] for device in available]) == expected


@pytest.mark.parametrize("device", ABSENT)
def test_a_device_that_is_not_there_is_one_error(device) -> None:
    for ask in (lambda runtime: load_session("centerface", 1, runtime=runtime), check_device):
        with pytest.raises(DeviceError, match=rf"{device}.*{PROVIDERS[device]}.*allow_fallback") as caught:
            ask(Runtime(provider=device))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ABSENT)
def test_the_cpu_takes_its_place_only_where_that_is_allowed_and_said(device, caplog) -> None:
    runtime = Runtime(provider=device, allow_fallback=True)
    check_device(runtime)
    with caplog.at_level(logging.WARNING):
        session = load_session("centerface", 1, runtime=runtime)
    assert session is load_session("centerface", 1, runtime=Runtime(provider="cpu"))
    assert PROVIDERS[device] in caplog.text
    assert "the CPU is used instead" in caplog.text


def test_threads_are_those_that_were_asked_for() -> None:
    def threads_of(session) -> int:
        return session.get_session_options().intra_op_num_threads

    assert threads_of(load_session("centerface", 1, runtime=Runtime(provider="cpu"))) == 1
    assert threads_of(load_session("centerface", 1, runtime=Runtime(provider="cpu", threads=2))) == 2
    assert load_session("centerface", 1, runtime=Runtime(threads=2)) is load_session("centerface", 2)


class Failing:
    """A session on a device that fails when it runs."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def run(self, output_names, inputs):
        raise self.error

    def get_inputs(self):
        return ["in"]

    def get_outputs(self):
        return ["out"]


def failures():
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return [state.Fail("CUDA failure 2: out of memory\nexpr=cudaMalloc"), state.RuntimeException("CUDA failure 700"), RuntimeError("gone")]


@pytest.mark.parametrize("error", failures(), ids=lambda error: type(error).__name__)
def test_a_device_that_fails_is_named(error) -> None:
    broken = OnDevice("centerface", "cuda", Failing(error), None)
    with pytest.raises(DeviceError, match=r"CUDAExecutionProvider.*centerface") as caught:
        broken.run(None, INPUT)
    assert "\n" not in str(caught.value)
    assert (broken.get_inputs(), broken.get_outputs()) == (["in"], ["out"])


def test_a_device_that_fails_is_left_for_good_where_that_is_allowed(caplog) -> None:
    cpu = load_session("centerface", 1)
    broken = OnDevice("centerface", "cuda", Failing(RuntimeError("out of memory")), cpu)
    for _ in range(2):
        for one, other in zip(broken.run(None, INPUT), cpu.run(None, INPUT), strict=True):
            np.testing.assert_array_equal(one, other)
    assert caplog.text.count("the CPU is used instead") == 1


def test_a_mistake_of_the_caller_is_no_devices_fault() -> None:
    from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

    with pytest.raises(InvalidArgument):
        OnDevice("centerface", "cuda", load_session("centerface", 1), None).run(["no such output"], INPUT)


def test_half_precision_loses_nothing() -> None:
    """The CPU rounds as a GPU would, if more slowly: faces move by less than a pixel in a hundred."""
    from tasks.detectors.centerface import CenterFaceNetwork
    from tasks.detectors.sized import SizedDetector
    from tasks.models.half import in_half_precision
    from tasks.models.weights import weights_path

    settings = CenterFace(min_long_side_pixels=320)
    half = onnxruntime.InferenceSession(in_half_precision(weights_path("centerface")), providers=["CPUExecutionProvider"])
    for person, width in (("collins", 20), ("hopper", 60), ("collins", 160)):
        picture, _ = scene(person, width, (320, 320))
        rounded = SizedDetector(settings, CenterFaceNetwork(half, settings.min_score)).detect(picture)
        full = settings.load(Runtime(provider="cpu", half_precision=True)).detect(picture)  # on the CPU it means nothing
        np.testing.assert_allclose(rounded.boxes, full.boxes, atol=width / 100)
        np.testing.assert_allclose(rounded.scores, full.scores, atol=0.005)
