"""Batches for a device that does many pictures in little more than the time of one.

Whoever asks while the device is busy waits, and all that wait for the same kind of answer, whichever intervals, shots and segments they
look at, are answered together. Nobody waits for a batch to be full: a device that has nothing to do begins with what is there.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tasks.models.session import Session

# In the words of ONNX Runtime's own arena, of CUDA, and of cuBLAS and cuDNN.
_OUT_OF_MEMORY = re.compile(r"failed to allocate|out of memory|alloc_failed", re.IGNORECASE)

Array = npt.NDArray[np.generic]

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Asked:
    """A run that somebody waits for; all inputs have as many rows."""

    names: Sequence[str] | None
    inputs: Mapping[str, Array]
    answer: Future[list[Any]] = field(default_factory=Future)

    @property
    def num_rows(self) -> int:
        return len(next(iter(self.inputs.values())))

    @property
    def kind(self) -> object:
        """Equal for what can stand in one batch."""
        return self.names, [(name, value.dtype, value.shape[1:]) for name, value in sorted(self.inputs.items())]


class Batching:
    """A session whose inputs and outputs begin with a dimension of any length, and that is asked from many threads at once.

    A batch that does not fit the device's memory is halved, and no later one is larger. `sizes` counts the rows of all batches.
    """

    def __init__(self, session: Session, most_rows: int) -> None:
        self.most_rows = most_rows
        self.sizes: Counter[int] = Counter()
        self._session = session
        self._waiting: list[_Asked] = []
        self._lock, self._device = threading.Lock(), threading.Lock()

    def run(self, output_names: Sequence[str] | None, inputs: Mapping[str, Array]) -> list[Any]:
        asked = _Asked(output_names, inputs)
        with self._lock:
            self._waiting.append(asked)
        with self._device:
            if not asked.answer.done():
                self._answer(self._with(asked))
        return asked.answer.result()

    def get_inputs(self) -> list[Any]:
        return self._session.get_inputs()

    def get_outputs(self) -> list[Any]:
        return self._session.get_outputs()

    def _with(self, asked: _Asked) -> list[_Asked]:
        """What is to be answered together with this: others of its kind, the longest waiting first, as many as there is room for."""
        with self._lock:
            batch, num_rows = [asked], asked.num_rows
            for other in self._waiting:
                if other is not asked and other.kind == asked.kind and num_rows + other.num_rows <= self.most_rows:
                    batch.append(other)
                    num_rows += other.num_rows
            self._waiting = [other for other in self._waiting if not any(other is each for each in batch)]
        return batch

    def _answer(self, batch: Sequence[_Asked]) -> None:
        try:
            stacked = {name: np.concatenate([asked.inputs[name] for asked in batch]) for name in batch[0].inputs}
            outputs = self._run(batch[0].names, stacked)
            ends = np.cumsum([asked.num_rows for asked in batch])[:-1]
            shares = zip(*(np.split(output, ends) for output in outputs), strict=True)
            for asked, share in zip(batch, shares, strict=True):
                asked.answer.set_result(list(share))
        except BaseException as error:  # whatever it is, each of those who asked is to raise it
            for asked in batch:
                if not asked.answer.done():
                    asked.answer.set_exception(error)

    def _run(self, names: Sequence[str] | None, inputs: Mapping[str, Array]) -> list[Array]:
        num_rows = len(next(iter(inputs.values())))
        self.sizes[num_rows] += 1
        try:
            return self._session.run(names, inputs)
        except Exception as error:  # what ONNX Runtime raises has no common base
            if num_rows == 1 or not _OUT_OF_MEMORY.search(str(error)):
                raise
            self.most_rows = min(self.most_rows, num_rows // 2)
            logger.warning("no memory for %d pictures at once on the device: from now on no more than %d", num_rows, self.most_rows)
            halves = [
                self._run(names, {name: value[rows] for name, value in inputs.items()})
                for rows in (slice(None, num_rows // 2), slice(num_rows // 2, None))
            ]
            return [np.concatenate(both) for both in zip(*halves, strict=True)]


def takes_batches(session: Session) -> bool:
    """Whether all inputs and outputs of a session begin with a dimension of any length."""
    return not any(isinstance(value.shape[0], int) for value in (*session.get_inputs(), *session.get_outputs()))
