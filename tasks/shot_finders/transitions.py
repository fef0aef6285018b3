"""Transitions, and the shots between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tasks.tracks import Shot

Thumbnail = npt.NDArray[np.uint8]


class Transition(NamedTuple):
    """A change of shot: `first` and `last` frame in which both shots show, and the first frame of a cut's new shot as both."""

    first: int
    last: int

    @property
    def is_cut(self) -> bool:
        return self.first == self.last


class ShotFinder(Protocol):
    """Finds transitions in a stream of small pictures."""

    thumbnail_size: tuple[int, int]  # width, height in pixels

    def transitions(self, thumbnails: Iterator[Thumbnail]) -> list[Transition]:
        """The transitions between (height, width, 3) uint8 RGB pictures of all the frames, one by one, in order."""


def shots_between(transitions: Sequence[Transition], num_frames: int) -> list[Shot]:
    """The shots of a video; every frame is in one of them."""
    inner = [transition for transition in transitions if 0 < (transition.first + transition.last + 1) // 2 < num_frames]
    borders = [0, *((transition.first + transition.last + 1) // 2 for transition in inner), num_frames]
    shows_from = [0, *(transition.first for transition in inner)]
    shows_to = [*(t.last - 1 if t.is_cut else t.last for t in inner), num_frames - 1]
    return [
        Shot(first=first, last=after - 1, visible_first=visible_first, visible_last=visible_last)
        for first, after, visible_first, visible_last in zip(borders[:-1], borders[1:], shows_from, shows_to, strict=True)
    ]
