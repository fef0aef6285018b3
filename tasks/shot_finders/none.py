"""The whole video as one shot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tasks.method import Method
from tasks.shot_finders.transitions import Thumbnail, Transition


class OneShot(Method):
    """Takes the whole video for one shot: for footage of one camera that never stops."""

    method: Literal["none"] = "none"

    def load(self) -> OneShot:
        return self

    @property
    def thumbnail_size(self) -> tuple[int, int]:
        return (0, 0)

    def transitions(self, thumbnails: Iterator[Thumbnail]) -> list[Transition]:
        return []
