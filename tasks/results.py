"""Where results live: small JSON manifests that Prefect caches, and the content-addressed objects that they name.

A manifest is data: it is read as one of the `Manifest` models known here, and nothing in it can name code.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from tasks.errors import NoSpace, StoreError
from tasks.hashing import file_sha256
from tasks.method import FOR_A_KEY, Settings
from tasks.video.target import remove_abandoned


class ObjectRef(Settings):
    """Names an object in the results store by what is in it."""

    kind: str = Field(pattern=r"^[a-z_]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    num_bytes: int


class Manifest(Settings):
    """Base of what a stage returns: small, JSON, and complete together with the objects that it names."""

    known: ClassVar[dict[str, type[Manifest]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        Manifest.known[cls.__name__] = cls


def manifest_to_bytes(manifest: Manifest) -> bytes:
    return json.dumps({"manifest": type(manifest).__name__, "content": manifest.model_dump(mode="json")}, sort_keys=True).encode()


def manifest_from_bytes(content: bytes) -> Manifest:
    """One of `Manifest.known`; raises ValueError, KeyError or TypeError for anything else."""
    stored = json.loads(content)
    return Manifest.known[stored["manifest"]].model_validate(stored["content"])


def results_folder() -> Path:
    """The results store: `$VEIL_RESULTS`, or `~/.veil/results`."""
    return Path(os.environ.get("VEIL_RESULTS") or Path.home() / ".veil" / "results").expanduser().absolute()


class ObjectStore:
    """Objects in a folder, `KIND/SHA256`; whole or absent, and checked when read."""

    def __init__(self, folder: Path | None = None) -> None:
        self.root = folder or results_folder()
        self.folder = self.root / "objects"

    def put(self, kind: str, content: bytes) -> ObjectRef:
        """Raises NoSpace and StoreError."""
        with self.new_file(kind) as (path, kept), _explained(path):
            path.write_bytes(content)
        return kept()

    @contextmanager
    def new_file(self, kind: str) -> Iterator[tuple[Path, Callable[[], ObjectRef]]]:
        """A path to write to, and a call that gives the object's name once the block has ended well.

        Leaves nothing behind when the block fails. Raises NoSpace and StoreError.
        """
        folder = self.folder / kind
        with _explained(folder):
            path = _new_path(folder)
        refs = list[ObjectRef]()
        try:
            yield path, lambda: refs[0]
            with _explained(folder):
                refs.append(ObjectRef(kind=kind, sha256=file_sha256(path), num_bytes=path.stat().st_size))
                path.replace(folder / refs[0].sha256)
        finally:
            path.unlink(missing_ok=True)

    def path(self, ref: ObjectRef) -> Path:
        """The object's file, once its content was checked. Raises StoreError where it is gone or is something else."""
        path = self.folder / ref.kind / ref.sha256
        if not path.is_file():
            raise StoreError(path, "this result is gone", fix="run again: what is missing is computed anew")
        if file_sha256(path) != ref.sha256:
            path.unlink()
            raise StoreError(path, "this result was changed or is broken, and was removed", fix="run again: it is computed anew")
        return path

    def get(self, ref: ObjectRef) -> bytes:
        return self.path(ref).read_bytes()

    def has(self, ref: ObjectRef) -> bool:
        path = self.folder / ref.kind / ref.sha256
        return path.is_file() and path.stat().st_size == ref.num_bytes


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace(folder, "the disk is full", fix="free some space or set VEIL_RESULTS to a larger disk, then run again") from error
        problem = f"results cannot be kept here ({error.strerror})"
        raise StoreError(folder, problem, fix="set VEIL_RESULTS to a writable folder") from error


def _new_path(folder: Path) -> Path:
    """A file to fill and rename, for its owner's eyes alone; its name tells which process is at work on it."""
    _make_private(folder)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=f".new-{os.getpid()}-")
    os.close(descriptor)
    return Path(name)


def _make_private(folder: Path) -> None:
    """Makes a folder, and those above it that are not there, for its owner alone: Python's own way does so for the last one only."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def probe_store(store: ObjectStore) -> None:
    """Makes the store its owner's alone, removes what killed processes left half written, and writes, reads and removes a small object.

    A store that cannot keep results is found before any work. Raises StoreError or NoSpace.
    """
    with _explained(store.root):
        _make_private(store.root)
        store.root.chmod(0o700)
        remove_abandoned(store.root.glob("**/.new-*"), lambda name: name.split("-")[1])
    store.path(store.put("probe", b"veil")).unlink()


def content_key(stage: str, version: int, inputs: dict[str, object]) -> str:
    """`STAGE/vVERSION/HASH of the inputs`: the same inputs give the same key on every machine."""
    text = json.dumps(inputs, sort_keys=True, default=_as_json)
    return f"{stage}/v{version}/{hashlib.sha256(text.encode()).hexdigest()}"


def _as_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", context=FOR_A_KEY)
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


class Record:
    """A manifest kept under a key of its own, beside what Prefect keeps."""

    def __init__(self, key: str, folder: Path | None = None) -> None:
        self._path = (folder or results_folder()) / key

    def read(self) -> Manifest | None:
        """None where there is none, or none that this version can read."""
        try:
            return manifest_from_bytes(self._path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, manifest: Manifest) -> None:
        with _explained(self._path.parent):
            path = _new_path(self._path.parent)
            try:
                path.write_bytes(manifest_to_bytes(manifest))
                path.replace(self._path)
            finally:
                path.unlink(missing_ok=True)
