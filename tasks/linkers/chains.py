"""What a linker returns: chains of detections of one face."""

from __future__ import annotations

from typing import Protocol

from tasks.faces import Detections, Ints


class Linker(Protocol):
    """Joins the detections of one shot into chains."""

    def chains(self, detections: Detections) -> list[Ints]:
        """Rows of `detections`, a chain a face, each in order of frame, no frame twice in one; in order of first frame.

        `detections` are those of one shot; rows that no chain has are taken for no faces.
        """
