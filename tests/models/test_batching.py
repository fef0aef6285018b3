"""Batches: who is answered together, on a device that is played on top of the real models on the CPU."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks.errors import DeviceError
from tasks.models import session as sessions
from tasks.models.batching import Batching, takes_batches
from tasks.models.runtime import Runtime
from tasks.models.session import PROVIDERS, OnDevice, load_session, num_at_once, num_cores

FULL = "CUDA failure 2: out of memory"
ALLOCATION = "Failed to allocate memory for requested buffer of size 1073741824"


class Device:
    """A session whose memory holds so many pictures at once, and which can be kept waiting while others ask."""

    def __init__(self, holds: int = 1000, says: str = FULL) -> None:
        self.holds, self.says = holds, says
        self.ready = threading.Event()
        self.begun = threading.Event()
        self.shown: list[int] = []

    def run(self, output_names, inputs):
        pictures = inputs["pictures"]
        self.begun.set()
        self.ready.wait(10)
        self.shown.append(len(pictures))
        if len(pictures) > self.holds:
            raise RuntimeError(self.says)
        return [pictures.sum((1, 2, 3)), pictures[:, 0]]


def pictures_of(*values: float, side: int = 4) -> dict[str, np.ndarray]:
    return {"pictures": np.stack([np.full((3, side, side), value, np.float32) for value in values])}


def ask_all(session, device: Device, asked: list[dict[str, np.ndarray]]) -> list:
    """What each gets, or the error that it gets; the first is alone with the device, and all others come meanwhile."""

    def ask(inputs):
        try:
            return session.run(None, inputs)
        except (RuntimeError, DeviceError) as error:
            return error

    with ThreadPoolExecutor(len(asked)) as pool:
        first = pool.submit(ask, asked[0])
        assert device.begun.wait(10)
        others = [pool.submit(ask, inputs) for inputs in asked[1:]]
        batching = session if isinstance(session, Batching) else session._session
        while len(batching._waiting) < len(others):
            time.sleep(0.001)
        device.ready.set()
        return [each.result() for each in (first, *others)]


@pytest.mark.parametrize(
    ("most", "holds", "num_asked", "shown", "most_after"),
    [
        (16, 99, 1, [1], 16),  # nobody waits for a batch to be full
        (16, 99, 17, [1, 16], 16),  # what comes while the device works is the next batch
        (8, 99, 17, [1, 8, 8], 8),  # no more at once than is allowed
        (16, 4, 17, [1, 16, 8, 4, 4, 8, 4, 4], 4),  # halved until it fits
        (16, 4, 21, [1, 16, 8, 4, 4, 8, 4, 4, 4], 4),  # and no larger one is tried again
        (16, 1, 5, [1, 4, 2, 1, 1, 2, 1, 1], 1),
    ],
)
def test_how_many_are_looked_at_together(most, holds, num_asked, shown, most_after) -> None:
    device = Device(holds)
    session = Batching(device, most)
    answers = ask_all(session, device, [pictures_of(number) for number in range(num_asked)])
    assert [float(total[0]) for total, _ in answers] == [48.0 * number for number in range(num_asked)], "each gets its own"
    assert [first[0, 0, 0] for _, first in answers] == list(range(num_asked))
    assert sum(device.shown) == sum(size * count for size, count in session.sizes.items())
    assert device.shown == shown
    assert session.most_rows == most_after


def test_only_what_is_alike_is_stacked() -> None:
    """Pictures of another size are another batch; faces of one picture, several rows, stay together."""
    device = Device()
    asked = [pictures_of(0), pictures_of(1), pictures_of(2, side=6), pictures_of(3, 4, 5), pictures_of(6, side=6)]
    answers = ask_all(Batching(device, 16), device, asked)
    assert sorted(device.shown) == [1, 2, 4]
    assert [total.tolist() for total, _ in answers] == [[0], [48], [216], [144, 192, 240], [648]]


@pytest.mark.parametrize("says", [FULL, ALLOCATION, "CUDNN_STATUS_ALLOC_FAILED"])
def test_memory_that_does_not_hold_one_picture_is_an_error_for_each(says) -> None:
    device = Device(holds=0, says=says)
    answers = ask_all(OnDevice("centerface", "cuda", Batching(device, 4), None), device, [pictures_of(n) for n in range(3)])
    assert all(isinstance(answer, DeviceError) and PROVIDERS["cuda"] in str(answer) for answer in answers)


def test_another_failure_is_not_tried_again() -> None:
    device = Device(holds=1, says="CUDA failure 700: an illegal memory access was encountered")
    answers = ask_all(Batching(device, 4), device, [pictures_of(n) for n in range(4)])
    assert device.shown == [1, 3]
    assert [isinstance(answer, RuntimeError) for answer in answers] == [False, True, True, True]


def test_all_who_asked_a_device_that_fails_go_on_where_that_is_allowed(caplog) -> None:
    device, working = Device(holds=0), Device()
    working.ready.set()
    answers = ask_all(OnDevice("centerface", "cuda", Batching(device, 4), working), device, [pictures_of(n) for n in range(4)])
    assert [float(total[0]) for total, _ in answers] == [0, 48, 96, 144]
    assert caplog.text.count("the CPU is used instead") == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [("centerface", True), ("dlib_resnet", True), ("transnetv2", False)],  # its rows are frames of one video, which it sees together
)
def test_which_models_take_batches(name, expected) -> None:
    assert takes_batches(load_session(name, 1)) == expected


@pytest.mark.parametrize(("name", "shape"), [("centerface", (3, 64, 96)), ("dlib_resnet", (3, 150, 150))])
def test_a_batch_gives_what_each_alone_gives(name, shape) -> None:
    cpu = load_session(name, 1)
    inputs = np.random.default_rng(1).uniform(0, 255, (5, *shape)).astype(np.float32)
    key = cpu.get_inputs()[0].name
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(Batching(cpu, 4).run, [None] * 5, [{key: picture[None]} for picture in inputs]))
    for picture, outputs in zip(inputs, together, strict=True):
        for one, other in zip(cpu.run(None, {key: picture[None]}), outputs, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize(
    ("runtime", "available", "expected"),
    [
        (Runtime(), ["cpu"], num_cores()),  # no batches: a core for each picture
        (Runtime(), ["cuda", "cpu"], 512),  # one batch is looked at while the next is prepared
        (Runtime(provider="cpu"), ["cuda", "cpu"], num_cores()),
        (Runtime(provider="tensorrt"), ["tensorrt", "cuda", "cpu"], num_cores()),  # no batches: an engine for each size
        (Runtime(provider="cuda", allow_fallback=True), ["cpu"], num_cores()),  # it is not there
    ],
)
def test_how_many_pictures_are_prepared_side_by_side(runtime, available, expected, monkeypatch) -> None:
    monkeypatch.setattr(sessions, "_available", lambda: [PROVIDERS[device] for device in available])
    assert num_at_once(runtime.model_copy(update={"batch": 256})) == expected


def test_on_a_device_that_takes_batches_the_session_makes_them(monkeypatch) -> None:
    """Loaded once for all threads; the CPU plays the device."""
    cpu = load_session("centerface", 1)
    monkeypatch.setattr(sessions, "_available", lambda: list(PROVIDERS.values()))
    monkeypatch.setattr(sessions, "_load", lambda *_: cpu)
    monkeypatch.setattr(sessions, "_sessions", {})
    on_cuda = Runtime(provider="cuda", batch=3)
    with ThreadPoolExecutor(4) as pool:
        loaded = list(pool.map(lambda _: load_session("centerface", 1, runtime=on_cuda), range(4)))
    assert all(each is loaded[0] for each in loaded)
    assert isinstance(loaded[0]._session, Batching)
    assert loaded[0]._session.most_rows == 3
    alone = load_session("centerface", 1, runtime=on_cuda.model_copy(update={"batch": 1}))
    assert not isinstance(alone._session, Batching)
