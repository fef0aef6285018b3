"""Faces that were found only in a finished video, kept so that what is exported later has them too."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.manifests import SegmentFaces
from tasks.plan import BlurFaces, Plan
from tasks.results import Manifest, ObjectStore, Record, content_key

_Hashes = tuple[tuple[str, str], ...]


class Missed(Manifest):
    """The faces that the rounds of checking and repairing added."""

    faces: tuple[SegmentFaces, ...]


def remember_missed(source_sha256: str, photo_sha256s: _Hashes, plan: Plan, faces: Sequence[SegmentFaces]) -> Record:
    """Writes them down for the same source, photos and plan; returns where."""
    record = _record(source_sha256, photo_sha256s, plan)
    record.write(Missed(faces=tuple(faces)))
    return record


def missed_before(source_sha256: str, photo_sha256s: _Hashes, plan: Plan) -> tuple[SegmentFaces, ...]:
    """Those of the last run that was brought to its end; none where there was none, or what it found is gone."""
    found = _record(source_sha256, photo_sha256s, plan).read()
    whole = isinstance(found, Missed) and all(ObjectStore().has(each.detections_ref) for each in found.faces)
    return found.faces if whole and isinstance(found, Missed) else ()


def _record(source_sha256: str, photo_sha256s: _Hashes, plan: Plan) -> Record:
    """How a face is blurred, how the picture is encoded and what else comes through is left out: the faces are the same."""
    plain = plan.model_copy(update={"blur_faces": BlurFaces(), "keep_metadata": (), "drop": ()})
    return Record(content_key("missed", 1, {"source": source_sha256, "photos": photo_sha256s, "plan": plain}))
