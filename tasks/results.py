"""Where results live: small JSON manifests that Prefect caches, and the content-addressed objects that they name.

A manifest is data: it is read as one of the `Manifest` models known here, and nothing in it can name code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

from pydantic import BaseModel, Field

from tasks.errors import StoreError
from tasks.hashing import file_sha256
from tasks.method import FOR_A_KEY, Settings
from tasks.stores.backend import Backend
from tasks.stores.seal import sealed, unsealed
from tasks.stores.settings import StoreSettings, record_seal, results_store, store_settings

OBJECTS = "objects"


class ObjectRef(Settings):
    """Names an object in the results store by what is in it."""

    kind: str = Field(pattern=r"^[a-z_]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    num_bytes: int

    @property
    def key(self) -> str:
        """Under which it is kept."""
        return f"{OBJECTS}/{self.kind}/{self.sha256}"


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


class ObjectStore:
    """Objects under `objects/KIND/SHA256` of a store (without one: the one that holds here); whole or absent, and checked when read."""

    def __init__(self, backend: Backend | None = None) -> None:
        self.backend = backend or results_store()

    def put(self, kind: str, content: bytes) -> ObjectRef:
        """Raises NoSpace and StoreError."""
        ref = ObjectRef(kind=kind, sha256=hashlib.sha256(content).hexdigest(), num_bytes=len(content))
        if not self.has(ref):
            self.backend.write(ref.key, content)
        return ref

    @contextmanager
    def new_file(self, kind: str) -> Iterator[tuple[Path, Callable[[], ObjectRef]]]:
        """A path to write to, and a call that gives the object's name once the block has ended well.

        Leaves nothing behind when the block fails. Raises NoSpace and StoreError.
        """
        refs = list[ObjectRef]()
        with self.backend.new_file(f"{OBJECTS}/{kind}") as path:
            yield path, lambda: refs[0]
            refs.append(ObjectRef(kind=kind, sha256=file_sha256(path), num_bytes=path.stat().st_size))
            self.backend.keep(path, refs[0].key)

    def path(self, ref: ObjectRef) -> Path:
        """The object as a file, once its content was checked. Raises StoreError where it is gone or is something else."""
        path = self.backend.file(ref.key)
        if path is None:
            raise self._gone(ref)
        if file_sha256(path) != ref.sha256:
            path.unlink()
            raise self._broken(ref)
        return path

    def get(self, ref: ObjectRef) -> bytes:
        """The object's content, checked. Raises StoreError as `path` does."""
        content = self.backend.read(ref.key)
        if content is None:
            raise self._gone(ref)
        if hashlib.sha256(content).hexdigest() != ref.sha256:
            raise self._broken(ref)
        return content

    def has(self, ref: ObjectRef) -> bool:
        return self.backend.num_bytes(ref.key) == ref.num_bytes

    def remove(self, ref: ObjectRef) -> None:
        self.backend.remove(ref.key)

    def _gone(self, ref: ObjectRef) -> StoreError:
        return StoreError(f"{self.backend.location}/{ref.key}", "this result is gone", fix="run again: what is missing is computed anew")

    def _broken(self, ref: ObjectRef) -> StoreError:
        self.remove(ref)
        problem = "this result was changed or is broken, and was removed"
        return StoreError(f"{self.backend.location}/{ref.key}", problem, fix="run again: it is computed anew")


def probe_store(settings: StoreSettings | None = None) -> None:
    """Writes, reads and removes a small object, after the store was made ready: one that keeps nothing is found before any work.

    Raises StoreError or NoSpace, also for a store that does not encrypt though that is demanded and for one whose records' key is not to
    be had, and BadSetting for one that is none.
    """
    settings = settings or store_settings()
    backend = settings.backend()
    backend.prepare()
    record_seal(settings).mark(b"")
    store, probe = ObjectStore(backend), f"veil {uuid4()}".encode()
    ref = store.put("probe", probe)
    try:
        if store.get(ref) != probe:
            raise StoreError(backend.location, "gives back something else than was written", fix="choose another store")
        said = backend.encryption(ref.key)
        wanted = "aws:kms" if settings.kms_key else said
        if said != wanted or (settings.require_encryption and said is None):
            problem = f"does not encrypt as demanded ({said or 'it says nothing of encryption'})"
            raise StoreError(backend.location, problem, fix="set the bucket's default encryption, or --kms-key in `veil configure`")
    finally:
        store.remove(ref)


def refs_in(content: object) -> list[ObjectRef]:
    """All object names anywhere in a manifest's JSON."""
    if isinstance(content, dict):
        if content.keys() == ObjectRef.model_fields.keys():
            return [ObjectRef.model_validate(content)]
        content = list(content.values())
    return [ref for item in content for ref in refs_in(item)] if isinstance(content, list) else []


def content_key(stage: str, version: int, inputs: dict[str, object]) -> str:
    """`STAGE/vVERSION/HASH of the inputs`: the same inputs give the same key on every machine."""
    text = json.dumps(inputs, sort_keys=True, default=_as_json)
    return f"{stage}/v{version}/{hashlib.sha256(text.encode()).hexdigest()}"


def _as_json(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", context=FOR_A_KEY)
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


def read_sealed(key: str, backend: Backend | None = None) -> bytes | None:
    """A record; None where there is none, or it was not sealed with the store's key."""
    stored = (backend or results_store()).read(key)
    return None if stored is None else unsealed(record_seal(), key, stored)


def write_sealed(key: str, content: bytes, backend: Backend | None = None) -> None:
    """Keeps a record in a store."""
    (backend or results_store()).write(key, sealed(record_seal(), key, content))


class Record:
    """A manifest kept under a key of its own, beside what Prefect keeps."""

    def __init__(self, key: str, backend: Backend | None = None) -> None:
        self.key = key
        self._backend = backend or results_store()

    def read(self) -> Manifest | None:
        """None where there is none, none that this version can read, or none that was sealed with the store's key."""
        try:
            content = read_sealed(self.key, self._backend)
            return None if content is None else manifest_from_bytes(content)
        except (ValueError, KeyError, TypeError):
            return None

    def write(self, manifest: Manifest) -> None:
        write_sealed(self.key, manifest_to_bytes(manifest), self._backend)

    def remove(self) -> None:
        self._backend.remove(self.key)
