"""ONNX Runtime sessions, one a process for each model."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from tasks.models.weights import weights_path

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_sessions: dict[tuple[str, int], InferenceSession] = {}
_lock = threading.Lock()


def load_session(name: str, threads: int, *, keep_memory: bool = True) -> InferenceSession:
    """The model `name`, ready to run on `threads` cores of the CPU; may be run from several threads at once.

    With `keep_memory` it holds on to what a run took for the next one: quicker, and right for what runs all the time.
    Raises MissingWeights or BadWeights.
    """
    with _lock:
        if (name, threads) not in _sessions:
            _sessions[name, threads] = _load(name, threads, keep_memory)
        return _sessions[name, threads]


def num_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _load(name: str, threads: int, keep_memory: bool) -> InferenceSession:
    import onnxruntime  # takes a third of a second

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = keep_memory
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(weights_path(name), options, providers=["CPUExecutionProvider"])
