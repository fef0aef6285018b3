"""The manifest, the check of every file, and downloads from a server on this machine."""

from __future__ import annotations

import bz2
import hashlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.errors import BadSetting, BadWeights, MissingWeights, VeilError
from tasks.models import weights
from tasks.models.weights import ModelEntry, fetch, find_model, is_ready, list_models, weights_path

CONTENT = b"the weights of a very small model"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BINARY = "application/octet-stream"
PAGES = {  # type, body, announced length
    "/good": (BINARY, CONTENT, len(CONTENT)),
    "/packed": (BINARY, bz2.compress(CONTENT), None),
    "/other": (BINARY, b"something else", None),
    "/short": (BINARY, CONTENT[:10], len(CONTENT)),
    "/packed_short": (BINARY, bz2.compress(CONTENT)[:-8], None),
    "/sign_in": ("text/html; charset=utf-8", b"<html>please sign in to this network</html>", None),
}

Pretend = Callable[..., ModelEntry]


class Responses(BaseHTTPRequestHandler):
    """Answers with `PAGES`; anything else is not found."""

    def do_GET(self) -> None:
        kind, body, announced = PAGES.get(self.path, (BINARY, b"", 0))
        self.send_response(200 if self.path in PAGES else 404)
        self.send_header("Content-Type", kind)
        if announced is not None:
            self.send_header("Content-Length", str(announced))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Responses) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go; nothing is there yet."""
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / ".deepface" / "weights"


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Makes the manifest list one model, `tiny`, and nothing else."""
    common = {"name": "tiny", "task": "detector", "description": "", "licence": "MIT", "commercial": True, "file": "tiny.onnx"}

    def list_only(**values: object) -> ModelEntry:
        entry = ModelEntry(**{**common, "origin": "download", **values})
        monkeypatch.setattr(weights, "list_models", lambda: (entry,))
        return entry

    return list_only


@pytest.fixture
def pretend_served(server: str, pretend: Pretend) -> Pretend:
    """The same, with pages of the server as its mirrors."""
    return lambda pages, **values: pretend(**{"urls": [server + page for page in pages.split()], **values})


@pytest.mark.parametrize(
    ("pages", "settings"),
    [
        ("/good", {}),  # no hash is known: trusted this once
        ("/good", {"sha256": SHA256}),  # the hash is known
        ("/gone /good", {}),  # the first mirror has it no more
        ("/short /good", {"sha256": SHA256}),  # the first mirror breaks off
        ("/sign_in /good", {}),  # the first answers with a page for people
        ("/packed", {"compression": "bz2", "sha256": SHA256}),  # the hash is that of the unpacked file
        ("/good", {"file": "family/tiny.onnx"}),  # DeepFace keeps some in folders of their own
    ],
)
def test_a_download_arrives(folder: Path, pretend_served: Pretend, pages: str, settings: dict[str, str]) -> None:
    entry = pretend_served(pages, **settings)
    assert not is_ready(entry)
    path = fetch("tiny")
    assert path.read_bytes() == CONTENT
    assert path.is_relative_to(folder)
    assert is_ready(entry)
    assert sorted(beside.name for beside in path.parent.iterdir()) == ["tiny.onnx", "tiny.onnx.sha256"]


@pytest.mark.parametrize(
    ("pages", "settings", "error", "says"),
    [
        ("/gone /short", {}, MissingWeights, "404.*10 of 33 bytes"),  # every mirror's failure is told
        ("/sign_in", {}, MissingWeights, "web page"),  # else its hash would be trusted
        ("/packed_short", {"compression": "bz2"}, MissingWeights, "ended before"),  # a broken archive
        ("/good", {"compression": "bz2"}, MissingWeights, "Invalid data"),  # no archive at all
        ("/other", {"sha256": SHA256}, BadWeights, "expected " + SHA256),  # not the file that was meant
        ("", {"urls": ["http://127.0.0.1:9/"]}, MissingWeights, "refused"),  # nobody listens
        ("", {"urls": ["file:///etc/passwd"]}, MissingWeights, "not a web address"),  # only the web is fetched from
    ],
)
def test_a_failed_download_is_one_error_and_leaves_nothing(
    folder: Path, pretend_served: Pretend, pages: str, settings: dict[str, object], error: type[VeilError], says: str
) -> None:
    pretend_served(pages, **settings)
    with pytest.raises(error, match=says):
        fetch("tiny")
    assert not list(folder.glob("*"))


def test_what_is_there_is_not_fetched_again(folder: Path, pretend: Pretend) -> None:
    pretend(urls=["http://127.0.0.1:9/"])
    folder.mkdir(parents=True)
    (folder / "tiny.onnx").write_bytes(CONTENT)
    assert fetch("tiny") == folder / "tiny.onnx"


def test_a_file_trusted_once_must_stay_the_same(folder: Path, pretend: Pretend) -> None:
    pretend()
    folder.mkdir(parents=True)
    path = folder / "tiny.onnx"
    path.write_bytes(CONTENT)
    weights_path("tiny")
    path.write_bytes(b"changed")
    weights._verify.cache_clear()  # as in the next process
    with pytest.raises(BadWeights, match=r"tiny.*expected.*veil models fetch tiny"):
        weights_path("tiny")
    path.write_bytes(CONTENT)
    assert weights_path("tiny") == path  # mended: no restart needed


@pytest.mark.parametrize(
    ("settings", "content", "error", "fix"),
    [
        ({"origin": "embedded", "file": "absent.onnx"}, None, MissingWeights, "tasks.models.build"),  # the package is not whole
        ({"origin": "embedded", "file": "centerface.onnx", "sha256": SHA256}, None, BadWeights, "install Veil again"),  # nor as built
        ({"sha256": SHA256}, b"other", BadWeights, "models fetch tiny"),  # what DeepFace fetched is something else
        ({}, None, MissingWeights, "models fetch tiny"),  # not fetched yet
        (
            {"origin": "package", "file": "absent/a", "requires": [("absent", "it")]},
            None,
            MissingWeights,
            "pip install it",
        ),  # nor installed
        (
            {"origin": "package", "file": "numpy/a", "requires": [("numpy", "it")]},
            None,
            MissingWeights,
            "pip install it",
        ),  # not that version
    ],
)
def test_a_wrong_or_missing_file_is_told_with_the_way_out(
    folder: Path, pretend: Pretend, settings: dict[str, object], content: bytes | None, error: type[VeilError], fix: str
) -> None:
    pretend(**settings)
    if content is not None:
        folder.mkdir(parents=True)
        (folder / "tiny.onnx").write_bytes(content)
    with pytest.raises(error, match=fix) as caught:
        weights_path("tiny")
    assert caught.value.subject == "tiny"


def test_an_unknown_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(BadSetting, match=r"centreface.*centerface, dlib_resnet"):
        find_model("centreface")


@pytest.mark.parametrize(("package", "ready"), [("numpy", True), ("no_such_package", False)])
def test_a_model_without_a_file_is_ready_when_its_package_is(pretend: Pretend, package: str, ready: bool) -> None:
    assert is_ready(pretend(origin="package", file=None, requires=[(package, package)])) is ready


def test_what_may_not_be_used_commercially_says_so() -> None:
    # none of these may ever be a default
    restricted = {entry.name for entry in list_models() if not entry.commercial}
    assert restricted >= {"vggface", "buffalo_l", "yolov8n", "yolov12l"}
    assert not restricted & {entry.name for entry in list_models() if entry.origin == "embedded"}


@pytest.fixture(scope="module")
def deepface_source() -> str:
    """All Python of the installed DeepFace and of its RetinaFace, read and not imported."""
    folders = [Path(spec.origin).parent for name in ("deepface", "retinaface") if (spec := importlib.util.find_spec(name)) and spec.origin]
    return "".join(path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py"))


@pytest.mark.parametrize("entry", [entry for entry in list_models() if entry.deepface_name and entry.urls], ids=lambda entry: entry.name)
def test_downloads_are_those_of_the_installed_deepface(entry: ModelEntry, deepface_source: str) -> None:
    # a newer DeepFace with other files would look for weights that `fetch` does not get
    for text in (*entry.urls, f'"{entry.deepface_name}"', Path(entry.file or "").name):
        assert text in deepface_source
