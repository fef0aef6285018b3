"""Locations: a path, a pattern of pictures' names, or either one at an `s3://bucket/key` URL, as a text."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

Location = Annotated[str, BeforeValidator(os.fspath)]
"""As flows and stages take it; a Path is taken too."""

S3 = "s3://"
_NUMBER = re.compile(r"%(?:0(\d+))?d")


def is_s3(location: str) -> bool:
    return location.startswith(S3)


def absolute(location: str) -> str:
    """The same location, wherever the current folder is.

    >>> absolute("s3://films/a.mp4")
    's3://films/a.mp4'
    """
    return location if is_s3(location) else str(Path(location).absolute())


def name_of(location: str) -> str:
    """Its last part.

    >>> name_of("s3://films/2026/take%03d.png"), name_of("frames/")
    ('take%03d.png', 'frames')
    """
    return location.rstrip("/").rpartition("/")[2]


def folder_of(location: str) -> str:
    """All but its last part; the current folder, or the bucket, where there is nothing else."""
    folder, _, _ = location.rstrip("/").rpartition("/")
    return folder or ("/" if location.startswith("/") else ".")


def suffix_of(location: str) -> str:
    """Its ending, in small letters, with the dot; "" for none."""
    return os.path.splitext(name_of(location))[1].lower()


def has_number(name: str) -> bool:
    """Whether a name is a pattern with a place for a number, such as `img%07d.png`."""
    return len(_NUMBER.findall(name)) == 1


def is_pattern(name: str) -> bool:
    """Whether a name may stand for several."""
    return has_number(name) or any(sign in name for sign in "*?[")


def matching(names: Iterable[str], pattern: str) -> list[str]:
    """Those that a pattern means, in order of their numbers; gaps are allowed.

    >>> matching(["img10.png", "img9.png", "img9.jpg", "x9.png"], "img%d.png")
    ['img9.png', 'img10.png']
    >>> matching(["b2.jpg", "b10.jpg", "a.png"], "*.jpg")
    ['b2.jpg', 'b10.jpg']
    """
    if has_number(pattern):
        wanted = _regular(pattern)
        return sorted((name for name in names if wanted.fullmatch(name)), key=natural)
    return sorted((name for name in names if fnmatch.fnmatchcase(name, pattern) and not name.startswith(".")), key=natural)


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """What to sort names by so that 9 comes before 10; names that differ in leading zeros only keep one order."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], name


def numbered(pattern: str, number: int) -> str:
    """The name that a pattern has for a number.

    >>> numbered("img%07d.png", 12), numbered("100%%-%d.png", 3)
    ('img0000012.png', '100%-3.png')
    """
    return pattern % number


class NamesLike:
    """All names that a pattern stands for, as a collection that can be asked."""

    def __init__(self, pattern: str) -> None:
        self._wanted = _regular(pattern)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._wanted.fullmatch(name) is not None


def _regular(pattern: str) -> re.Pattern[str]:
    """The names of a pattern with a number: with at least as many digits as it asks for, and no more zeros than that."""
    found = _NUMBER.search(pattern)
    assert found is not None
    before, after = (re.escape(part.replace("%%", "%")) for part in (pattern[: found.start()], pattern[found.end() :]))
    digits = int(found[1] or 1)
    return re.compile(rf"{before}(?:\d{{{digits}}}|[1-9]\d{{{digits},}}){after}")
