"""A file that makes a library crash, or asks for more memory than there is, is one line for whoever gave it."""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import apart
from tasks.errors import BadVideo
from tasks.first_reading import FirstReading, check, probe
from tasks.probe_video import probe_video
from tasks.video.sources import Images
from tests.video.clocks import record


@pytest.fixture
def helper() -> Iterator[apart.Helper]:
    """The process that reads next."""
    helper = apart.Helper()
    apart._idle.append(helper)
    yield helper
    while apart._idle:
        apart._idle.pop().end()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_in_the_middle_is_one_line(number: signal.Signals, helper: apart.Helper, empty_store: Path, tmp_path: Path) -> None:
    path = record(tmp_path / "a.mp4", 2000, container_format="mp4")
    video = probe_video.fn(str(path), "0" * 64, Images())
    reading = iter(FirstReading(str(path), video, (480, 270)).thumbnails())
    next(reading)
    os.kill(helper._process.pid, number)
    with pytest.raises(BadVideo, match=rf"^{path}: ends the process that reads it \({number.name}\); convert it [^\n]+$"):
        list(reading)
    check(str(path))  # the next one is read


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process's memory")
def test_no_memory_is_one_line(helper: apart.Helper, tmp_path: Path) -> None:
    path = tmp_path / "a.y4m"
    width = height = 16000
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F25:1 C420\nFRAME\n" % (width, height))
        file.truncate(file.tell() + width * height * 3 // 2)
    small = record(tmp_path / "small.mp4", 10, container_format="mp4")
    check(str(small))  # what it imports is there
    used = int(Path(f"/proc/{helper._process.pid}/statm").read_text().split()[0]) * resource.getpagesize()
    resource.prlimit(helper._process.pid, resource.RLIMIT_AS, (used + (300 << 20), used + (300 << 20)))
    for read in (check, lambda location: probe(location, "0" * 64, Images())):
        with pytest.raises(BadVideo, match=rf"^{path}: [^\n]+$"):
            read(str(path))
    check(str(small))
