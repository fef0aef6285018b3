"""A file that is read by ranges: some blocks of it are held, those used last."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Callable

BLOCK_BYTES = 4 << 20
MOST_BLOCKS = 6
"""held at once: sound and pictures of one time may lie apart, and an index at the end"""


class Window(io.RawIOBase):
    """Bytes that `read(first, end)` gives, as a file; no more than MOST_BLOCKS blocks are in memory."""

    def __init__(self, read: Callable[[int, int], bytes], num_bytes: int) -> None:
        self._read = read
        self._num_bytes = num_bytes
        self._place = 0
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        return sum(map(len, self._blocks.values()))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._num_bytes}[whence]
        self._place = max(0, start + offset)
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        number, offset = divmod(self._place, BLOCK_BYTES)
        if self._place >= self._num_bytes:
            return 0
        part = self._block(number)[offset : offset + len(buffer)]
        buffer[: len(part)] = part
        self._place += len(part)
        return len(part)

    def _block(self, number: int) -> bytes:
        if number in self._blocks:
            self._blocks.move_to_end(number)
            return self._blocks[number]
        while len(self._blocks) >= MOST_BLOCKS:
            self._blocks.popitem(last=False)
        first = number * BLOCK_BYTES
        self._blocks[number] = self._read(first, min(first + BLOCK_BYTES, self._num_bytes))
        return self._blocks[number]
