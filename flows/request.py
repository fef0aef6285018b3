"""What is asked for, checked before any work; and whether it was done already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flows.report import BlurReport
from tasks import first_reading
from tasks.by_hand import with_files_read
from tasks.errors import BadOutput
from tasks.manifests import Video
from tasks.models.session import check_device
from tasks.models.weights import check_ready, fetch, find_model
from tasks.photos import photo_files, photo_sha256
from tasks.places import check_apart, source_of, target_of
from tasks.plan import Plan
from tasks.results import Manifest, Record, content_key, probe_store
from tasks.versions import STAGES, embedded_models
from tasks.video.sources import Source
from tasks.video.targets import Target


class Finished(Manifest):
    """A job that was brought to its end."""

    output_sha256: str
    report: BlurReport


@dataclass(frozen=True)
class Request:
    """A job by content: the same one wherever its files lie."""

    source: Source
    target: Target
    plan: Plan
    """with what its files say in place of their paths"""
    source_sha256: str
    photos: tuple[tuple[str, Path], ...]
    photo_sha256s: tuple[tuple[str, str], ...]
    record: Record
    """of its end"""

    def with_plan(self, plan: Plan) -> Request:
        """The same source and target, and what else is to be done."""
        return replace(self, plan=plan, record=_record(self.source_sha256, self.photo_sha256s, plan, self.target.kind))

    def check_fits(self, video: Video) -> None:
        """Raises BadOutput where the target cannot hold what comes through of the video."""
        self.target.check_fits(self.source, video.info.without(self.plan.drop), video.index, video.begins)


def check_request(source: str, target: str, plan: Plan, overwrite: bool) -> Request:
    """Raises the VeilError for what cannot be done, before anything is."""
    found = check_source(source)
    place = target_of(target, found)
    check_apart(found, place)
    place.check()
    first_reading.check_streams(source, place, plan.blur_faces.encoder, plan.drop)
    check_models(plan)
    photos = tuple(photo_files(plan.choose_people.photos))
    hashes = tuple((name, photo_sha256(path)) for name, path in photos)
    source_sha256 = found.content_hash()
    plan = with_files_read(plan, source_sha256)
    request = Request(found, place, plan, source_sha256, photos, hashes, _record(source_sha256, hashes, plan, place.kind))
    if place.is_there() and not overwrite and finished_before(request) is None:
        raise BadOutput(target, "exists already", fix="choose another name, or add --overwrite")
    return request


def _record(source_sha256: str, photo_sha256s: Sequence[tuple[str, str]], plan: Plan, kind: str) -> Record:
    inputs = {"source": source_sha256, "photos": photo_sha256s, "plan": plan, "kind": kind, "stages": STAGES, "models": embedded_models()}
    return Record(content_key("finished", 1, inputs))


def check_source(source: str) -> Source:
    """Raises BadVideo for a source that does not open, and StoreError where nothing could be kept of what is found in it."""
    first_reading.check(source)
    probe_store()
    return source_of(source)


def check_models(plan: Plan) -> None:
    """Raises MissingWeights or BadWeights for a model that is not as it should be, and DeviceError for a processor that is not there."""
    check_device(plan.find_faces.runtime)
    for name in plan.find_faces.models:
        if plan.allow_downloads and find_model(name).origin == "download":
            fetch(name)
        check_ready(name)


def finished_before(request: Request) -> BlurReport | None:
    """The report of the same job, where its result still is what it was."""
    finished = request.record.read()
    if not isinstance(finished, Finished) or request.target.content_hash() != finished.output_sha256:
        return None
    if finished.output_sha256 == request.source_sha256 and finished.report.num_covered_frames:
        return None  # it is the source, in which faces had to be covered
    return finished.report


def remember(request: Request, output_sha256: str, report: BlurReport) -> BlurReport:
    """Writes down that the job is done."""
    request.record.write(Finished(output_sha256=output_sha256, report=report))
    return report
