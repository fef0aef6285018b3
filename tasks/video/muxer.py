"""Writing a container into a file, packet by packet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import OutputContainer
from av.packet import Packet
from av.stream import Stream

from tasks.errors import BadOutput
from tasks.video.files import WritableFile
from tasks.video.opening import explain
from tasks.video.target import CheckedFile

_BUFFER_BYTES = 1 << 20


class OpenContainer:
    """A container being written; what goes wrong with the disk is raised at the next packet, or at the end."""

    def __init__(self, container: OutputContainer, file: CheckedFile) -> None:
        self.container = container
        self._file = file

    def mux(self, packets: Iterable[Packet[Stream]]) -> None:
        """Write packets that belong to the container's streams."""
        for packet in packets:
            self.container.mux_one(packet)
        self._file.check()


@contextmanager
def open_target(path: Path | WritableFile, container_format: str, options: dict[str, str] | None = None) -> Iterator[OpenContainer]:
    """The container, open for streams and packets. Its bytes depend on nothing but what is put in.

    Raises NoSpace where the disk is full, BadOutput where the file cannot be written or the container cannot hold what it is given.
    """
    with CheckedFile(path) as file:
        always = {"fflags": "+bitexact"}
        container = av.open(file, "w", format=container_format, container_options=always | (options or {}), buffer_size=_BUFFER_BYTES)
        try:
            # Closing writes the index, so it belongs to what can fail.
            with container:
                yield OpenContainer(container, file)
        except av.FFmpegError as error:
            file.check()
            problem = f"{container_format} cannot hold this video ({explain(error)})"
            raise BadOutput(path, problem, fix="choose a name that ends in .mkv") from error
        file.check()
