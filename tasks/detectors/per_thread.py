"""Libraries that keep state between the steps of a call: one object a thread, or one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerThread(Generic[T]):
    """What `make` gives, made once in each thread that asks for it; it ends with the thread."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def __call__(self) -> T:
        if not hasattr(self._local, "made"):
            self._local.made = self._make()
        made: T = self._local.made
        return made
