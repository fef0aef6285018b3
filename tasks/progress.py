"""How far a job is: stages say it here, and whoever shows it listens. Nobody listens by default."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Listener(Protocol):
    """Is told what happens in this process, from any thread."""

    def begin(self, stage: str, num_frames: int) -> None:
        """A stage begins that will go through so many frames, unless its result is known already; 0 where it has none to go through."""

    def advance(self, stage: str, num_frames: int) -> None:
        """So many more frames are done."""

    def end(self, stage: str, cached: bool) -> None:
        """The stage is done; `cached` says that all of it was known already."""


_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def begin(stage: str, num_frames: int) -> None:
    for listener in _listeners:
        listener.begin(stage, num_frames)


def advance(stage: str, num_frames: int = 1) -> None:
    for listener in _listeners:
        listener.advance(stage, num_frames)


def end(stage: str, cached: bool) -> None:
    for listener in _listeners:
        listener.end(stage, cached)


def counted(stage: str, frames: Iterable[T]) -> Generator[T, None, None]:
    """Passes the frames on, and says so one by one."""
    for frame in frames:
        yield frame
        advance(stage)
