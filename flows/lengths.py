"""Times and lengths of time as people read them."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """As `--at` takes it.

    >>> clock(62.5)
    '00:01:02.500'
    """
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest / 1000:06.3f}"


def moment(seconds: float) -> str:
    """A time as people read it, to a tenth of a second.

    >>> moment(62.54), moment(3725.0)
    ('1:02.5', '1:02:05.0')
    """
    text = clock(round(seconds, 1))[:-2]
    return text.removeprefix("00:").removeprefix("0")


def length(seconds: float) -> str:
    """How long something lasts, as people read it.

    >>> length(8.44), length(125.0), length(3700.0)
    ('8.4 s', '2 min 5 s', '1 h 1 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
