"""Stage: a segment with its faces blurred, encoded; and the segments as one whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing

import av

from tasks import progress
from tasks.covering import covered_frames
from tasks.manifests import RenderedSegment, Video
from tasks.places import source_of
from tasks.plan import BlurFaces
from tasks.results import ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.stage import stage
from tasks.tracks import Cover
from tasks.video.forms import AsPictures, AsVideo, Rendered
from tasks.video.picture_folder import PictureFolder
from tasks.video.sources import Source
from tasks.video.targets import Written


@stage("blur_faces")
def blur_faces(
    source: str, video: Video, segment: Segment, cover_ref: ObjectRef, settings: BlurFaces, form: AsVideo | AsPictures
) -> RenderedSegment:
    """Decodes, blurs and encodes a segment; of a folder that stays one, only the pictures that are covered."""
    store = ObjectStore()
    cover = Cover.from_bytes(store.get(cover_ref))
    found = source_of(source)
    folder = found if isinstance(found, PictureFolder) else None
    if isinstance(form, AsPictures) and form.only_covered and folder is not None:
        frames = video.some(folder, sorted(set(cover.frames.tolist())))
    else:
        frames = video.frames(found, segment.first, segment.last)
    with closing(progress.counted("blur_faces", frames)) as shown, store.new_file("pictures") as (path, kept):
        rendered = _rendered(shown, cover, settings)
        if isinstance(form, AsPictures):
            num_frames = form.write(rendered, video.info, folder if form.only_covered else None, path)
        else:
            num_frames = form.write(rendered, video.info, settings.encoder, path)
    return RenderedSegment(picture_ref=kept(), num_frames=num_frames)


def _rendered(frames: Iterator[tuple[int, av.VideoFrame]], cover: Cover, settings: BlurFaces) -> Iterator[Rendered]:
    originals: deque[tuple[int, av.VideoFrame]] = deque()

    def noted() -> Iterator[tuple[int, av.VideoFrame]]:
        for each in frames:
            originals.append(each)
            yield each

    for frame in covered_frames(noted(), cover, settings.blur):
        yield Rendered(*originals.popleft(), frame)


def join(segments: Sequence[RenderedSegment], source: Source, video: Video, written: Written) -> None:
    """Makes one whole of the segments, and of what else the source has. Copies, and is quick enough never to be cached."""
    pictures = [ObjectStore().path(segment.picture_ref) for segment in segments]
    written.join(pictures, source, video.info, video.index, video.begins)
