"""What is read for the first time is read where a crash can be survived."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator

import pytest

from tasks import apart
from tasks.errors import BadPhoto, BadVideo


def doubled(number: int, *attached: bytes) -> Generator[bytes, None, int]:
    yield from attached
    return 2 * number


def killed(signal_number: int) -> Generator[bytes, None, None]:
    yield b"before"
    os.kill(os.getpid(), signal_number)


def slow() -> Generator[bytes, None, None]:
    time.sleep(60)
    yield b""


def exhausted() -> Generator[bytes, None, None]:
    yield bytes(1 << 62)


def refused() -> Generator[bytes, None, None]:
    yield b"before"
    raise BadPhoto("a.jpg", "has no face", fix="give another", may_pass=True)


def broken() -> Generator[bytes, None, None]:
    yield from ()
    raise IndexError("of a bug")


def test_work_is_done_and_the_process_kept() -> None:
    running = apart.Running(doubled, "it", [21], [b"one", bytes(1 << 20)])
    assert (list(running), running.result) == ([b"one", bytes(1 << 20)], 42)
    (kept,) = apart._idle
    assert apart.done(doubled, "it", [1]) == (2, [])
    assert apart._idle == [kept]


@pytest.mark.parametrize("signal_number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_is_an_error_of_the_file(signal_number: signal.Signals) -> None:
    with pytest.raises(BadVideo, match=rf"^a\.mp4: ends the process that reads it \({signal_number.name}\); "):
        apart.done(killed, "a.mp4", [signal_number])
    assert apart.done(doubled, "it", [1]) == (2, [])


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(BadPhoto, match=r"a\.jpg: takes longer than 1 seconds to read"):
        apart.done(slow, "a.jpg", [], limit=apart.Limit(1, BadPhoto))


def test_what_there_is_no_memory_for_is_an_error_of_the_file() -> None:
    with pytest.raises(BadVideo, match=r"^a\.mp4: ends the process that reads it \(SIGABRT\); "):
        apart.done(exhausted, "a.mp4", [])


def test_errors_are_those_of_the_work() -> None:
    with pytest.raises(BadPhoto, match="has no face") as caught:
        apart.done(refused, "a.jpg", [])
    assert caught.value.may_pass
    with pytest.raises(RuntimeError, match="IndexError: of a bug"):
        apart.done(broken, "a.jpg", [])


def test_work_that_is_left_ends_its_process() -> None:
    running = iter(apart.Running(killed, "a.mp4", [0]))
    assert next(running) == b"before"
    running.close()  # type: ignore[attr-defined]
    assert not apart._idle


def test_a_process_ends_with_the_one_that_asked() -> None:
    helper = apart.Helper()
    helper._asked.close()
    assert helper._process.wait(timeout=20) == 0
