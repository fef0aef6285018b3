"""A segment's stage as a flow run of its own, so that any worker can do it: what the runner `deployments` submits.

Its parameters say where things lie and what they are called, not what is in them: no picture, no face, no embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from prefect import Task, flow
from pydantic import Field, TypeAdapter

from tasks.blur_faces import blur_faces
from tasks.copying import Stretch
from tasks.errors import BadSetting, BadVideo
from tasks.find_faces import find_faces
from tasks.follow_faces import follow_faces
from tasks.manifests import SegmentFaces, Shots, Video
from tasks.method import Settings
from tasks.places import source_of
from tasks.plan import BlurFaces, FindFaces, FollowFaces, Linker
from tasks.results import ObjectRef
from tasks.segments import Segment
from tasks.stage import check_kept, key_of, prepared
from tasks.video.files import num_bytes_of
from tasks.video.forms import AsPictures, AsVideo
from tasks.video.locations import Location


class FacesPart(Settings):
    """What `find_faces` is to go through."""

    stage: Literal["find_faces"] = "find_faces"
    video: Video
    segment: Segment
    glance_refs: tuple[ObjectRef, ...]
    settings: FindFaces


class FollowPart(Settings):
    """What `follow_faces` is to go through."""

    stage: Literal["follow_faces"] = "follow_faces"
    video: Video
    shots: Shots
    faces: SegmentFaces
    linker: Linker
    looking: FindFaces
    settings: FollowFaces


class BlurPart(Settings):
    """What `blur_faces` is to go through."""

    stage: Literal["blur_faces"] = "blur_faces"
    video: Video
    stretches: tuple[Stretch, ...]
    cover_ref: ObjectRef
    marks_ref: ObjectRef | None
    settings: BlurFaces
    form: Annotated[AsVideo | AsPictures, Field(discriminator="form")]


Part = Annotated[FacesPart | FollowPart | BlurPart, Field(discriminator="stage")]

_STAGES: dict[str, Task[..., Any]] = {"find_faces": find_faces, "follow_faces": follow_faces, "blur_faces": blur_faces}


def part_of(stage: str, arguments: Mapping[str, Any], apart: tuple[str, ...]) -> Part:
    """What a stage is called with, without what only says where something is."""
    given = {name: value for name, value in arguments.items() if name not in apart}
    part: Part = TypeAdapter(Part).validate_python({"stage": stage} | given)
    return part


@flow(name="process-segment", persist_result=False)
def process_segment(source: Location, part: Part, key: str = "", again: bool = False, gpu_limit: str = "") -> None:
    """Does one part of a stage of `source`, unless its result is known. The result is in the results store, under `key`.

    Raises BadSetting where it would have another key here, BadVideo where `source` is something else here, and what the stage raises.
    """
    stage = _STAGES[part.stage]
    arguments = {name: getattr(part, name) for name in type(part).model_fields if name != "stage"}
    arguments["source"] = source
    own = key_of(stage, arguments)
    if key and own != key:
        raise BadSetting("this worker", "has another version of Veil than the run that it works for", fix="install the same on both")
    found = source_of(source)
    found.check()
    if found.file is not None and num_bytes_of(found.file) != part.video.info.num_bytes:
        raise BadVideo(source, "is another file on this worker than where the run began", fix="let both see the same files")
    prepared(stage, gpu_limit, again=again)(**arguments)
    check_kept(part.stage, own)
