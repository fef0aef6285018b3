"""Whatever is in a file, it ends as a result or as one line that says what is wrong: no other exception, no hang, no endless memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.__main__ import FILES
from tests.fuzz.files import SHARES, hostile
from tests.fuzz.seeds import draw_seeds

SOME = 3 * sum(SHARES.values())
ALL = int(os.environ.get("VEIL_FUZZ_FILES", FILES))


def run(folder: Path, *words: str) -> dict[str, Any]:
    # In a process of its own: one that has threads, as this one may, is not to be split.
    command = [sys.executable, "-m", "tests.fuzz", "--json", str(folder / "out.json"), *words]
    told = subprocess.run(command, check=False, capture_output=True, text=True)
    assert told.returncode in (0, 1), told.stderr
    print(told.stdout)
    found: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return found


def test_some_hostile_files(tmp_path: Path) -> None:
    found = run(tmp_path, "--files", str(SOME))
    assert found["findings"] == {}
    assert {kind: row["files"] for kind, row in found["kinds"].items()} == {kind: 3 * share for kind, share in SHARES.items()}


def test_sound_files_are_results(tmp_path: Path) -> None:
    """Otherwise nothing behind the first check would be tried."""
    found = run(tmp_path, "--sound")
    refused = {kind: row["error"] for kind, row in found["kinds"].items() if row["result"] != row["files"]}
    assert refused == {"webp": 1}, "the one that moves, and nothing else"


FOUND = ["ts:4186", "streams:1684"]  # a stream that appears on the way; a colour matrix that cannot be converted


def test_what_was_once_found(tmp_path: Path) -> None:
    found = run(tmp_path, *(f"--file={each}" for each in FOUND))
    assert (found["files"], found["findings"]) == (len(FOUND), {})


def test_a_file_is_drawn_again(tmp_path: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        seeds = draw_seeds(tmp_path / name)
        drawn.append([hostile(number, kind, seeds) for kind in SHARES for number in range(-1, 8)])
    assert drawn[0] == drawn[1]


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
def test_hostile_files(tmp_path: Path) -> None:
    """VEIL_FUZZ_FILES says how many."""
    found = run(tmp_path, "--files", str(ALL), "--first", str(SOME))
    assert found["findings"] == {}
