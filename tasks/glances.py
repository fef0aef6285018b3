"""Glances: grey thumbnails of all frames, kept by the search for shots so that the search for faces knows where pictures change.

They are too small to recognise anybody (a face that fills a sixth of the picture has eight pixels across), and they save a second look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tasks import arrays
from tasks.results import ObjectRef, ObjectStore

CHUNK_FRAMES = 1800
"""in one object, so that memory is bounded by that and a segment reads no more than its own"""

_WIDTH, _HEIGHT = 48, 27


class GlanceKeeper:
    """Keeps the glances of a stream of thumbnails in passing."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._refs: list[ObjectRef] = []
        self._pending: list[npt.NDArray[np.uint8]] = []

    def passing(self, thumbnails: Iterable[npt.NDArray[np.uint8]]) -> Iterator[npt.NDArray[np.uint8]]:
        """The same (H, W, 3) uint8 RGB pictures."""
        for thumbnail in thumbnails:
            grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY)
            self._pending.append(cv2.resize(grey, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA).astype(np.uint8))
            if len(self._pending) == CHUNK_FRAMES:
                self._put()
            yield thumbnail

    def refs(self) -> tuple[ObjectRef, ...]:
        """The objects that hold what has passed, in order. Raises NoSpace and StoreError."""
        if self._pending:
            self._put()
        return tuple(self._refs)

    def _put(self) -> None:
        self._refs.append(self._store.put("glances", arrays.pack({"grey": np.stack(self._pending)})))
        self._pending = []


def read_glances(refs: Sequence[ObjectRef], first: int, last: int, store: ObjectStore) -> npt.NDArray[np.uint8] | None:
    """(N, 27, 48) uint8 of the frames first to last; `refs` are of the chunks in which they are. None without any."""
    if not refs:
        return None
    chunks = np.concatenate([arrays.unpack(store.get(ref))["grey"] for ref in refs])
    start = first // CHUNK_FRAMES * CHUNK_FRAMES
    return np.asarray(chunks[first - start : last - start + 1], np.uint8)
