"""What is asked for, checked before any work; and whether it was done already."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from flows.report import BlurReport
from tasks.errors import BadOutput
from tasks.hashing import file_sha256
from tasks.models.session import check_device
from tasks.models.weights import check_ready, fetch, find_model
from tasks.photos import photo_files, photo_sha256
from tasks.plan import Plan
from tasks.results import Manifest, ObjectStore, Record, content_key, probe_store
from tasks.versions import STAGES, embedded_models
from tasks.video.join import container_format_of
from tasks.video.probe import check_opens


class Finished(Manifest):
    """A job that was brought to its end."""

    output_sha256: str
    report: BlurReport


@dataclass(frozen=True)
class Request:
    """A job by content: the same one wherever its files lie."""

    source: Path
    target: Path
    plan: Plan
    source_sha256: str
    photos: tuple[tuple[str, Path], ...]
    photo_sha256s: tuple[tuple[str, str], ...]
    record: Record


def check_request(source: Path, target: Path, plan: Plan, overwrite: bool) -> Request:
    """Raises the VeilError for what cannot be done, before anything is."""
    check_source(source)
    check_target(source, target)
    check_models(plan)
    photos = tuple(photo_files(plan.choose_people.photos))
    hashes = tuple((name, photo_sha256(path)) for name, path in photos)
    source_sha256 = file_sha256(source)
    key = content_key(
        "finished",
        1,
        {
            "source": source_sha256,
            "photos": hashes,
            "plan": plan,
            "kind": target.suffix.lower(),
            "stages": STAGES,
            "models": embedded_models(),
        },
    )
    request = Request(source, target, plan, source_sha256, photos, hashes, Record(key))
    if target.exists() and not overwrite and finished_before(request) is None:
        raise BadOutput(target, "exists already", fix="choose another name, or add --overwrite")
    return request


def check_source(source: Path) -> None:
    """Raises BadVideo for a source that does not open, and StoreError where nothing could be kept of what is found in it."""
    check_opens(source)
    probe_store(ObjectStore())


def check_models(plan: Plan) -> None:
    """Raises MissingWeights or BadWeights for a model that is not as it should be, and DeviceError for a processor that is not there."""
    check_device(plan.find_faces.runtime)
    for name in plan.find_faces.models:
        if plan.allow_downloads and find_model(name).origin == "download":
            fetch(name)
        check_ready(name)


def check_target(source: Path, target: Path) -> None:
    """Raises BadOutput where a result cannot be written to `target`."""
    folder = target.parent
    if target.is_dir():
        raise BadOutput(target, "is a folder", fix="give the name of a file in it")
    container_format_of(target)
    if target.exists() and target.samefile(source):
        raise BadOutput(target, "is the input itself", fix="choose another name: the source is never changed")
    if not folder.is_dir():
        raise BadOutput(folder, "is not a folder", fix="make it first, or choose another")
    if not os.access(folder, os.W_OK):
        raise BadOutput(folder, "cannot be written to", fix="choose another folder, or change its permissions")


def finished_before(request: Request) -> BlurReport | None:
    """The report of the same job, where its result still is what it was."""
    finished = request.record.read()
    same = isinstance(finished, Finished) and request.target.is_file() and file_sha256(request.target) == finished.output_sha256
    return finished.report if same and isinstance(finished, Finished) else None


def remember(request: Request, output_sha256: str, report: BlurReport) -> BlurReport:
    """Writes down that the job is done."""
    request.record.write(Finished(output_sha256=output_sha256, report=report))
    return report
