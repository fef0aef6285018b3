"""Parts of a stage: what of a video one of them is about, and what it holds while it is worked on."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeVar

_SEGMENT, _STRETCHES = "segment", "stretches"

P = ParamSpec("P")
R = TypeVar("R")


class Frames(Protocol):
    """Consecutive frames, `first` to `last`, both included."""

    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...
    @property
    def num_frames(self) -> int: ...


def is_in_parts(parameters: Iterable[str]) -> bool:
    """Whether a stage with these parameters is about a part of a video at a time."""
    return bool({_SEGMENT, _STRETCHES} & set(parameters))


def frames_of(arguments: Mapping[str, Any]) -> Sequence[Frames]:
    """Which frames a part goes through, by what its stage is called with."""
    if _SEGMENT in arguments:
        return (arguments[_SEGMENT],)
    return tuple(arguments[_STRETCHES] if _STRETCHES in arguments else arguments["shots"].shots)


def name_of_part(stage: str, arguments: Mapping[str, Any]) -> str:
    """`find_faces 0-2880`: with the frames that it is about, where it is about some."""
    parts = frames_of(arguments)
    return f"{stage} {parts[0].first}-{parts[-1].last}" if parts else f"{stage} (copied)"


def in_slot(function: Callable[P, R], limit: str) -> Callable[P, R]:
    """The function, holding a slot of one of the concurrency limits on Prefect's server while it runs, where one is named.

    It raises an error of Prefect's where there is no such limit, rather than go on without. What dies gives its slot back a little later.
    """

    @functools.wraps(function)
    def held(*args: P.args, **kwargs: P.kwargs) -> R:
        from prefect.concurrency.sync import concurrency

        with concurrency(limit, occupy=1, strict=True):
            return function(*args, **kwargs)

    return held if limit else function
