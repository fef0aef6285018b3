"""What `veil doctor` looks at on this machine: versions, models, where results are kept, processors, disks."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from flows.job_record import jobs
from flows.leftovers import leftovers_of
from tasks.errors import VeilError
from tasks.models.session import PROVIDERS, load_session
from tasks.models.weights import check_ready, is_ready, list_models
from tasks.plan import Plan
from tasks.results import probe_store
from tasks.stores.bucket import BucketBackend
from tasks.stores.folder import FolderBackend
from tasks.stores.settings import store_settings

Standing = Literal["well", "look", "mend"]
_SHOWN = ("prefect", "prefect-aws", "sqlalchemy", "fastapi", "pydantic", "numpy", "opencv-python", "onnxruntime", "av")
_FEW_GB, _TOO_FEW_GB = 20.0, 2.0


class Check(NamedTuple):
    """One line of the answer."""

    what: str
    standing: Standing
    """all well; worth a look; to be mended before anything can work"""
    found: str
    fix: str = ""


def checked(what: str, look: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """The checks, up to the first error that Veil explains; that is a check too."""
    try:
        yield from look()
    except VeilError as error:
        yield Check(what, "mend", f"{error.subject}: {error.problem}", error.fix)


def machine() -> Iterator[Check]:
    """All of them."""
    yield from versions()
    yield from models()
    yield from checked("results", results)
    yield from checked("unfinished", unfinished)
    yield from processors()
    yield disk("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a larger one")


def versions() -> Iterator[Check]:
    """Of what is installed, against what this version of Veil asks for."""
    from packaging.requirements import Requirement

    wrong = []
    for text in importlib.metadata.requires("veil") or ():
        wanted = Requirement(text)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        installed = _version(wanted.name)
        if installed is None or not wanted.specifier.contains(installed, prereleases=True):
            wrong.append(f'"{wanted.name}{wanted.specifier}"')
            yield Check("versions", "mend", f"{wanted.name} {installed or 'is not installed'}", f"pip install {wrong[-1]}")
    said = ", ".join(f"{name} {_version(name)}" for name in _SHOWN)
    yield Check("versions", "well", f"Veil {_version('veil')}, Python {platform.python_version()}, {said}")
    if len(ours := [name for name in ("opencv-python", "opencv-python-headless", "opencv-contrib-python-headless") if _version(name)]) > 1:
        fix = f"pip uninstall {' '.join(ours)}, then pip install opencv-python"
        yield Check("versions", "mend", f"{' and '.join(ours)} overwrite one another", fix)


def models() -> Iterator[Check]:
    """Those that the defaults use have to be there; one that is another file than it should be is never used."""
    needed = {*Plan().find_faces.models, "transnetv2"}
    ready = []
    for entry in list_models():
        if entry.name not in needed and not is_ready(entry):
            continue
        try:
            check_ready(entry.name)
            ready.append(entry.name)
        except VeilError as error:
            yield Check("models", "mend", f"{error.subject}: {error.problem}", error.fix)
    missing = len(list_models()) - len(ready)
    others = f"; {missing} others can be had: `veil models`" if missing else ""
    yield Check("models", "well", f"{', '.join(ready)}: hashes are right{others}")


def results() -> Iterator[Check]:
    """Whether the store keeps what it is given, encrypts it, and lets go of it. Raises the VeilError for one that does not work."""
    settings = store_settings()
    probe_store(settings)
    backend = settings.backend()
    yield Check("results", "well", f"{backend.location}: written, read and deleted")
    if isinstance(backend, BucketBackend):
        days = settings.expire_days or backend.expires_days()
        encrypted = settings.kms_key or "by the store's default"
        yield Check("encryption", "well" if settings.kms_key else "look", encrypted, "" if settings.kms_key else "veil configure --kms-key")
        if days is None:
            yield Check("expiry", "look", "results stay until somebody deletes them", "veil configure --results ... --expire-days 30")
        else:
            yield Check("expiry", "well", f"results are deleted after {days} days")
    elif isinstance(backend, FolderBackend):
        yield Check("encryption", "look", "a folder is not encrypted by Veil", "keep it on an encrypted disk, or in S3")
        yield Check("expiry", "look", "results stay until somebody deletes them", "have the deployment `forget` run now and then")
        yield disk("results", backend.root, "choose a larger one: veil configure --results")


def unfinished() -> Iterator[Check]:
    """What killed runs have left beside their results: faces that nobody covers."""
    found = leftovers_of(jobs())
    for name in found.abandoned:
        yield Check("unfinished", "look", f"{name}, of a run that was killed", "run it again, or `veil forget` the video: it is removed")
    for error in found.unknown:
        yield Check("unfinished", "look", f"what is beside {error.subject} is not known: {error.problem}", error.fix)


def processors() -> Iterator[Check]:
    """What models can run on."""
    from onnxruntime import get_available_providers

    from tasks.models.runtime import Runtime

    there = [device for device, provider in PROVIDERS.items() if provider in get_available_providers()]
    works = []
    for device in there:
        if device == "tensorrt":  # builds an engine for minutes
            continue
        try:
            load_session("centerface", 1, runtime=Runtime(provider=device))
            works.append(device)
        except VeilError as error:
            yield Check("processors", "look", f"{error.subject}: {error.problem}", error.fix)
    yield Check("processors", "well", f"models run on: {', '.join(works)}")


def disk(what: str, folder: Path, fix: str) -> Check:
    free = shutil.disk_usage(next(place for place in (folder, *folder.parents) if place.exists())).free / 1e9
    standing: Standing = "mend" if free < _TOO_FEW_GB else "look" if free < _FEW_GB else "well"
    return Check(f"space for {what}", standing, f"{free:.1f} GB in {folder}", "" if standing == "well" else f"free some, or {fix}")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
