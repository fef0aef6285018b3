"""TOML and JSON that a user gives: read within seconds, whatever it holds, or refused with a line that says why."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from tasks.errors import BadSetting

_MOST_TOML_BYTES = 1 << 20  # nine thousand people; what is hardest to read of that size takes three seconds
_MOST_JSON_BYTES = 64 << 20
_MOST_LEVELS = 64
MOST_PARTS = 16
"""of a dotted name: the time that tomllib takes for one grows with the square of their number"""
_MEND = "mend that place"

# Without them, all that has dots are names and numbers. What is not closed goes on to where the parser gives up too.
_STRINGS_AND_COMMENTS = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"{0,5}+'
    r"|'''(?:[^']|'(?!''))*+'{0,5}+"
    r'|"(?:[^"\\\n]|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_BETWEEN_NAMES = re.compile(r"[=,\[\]{}\n]")
_LONG_NUMBER = re.compile(r"0x[\da-fA-F_]{33}|0o[0-7_]{33}|[+-]?[\d_]{33}|0b[01_]{33}")
_BLANKS = str.maketrans("", "", " \t")
_HALF_A_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


class NotToml(BadSetting):
    """It breaks TOML's grammar, and may be meant as something else."""


def read_toml(path: Path) -> dict[str, Any]:
    """What a file says. Raises BadSetting for one that is not there, too large, or no TOML."""
    return parse_toml(_text(path, _MOST_TOML_BYTES, "TOML"), path)


def parse_toml(text: str, subject: object) -> dict[str, Any]:
    """What a text says. Raises BadSetting, about the subject."""
    names = _BETWEEN_NAMES.split(_STRINGS_AND_COMMENTS.sub("", text).translate(_BLANKS))
    if any(name.count(".") >= MOST_PARTS for name in names):
        raise BadSetting(subject, f"has a name of more than {MOST_PARTS} parts", fix=_MEND)
    if any(map(_LONG_NUMBER.match, names)):
        raise BadSetting(subject, "has a number of more than 32 digits", fix=_MEND)
    try:
        said = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = NotToml if isinstance(error, tomllib.TOMLDecodeError) else BadSetting
        raise kind(subject, f"is not TOML ({error})", fix=_MEND) from error
    _check_levels(said, subject)
    return said


def read_json(path: Path, most_bytes: int = _MOST_JSON_BYTES) -> Any:
    """What a file says. Raises BadSetting for one that is not there, too large, or no JSON."""
    return parse_json(_text(path, most_bytes, "JSON"), path)


def parse_json(text: str, subject: object) -> Any:
    """What a text says. Raises BadSetting, about the subject."""
    try:
        said = json.loads(text)
        _check_levels(said, subject)
        if _HALF_A_CHARACTER.search(text):
            json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadSetting(subject, f"is not JSON ({error})", fix=_MEND) from error
    return said


def check_encodes(text: str, subject: object) -> None:
    """Raises BadSetting for bytes that are no characters, which nothing that is written down can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadSetting(subject, "has bytes that are no UTF-8", fix="write or rename it with plain characters") from None


def _text(path: Path, most_bytes: int, kind: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise BadSetting(path, f"cannot be read ({error.strerror})", fix=f"give a {kind} file that is there") from error
    if len(content) > most_bytes:
        raise BadSetting(path, f"is larger than {most_bytes >> 20} MiB", fix="give the right file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSetting(path, f"is not {kind} ({error})", fix="save it as UTF-8") from error


def _check_levels(said: object, subject: object) -> None:
    level = [said] if isinstance(said, dict | list) else []
    for _ in range(_MOST_LEVELS):
        values = (value for each in level for value in (each.values() if isinstance(each, dict) else each))
        level = [value for value in values if isinstance(value, dict | list)]
    if level:
        raise BadSetting(subject, f"has more than {_MOST_LEVELS} levels", fix=_MEND)
