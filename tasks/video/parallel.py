"""Work on several things at once, whose results come in order: FFmpeg and hashing leave Python to others meanwhile."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(function: Callable[[T], R], items: Iterable[T], num_threads: int | None = None) -> Iterator[R]:
    """The function's results, of which no more are made ahead than there are threads, and one; as many as cores where none are given."""
    num_threads = num_threads or os.cpu_count() or 1
    with ThreadPoolExecutor(num_threads, thread_name_prefix="in-order") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
