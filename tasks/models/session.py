"""ONNX Runtime sessions, one a process for each model, device and number of threads."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from tasks.errors import DeviceError, MissingWeights
from tasks.models.batching import Batching, takes_batches
from tasks.models.runtime import ON_ANYTHING, Device, Runtime
from tasks.models.weights import find_model, weights_path

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

PROVIDERS: dict[Device, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
PACKAGES: dict[Device, str] = {"cuda": "onnxruntime-gpu", "tensorrt": "onnxruntime-gpu", "openvino": "onnxruntime-openvino"}
_QUICKEST_FIRST: tuple[Device, ...] = ("cuda", "openvino")  # TensorRT builds an engine for minutes: only where it is asked for
_IN_BATCHES: tuple[Device, ...] = ("cuda",)  # TensorRT would build an engine for each size of batch

Array = npt.NDArray[np.generic]

logger = logging.getLogger(__name__)
_sessions: dict[tuple[str, int, Device, bool, int], Session] = {}
_lock = threading.Lock()


class Session(Protocol):
    """A model that is ready to run, from several threads at once."""

    def run(self, output_names: Sequence[str] | None, inputs: Mapping[str, Array]) -> list[Any]:
        """The outputs with these names, or all. Raises DeviceError."""

    def get_inputs(self) -> list[Any]: ...

    def get_outputs(self) -> list[Any]: ...


def load_session(name: str, threads: int, *, keep_memory: bool = True, runtime: Runtime = ON_ANYTHING) -> Session:
    """The model `name`, ready to run on `threads` cores where it runs on the CPU and `runtime` says nothing else.

    With `keep_memory` it holds on to what a run took for the next one: quicker, and right for what runs all the time.
    Raises MissingWeights, BadWeights, or DeviceError where the device that was asked for is not there and nothing else may take its place.
    """
    cores = runtime.threads or threads
    with _lock:
        devices = candidates(runtime, _available())
        for device in devices:
            try:
                return _loaded(name, cores, keep_memory, device, runtime)
            except DeviceError as error:
                if device == devices[-1]:
                    raise
                logger.warning("%s; the CPU is used instead", error)
    raise AssertionError("there is always a last device")


def check_device(runtime: Runtime) -> None:
    """Raises DeviceError where a device that was asked for is not in the installed ONNX Runtime, and nothing else may take its place."""
    if runtime.provider not in {"auto", "cpu"} and not runtime.allow_fallback:
        for device in candidates(runtime, ()):
            if PROVIDERS[device] not in _available():
                raise _device_error(device, "is not in the installed ONNX Runtime")


def candidates(runtime: Runtime, available: Sequence[str]) -> list[Device]:
    """The devices to try, in order; a named one is tried though it is not available, so that what is missing is said."""
    if runtime.provider == "auto":
        return [*(device for device in _QUICKEST_FIRST if PROVIDERS[device] in available), "cpu"]
    return [runtime.provider, "cpu"] if runtime.allow_fallback and runtime.provider != "cpu" else [runtime.provider]


def num_at_once(runtime: Runtime = ON_ANYTHING) -> int:
    """How many pictures are worth preparing side by side: one for each core, and where batches are made so many that the next fills."""
    device = candidates(runtime, _available())[0]
    return max(num_cores(), 2 * runtime.batch) if device in _IN_BATCHES and PROVIDERS[device] in _available() else num_cores()


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class OnDevice:
    """A session on something else than the CPU: says which device failed, and goes on without it where that is allowed."""

    def __init__(self, name: str, device: Device, session: Session, instead: Session | None) -> None:
        self._name, self._device, self._session, self._instead = name, device, session, instead
        self._lock = threading.Lock()

    def run(self, output_names: Sequence[str] | None, inputs: Mapping[str, Array]) -> list[Any]:
        session = self._session
        try:
            return session.run(output_names, inputs)
        except _failures() as error:
            if session is self._instead:
                raise
            failed = _device_error(self._device, f"failed while it ran {self._name} ({_first_line(error)})")
            if self._instead is None:
                raise failed from error
            with self._lock:
                if self._session is session:  # the first of those whom it failed
                    logger.warning("%s; the CPU is used instead", failed)
                    self._session = self._instead
            return self._instead.run(output_names, inputs)

    def get_inputs(self) -> list[Any]:
        return self._session.get_inputs()

    def get_outputs(self) -> list[Any]:
        return self._session.get_outputs()


def _loaded(name: str, cores: int, keep_memory: bool, device: Device, runtime: Runtime) -> Session:
    half = runtime.half_precision and device != "cpu" and find_model(name).half_precision
    most_rows = runtime.batch if device in _IN_BATCHES else 1
    key = (name, cores, device, half, most_rows)
    if key not in _sessions:
        session: Session = _load(name, cores, keep_memory, device, half)
        if most_rows > 1 and takes_batches(session):
            session = Batching(session, most_rows)
        if device != "cpu":
            may_go_on = runtime.allow_fallback or runtime.provider == "auto"
            session = OnDevice(name, device, session, _loaded(name, cores, keep_memory, "cpu", runtime) if may_go_on else None)
        _sessions[key] = session
    return _sessions[key]


def _load(name: str, threads: int, keep_memory: bool, device: Device, half: bool) -> InferenceSession:
    import onnxruntime  # takes a third of a second

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # a thread that waits leaves its core to the decoder
    options.enable_cpu_mem_arena = keep_memory
    options.log_severity_level = 4 if device != "cpu" else 3  # what is fatal, errors: a device's are raised here
    path = weights_path(name)
    if PROVIDERS[device] not in _available():
        raise _device_error(device, "is not in the installed ONNX Runtime")
    model: object = path
    if half and device == "cuda":
        model = _in_half_precision(name)
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[(PROVIDERS[device], _provider_options(device, half))])
    except _failures() as error:
        raise _device_error(device, f"cannot be used ({_first_line(error)})") from error
    if PROVIDERS[device] not in session.get_providers():  # it goes to the CPU by itself, and says so only in its log
        raise _device_error(device, "cannot be used (there is no such device, or its libraries do not load)")
    return session


def _provider_options(device: Device, half: bool) -> dict[str, str]:
    match device:
        case "tensorrt":
            return {"trt_fp16_enable": str(half)}
        case "openvino":
            return {"precision": "FP16"} if half else {}
        case _:
            return {}


def _in_half_precision(name: str) -> bytes:
    """The model with 16 bits inside and 32 outside."""
    try:
        from tasks.models.half import in_half_precision
    except ModuleNotFoundError as error:
        raise MissingWeights(name, "cannot be made half precision without the package onnx", fix="run `pip install onnx`") from error
    return in_half_precision(weights_path(name))


def _available() -> list[str]:
    import onnxruntime

    available: list[str] = onnxruntime.get_available_providers()
    return available


def _failures() -> tuple[type[BaseException], ...]:
    """What ONNX Runtime raises when a device fails; these have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.Fail, state.EPFail, state.RuntimeException, state.EngineError, RuntimeError)


def _device_error(device: Device, problem: str) -> DeviceError:
    package = f"install {PACKAGES[device]} in place of onnxruntime, or " if device in PACKAGES else ""
    return DeviceError(
        f"{device} ({PROVIDERS[device]})", problem, fix=f"{package}set runtime.provider to cpu, or runtime.allow_fallback to true"
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
