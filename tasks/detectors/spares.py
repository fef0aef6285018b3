"""Libraries that keep state between the steps of a call: as many objects as there are calls at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Spares(Generic[T]):
    """What `make` gives, for one caller at a time: one that is free, or another one."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._free: deque[T] = deque([make()])  # its operations are safe between threads

    @contextmanager
    def one(self) -> Iterator[T]:
        try:
            lent = self._free.pop()
        except IndexError:
            lent = self._make()
        try:
            yield lent
        finally:
            self._free.append(lent)
