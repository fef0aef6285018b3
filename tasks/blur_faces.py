"""Stage: a segment with its faces blurred, encoded; and the segments as one file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tasks import progress
from tasks.covering import covered_frames
from tasks.manifests import RenderedSegment, Video
from tasks.marks import Marks
from tasks.plan import BlurFaces
from tasks.results import ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.stage import stage
from tasks.tracks import Cover
from tasks.video.join import join_segments
from tasks.video.read import read_frames
from tasks.video.write import encode_segment


@stage("blur_faces")
def blur_faces(
    source: Path, video: Video, segment: Segment, cover_ref: ObjectRef, marks_ref: ObjectRef | None, settings: BlurFaces
) -> RenderedSegment:
    """Decodes, blurs and encodes a segment; draws marks over it if there are any."""
    store = ObjectStore()
    cover = Cover.from_bytes(store.get(cover_ref))
    marks = Marks.from_bytes(store.get(marks_ref)) if marks_ref else None
    frames = read_frames(source, video.info, video.index, segment.first, segment.last)
    with closing(progress.counted("blur_faces", frames)) as shown, store.new_file("pictures") as (path, kept):
        covered = covered_frames(shown, cover, settings.blur, video.info.rotation_degrees, marks)
        num_frames = encode_segment(covered, video.info, settings.encoder, path)
    return RenderedSegment(picture_ref=kept(), num_frames=num_frames)


def join(segments: Sequence[RenderedSegment], source: Path, video: Video, target: Path) -> None:
    """Writes the segments, with the source's sound and subtitles, to `target`. Copies packets: quick enough never to be cached."""
    pictures = [ObjectStore().path(segment.picture_ref) for segment in segments]
    join_segments(pictures, source, video.info, video.index, target, whole=video.whole)
