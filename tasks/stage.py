"""What makes a function a stage: a Prefect task, kept under an explicit key, read back as data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect import Task, task
from prefect.context import TaskRunContext
from prefect.results import get_result_store
from prefect.serializers import Serializer
from pydantic import Field

from tasks.results import Manifest, ObjectRef, ObjectStore, content_key, manifest_from_bytes, manifest_to_bytes
from tasks.versions import STAGES, embedded_models


class ManifestSerializer(Serializer):  # Prefect registers it by name, which a parametrised one has not
    """Manifests as JSON. What is read is one of `Manifest.known`, or an error."""

    type: str = Field("veil-manifest", frozen=True)

    def dumps(self, obj: Manifest) -> bytes:
        return manifest_to_bytes(obj)

    def loads(self, blob: bytes) -> Manifest:
        return manifest_from_bytes(blob)


P = ParamSpec("P")
R = TypeVar("R", bound=Manifest)


def stage(name: str, *, apart: tuple[str, ...] = ("source",)) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Makes a function the stage `name`. The parameters named in `apart` say where something is, not what it is: they are not in the key.

    Its version is in `tasks.versions`.
    """
    version = STAGES[name]

    def key(_: TaskRunContext, parameters: dict[str, Any]) -> str | None:
        inputs = {parameter: value for parameter, value in parameters.items() if parameter not in apart}
        chosen = content_key(name, version, inputs | {"models": embedded_models()})
        forget_unless_whole(chosen)
        return chosen

    def make(function: Callable[P, R]) -> Task[P, R]:
        options = task(
            name=name, cache_key_fn=key, persist_result=True, result_serializer=ManifestSerializer(), cache_result_in_memory=False
        )
        return options(function)

    return make


def forget_unless_whole(key: str) -> None:
    """Removes a stored result that is cut short, was written as anything but a manifest, or whose objects are gone.

    Prefect trusts the record to say how it is to be read, pickles included; this is where it does not get to.
    """
    folder = getattr(get_result_store().result_storage, "basepath", None)
    if folder is None or not (path := Path(folder) / key).is_file():
        return
    try:
        record = json.loads(path.read_bytes())
        # Anything beside these two, Prefect lets stand above them.
        whole = (
            record.keys() == {"metadata", "result"}
            and record["metadata"]["serializer"]["type"] == "veil-manifest"
            and all(map(ObjectStore().has, _refs(json.loads(record["result"]))))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        path.unlink()


def _refs(content: object) -> list[ObjectRef]:
    """All object names anywhere in a manifest's JSON."""
    if isinstance(content, dict):
        if content.keys() == ObjectRef.model_fields.keys():
            return [ObjectRef.model_validate(content)]
        content = list(content.values())
    return [ref for item in content for ref in _refs(item)] if isinstance(content, list) else []
