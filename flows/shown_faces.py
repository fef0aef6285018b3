"""Small pictures of people for Prefect's pages: inside them, or as links to the results store that expire."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import partial

from flows.face_pictures import face_pictures
from flows.job import Job
from flows.people import BestView, best_view
from tasks.choosing import Decision
from tasks.errors import BadSetting
from tasks.manifests import TrackSet, Video
from tasks.plan import InPrefect
from tasks.results import Manifest, ObjectRef, ObjectStore, Record, content_key
from tasks.stores.bucket import BucketBackend
from tasks.stores.settings import results_store
from tasks.tracks import Track
from tasks.video.sources import Source

_PIXELS = 112
_MOST_FACES = 60  # of people, the unsure ones first: beyond that, a page is slow to open


class FacePictures(Manifest):
    """Pictures that links lead to."""

    refs: tuple[ObjectRef, ...]


def check_links(settings: InPrefect) -> None:
    """Raises BadSetting where links are asked for and the store has none to give."""
    if settings.faces == "links" and not isinstance(results_store(), BucketBackend):
        raise BadSetting("in_prefect.faces", "links lead to a results store in S3, and it is not", fix="choose another value")


def show_faces(
    job: Job, source: Source, video: Video, tracks: TrackSet, decisions: Sequence[Decision], settings: InPrefect
) -> dict[int, str]:
    """Addresses of pictures by person, for markdown."""
    views = _views(video, tracks.tracks, [each.person for each in decisions][:_MOST_FACES])
    pictures = face_pictures(partial(video.frames, source), video.info, video.index, list(views.values()), _PIXELS)
    if settings.faces == "links":
        return _links(job, video, dict(zip(views, pictures, strict=True)), settings.link_hours)
    return {person: f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}" for person, picture in zip(views, pictures, strict=True)}


def _views(video: Video, tracks: Sequence[Track], persons: Sequence[int]) -> dict[int, BestView]:
    by_person: dict[int, list[Track]] = {person: [] for person in persons}
    for track in tracks:
        if track.person in by_person:
            by_person[track.person].append(track)
    return {person: best_view(own, video.info) for person, own in by_person.items()}


def _links(job: Job, video: Video, pictures: Mapping[int, bytes], hours: float) -> dict[int, str]:
    store = ObjectStore()
    assert isinstance(store.backend, BucketBackend)
    refs = {person: store.put("faces", picture) for person, picture in pictures.items()}
    # Noted of the video, so that they are forgotten with it.
    record = Record(content_key("faces", 1, {"source": video.info.content_hash, "refs": [ref.sha256 for ref in refs.values()]}))
    record.write(FacePictures(refs=tuple(refs.values())))
    job.keeps(record)
    return {person: store.backend.link(ref.key, hours * 3600, "image/jpeg") for person, ref in refs.items()}
