"""What makes a function a stage: a Prefect task, kept under an explicit key in the results store, read back as data."""

from __future__ import annotations

import copy
import ctypes
import inspect
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar

from prefect import Task, task
from prefect.client.schemas.objects import State, TaskRun
from prefect.context import TaskRunContext
from prefect.filesystems import WritableFileSystem
from prefect.serializers import Serializer, UnknownSerializer
from prefect.tasks import exponential_backoff
from prefect.utilities.dispatch import get_registry_for_type
from pydantic import Field

from tasks.errors import StoreError, VeilError
from tasks.parts import in_slot, is_in_parts, name_of_part
from tasks.results import (
    Manifest,
    ObjectStore,
    content_key,
    manifest_from_bytes,
    manifest_to_bytes,
    read_sealed,
    refs_in,
    write_sealed,
)
from tasks.stores.settings import results_store
from tasks.versions import STAGES, StageName, embedded_models

RECORDS = "stages"
_RETRIES = 3
_FIRST_WAIT_SECONDS = 2  # then twice that, and again; up to half more by chance, so that many do not come back at once


class ManifestSerializer(Serializer):  # Prefect registers it by name, which a parametrised one has not
    """Manifests as JSON. What is read is one of `Manifest.known`, or an error."""

    type: str = Field("veil-manifest", frozen=True)

    def dumps(self, obj: Manifest) -> bytes:
        return manifest_to_bytes(obj)

    def loads(self, blob: bytes) -> Manifest:
        return manifest_from_bytes(blob)


def read_manifests_only() -> None:
    """Has Prefect read results in no other way, in this process, whatever a server or a store says of how they are to be read.

    A result's metadata may ask for pickle, or for any module of this machine to import: who can set a run's state on a server would
    run code in whoever waits for that run.
    """
    registry = get_registry_for_type(Serializer)
    assert registry is not None
    ours = ManifestSerializer.__dispatch_key__()
    registry.update(dict.fromkeys(registry.keys() - {ours}, UnknownSerializer))  # type: ignore[arg-type]


read_manifests_only()


class Records(WritableFileSystem):
    """Prefect's records of stages' results, in the results store that holds where the stage runs; so it needs no settings of its own.

    Prefect trusts a record to say how it is to be read, pickles included: what is cut short, was not sealed with the store's key, was
    written as anything but a manifest, or names objects that are gone, is not there. A record that cannot be written raises StoreError,
    which Prefect only logs: see `is_kept`.
    """

    _block_type_name: ClassVar[str] = "Veil records"

    def read_path(self, path: str, **_: Any) -> bytes:  # type: ignore[override]  # Prefect calls it either way
        content = read_sealed(f"{RECORDS}/{path}")
        if content is None or not is_whole(content):
            raise ValueError(f"there is no result {path}")
        return content

    def write_path(self, path: str, content: bytes, **_: Any) -> None:  # type: ignore[override]
        write_sealed(f"{RECORDS}/{path}", content)

    def _resolve_path(self, path: str) -> None:
        """Keys are the same on every machine."""


def is_whole(record: bytes) -> bool:
    """Whether a record of Prefect's is a manifest, and all objects that it names are there."""
    try:
        read = json.loads(record)
        # Anything beside these two, Prefect lets stand above them.
        return (
            read.keys() == {"metadata", "result"}
            and read["metadata"]["serializer"]["type"] == "veil-manifest"
            and all(map(ObjectStore().has, refs_in(json.loads(read["result"]))))
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def is_kept(key: str) -> bool:
    """Whether a stage's result is in the store."""
    return results_store().num_bytes(f"{RECORDS}/{key}") is not None


def check_kept(stage: str, key: str) -> None:
    """Raises StoreError where a result is not in the store: Prefect logs that, and goes on."""
    if not is_kept(key):
        raise StoreError(results_store().location, f"did not keep the result of {stage}", fix="run `veil doctor`")


def kept_result(key: str) -> Manifest | None:
    """A stage's result, as Prefect would find it; None where there is none that is whole."""
    try:
        return manifest_from_bytes(json.loads(Records().read_path(key))["result"])
    except (ValueError, KeyError, TypeError):
        return None


P = ParamSpec("P")
R = TypeVar("R", bound=Manifest)


def stage(name: StageName, *, apart: tuple[str, ...] = ("source",)) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Makes a function the stage `name`. The parameters named in `apart` say where something is, not what it is: they are not in the key.

    Its version is in `tasks.versions`. It is tried again only after what may pass.
    """

    def key(_: TaskRunContext, parameters: dict[str, Any]) -> str | None:
        return content_key(name, STAGES[name], inputs_of(parameters, apart))

    def make(function: Callable[P, R]) -> Task[P, R]:
        options = task(
            name=name,
            task_run_name=_name_of_run(name, function),
            cache_key_fn=key,
            persist_result=True,
            result_serializer=ManifestSerializer(),
            cache_result_in_memory=False,
            retries=_RETRIES,
            retry_delay_seconds=exponential_backoff(_FIRST_WAIT_SECONDS),
            retry_jitter_factor=0.5,
            retry_condition_fn=_may_pass,
        )
        made = options(_leaving_no_memory(function))
        made.result_storage = Records()  # given to `task`, it would have to be saved on a server first
        made.apart = apart  # type: ignore[attr-defined]
        return made

    return make


def _leaving_no_memory(function: Callable[P, R]) -> Callable[P, R]:
    """The function; what it has freed is given back to the system (by glibc), or the next segment needs its own beside it."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        finally:
            if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
                trim(0)

    return run


def key_of(stage: Task[..., Any], arguments: Mapping[str, Any]) -> str:
    """The key of the result that a stage has for these arguments."""
    bound = inspect.signature(stage.fn).bind(**arguments)
    bound.apply_defaults()
    assert stage.cache_key_fn is not None
    return str(stage.cache_key_fn(None, bound.arguments))  # type: ignore[arg-type]  # it does not ask in which run


def prepared(stage: Task[P, R], gpu_limit: str = "", *, again: bool = False) -> Task[P, R]:
    """The stage, holding a slot of a concurrency limit while it is computed (see `in_slot`); `again`: even where its result is known."""
    own = copy.copy(stage)
    own.refresh_cache = again or stage.refresh_cache
    own.fn = in_slot(stage.fn, gpu_limit)
    return own


def inputs_of(parameters: dict[str, Any], apart: tuple[str, ...]) -> dict[str, object]:
    """What a stage's result depends on, of the arguments that it is called with."""
    return {name: value for name, value in parameters.items() if name not in apart} | {"models": embedded_models()}


def _name_of_run(name: str, function: Callable[..., Any]) -> Callable[[], str] | str:
    if not is_in_parts(inspect.signature(function).parameters):
        return name

    def named() -> str:
        from prefect.runtime import task_run

        return name_of_part(name, task_run.parameters)

    return named


def _may_pass(_: Task[..., Any], __: TaskRun, state: State[Any]) -> bool:
    """Whether what ended a stage is nothing that it would meet again for sure."""
    try:
        state.result()
    except (VeilError, ConnectionError, TimeoutError) as error:
        return getattr(error, "may_pass", True)
    except BaseException:
        return False
    return False
