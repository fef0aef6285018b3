"""Whatever a text holds, it is read within seconds or refused with one line that names it, by all that read texts of a user's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import cli
from tasks.by_hand import with_files_read
from tasks.errors import BadPhoto, BadSetting
from tasks.photos import photo_files
from tasks.plan import load_values, make_plan
from tasks.sequences import read_sequences_file
from tasks.stores.settings import forget_settings, settings_file, store_settings
from tasks.text_files import parse_toml, read_json, read_toml
from tests.fakes import video_info

MOST_SECONDS = 5
LONG = 20_000

TOML_BOMBS = {
    "dotted": (".".join("a" * LONG) + " = 1", "more than 16 parts"),  # 40 KB that took ten seconds
    "spaced": (" . ".join("a" * LONG) + " = 1", "more than 16 parts"),
    "quoted": ('"=,". ' * LONG + "a = 1", "more than 16 parts"),  # what parts names elsewhere is in quotes here
    "behind a text": ('a = ["""x"""", {' + ".".join("a" * LONG) + "=1}]", "more than 16 parts"),  # of four quotes one is the text's
    "in a table": ("a = {" + ".".join("a" * LONG) + " = 1}", "more than 16 parts"),
    "header": ("[" + ".".join("a" * LONG) + "]\n" + "b = 1\n" * LONG, "more than 16 parts"),
    "unclosed": ('"""' + '\\"""' * LONG, "is not TOML"),
    "lists": ("a = " + "[" * LONG, "is not TOML"),
    "levels": ("a = " + "[" * 100 + "]" * 100, "more than 64 levels"),
    "tables": ("a = " + "{a = " * LONG, "is not TOML"),
    "number": ("a = " + "1" * LONG, "more than 32 digits"),
    "hexadecimal": ("a = 0x" + "f" * LONG, "more than 32 digits"),  # too long to be written down again
    "large": ("#" * (1 << 21), "larger than 1 MiB"),
    "half a character": ('a = "\\ud800"', "is not TOML"),
}
JSON_BOMBS = {
    "lists": ("[" * LONG + "]" * LONG, "is not JSON"),
    "levels": ("[" * 100 + "]" * 100, "more than 64 levels"),
    "number": ("1" * LONG, "is not JSON"),
    "half a character": ('["\\ud800"]', "is not JSON"),
    "half a name": ('{"\\uDFFF": 1}', "is not JSON"),
}


def of_plan(path: Path) -> None:
    make_plan(load_values(path))


def of_people(path: Path) -> None:
    with_files_read(make_plan({"people": str(path)}), "0" * 64)


def of_decisions(path: Path) -> None:
    with_files_read(make_plan({"choose_people": {"selectors": [{"method": "reviewed", "file": str(path)}]}}), "0" * 64)


def of_store(path: Path) -> None:
    forget_settings()
    path.replace(settings_file())
    try:
        store_settings()
    finally:
        settings_file().rename(path)
        forget_settings()


def of_sequences(path: Path) -> None:
    read_sequences_file(path, video_info(), 0, 128)


def refused(read: Callable[[Path], object], path: Path, content: str, problem: str) -> None:
    path.write_text(content)
    begun = time.monotonic()
    with pytest.raises(BadSetting, match=problem) as caught:
        read(path)
    assert time.monotonic() - begun < MOST_SECONDS
    assert caught.value.subject in (str(path), str(settings_file()))
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("read", [of_plan, of_people, of_decisions, of_store])
@pytest.mark.parametrize("name", TOML_BOMBS)
def test_toml_is_quick_or_refused(name: str, read: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VEIL_RESULTS")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("VEIL_SETTINGS", str(tmp_path / "settings.toml"))
    refused(read, tmp_path / "text.toml", *TOML_BOMBS[name])


@pytest.mark.parametrize("read", [of_people, of_decisions, of_sequences])
@pytest.mark.parametrize("name", JSON_BOMBS)
def test_json_is_quick_or_refused(name: str, read: Callable[[Path], object], tmp_path: Path) -> None:
    refused(read, tmp_path / "text.json", *JSON_BOMBS[name])


@pytest.mark.parametrize("name", [name for name in TOML_BOMBS if name not in ("large", "unclosed", "lists", "tables", "half a character")])
def test_a_setting_is_quick_or_refused(name: str) -> None:
    text, problem = TOML_BOMBS[name]
    value = f"[{{{text}}}]" if name in ("dotted", "spaced", "quoted") else text.removeprefix("a = ")
    begun = time.monotonic()
    with pytest.raises(BadSetting, match=problem):
        make_plan(load_values(None, [f"blur_faces={value}"]))
    assert time.monotonic() - begun < MOST_SECONDS


def test_a_settings_name_is_no_deeper_than_settings_are() -> None:
    with pytest.raises(BadSetting, match="more than 16 parts"):
        load_values(None, [".".join("a" * LONG) + "=1"])


def test_thousands_of_people_are_read(tmp_path: Path) -> None:
    path, count = tmp_path / "people.toml", 5000
    people = "".join(f'[[people]]  # 1.0 s on screen\nname = "Å. {n}"\nat = {{ seconds = {n}.5, x = 1.5, y = 2 }}\n' for n in range(count))
    merge = ", ".join(f'["Å. {n}", "Å. {n + 1}"]' for n in range(0, count, 2))
    path.write_text(f"merge = [{merge}]\n{people}", "utf-8")
    begun = time.monotonic()
    edits = with_files_read(make_plan({"people": str(path)}), "0" * 64).edit_people
    assert (len(edits.people), len(edits.merge)) == (count, count / 2)
    assert time.monotonic() - begun < MOST_SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p = 1.5  # www." + "a." * 40,  # as deep as may be, and a remark
        'a = "' + "x." * 40 + '"\nb = """' + "x.\n" * 40 + '"""\nc = \'' + "x." * 40 + "'\nd = '''" + "x." * 40 + "'''",
        "a = [" + "1.5, " * 1000 + "]",
        "a = 2026-01-02T03:04:05.678901",
        "a = '\\'\nb = 1.5",  # a backslash ends no literal text
    ],
)
def test_dots_elsewhere_are_no_names(text: str) -> None:
    assert parse_toml(text, "it")["a"]


def test_other_ways_of_writing_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert read_toml(path) == {"a": 1}
    path.write_text(json.dumps({"name": "\U0001f600 Å"}))
    assert read_json(path) == {"name": "\U0001f600 Å"}
    path.write_bytes(b"\xff")
    for read in (read_toml, read_json):
        with pytest.raises(BadSetting, match="save it as UTF-8"):
            read(path)
        with pytest.raises(BadSetting, match="cannot be read"):
            read(tmp_path)
        with pytest.raises(BadSetting, match="is larger than"):
            read(Path("/dev/zero"))


@pytest.mark.parametrize("words", [["blur", "in\udcff.mp4", "-o", "out.mp4"], ["forget", "\udcff"], ["explain", "\udcff"]])
def test_words_that_are_no_text_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == cli.USAGE_ERROR
    (line,) = capsys.readouterr().err.splitlines()
    assert "\\xff" in line
    assert "has bytes that are no UTF-8; write or rename it" in line


def test_bytes_of_a_real_command_line() -> None:
    words = [sys.executable.encode(), b"-m", b"flows.cli", b"people", b"\xe9t\xe9.mp4", b"-o", b"out"]
    ended = subprocess.run(words, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (cli.USAGE_ERROR, b"")
    assert ended.stderr == b"veil: \\xe9t\\xe9.mp4: has bytes that are no UTF-8; write or rename it with plain characters\n"


@pytest.mark.parametrize("name", [b"\xff.jpg", b"anna/\xff.jpg", b"\xff/a.jpg"])
def test_photos_named_in_bytes_are_refused(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / name.decode(errors="surrogateescape")
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(BadPhoto, match="invisible characters in its name"):
        photo_files([str(tmp_path)])
