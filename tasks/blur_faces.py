"""Stage: a segment with its faces blurred, encoded; and the segments as one whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import NamedTuple

import av
import numpy as np

from tasks import progress
from tasks.copying import Stretch
from tasks.covering import covered_frames
from tasks.faces import Ints
from tasks.manifests import EncodedStretch, RenderedSegment, Video
from tasks.marks import Marks
from tasks.places import source_of
from tasks.plan import BlurFaces
from tasks.results import ObjectRef, ObjectStore
from tasks.stage import stage
from tasks.tracks import Cover
from tasks.video.encoders import Encoding, choose_encoding
from tasks.video.forms import AsPictures, AsVideo, Rendered
from tasks.video.hardware import choose_decoder
from tasks.video.info import VideoInfo
from tasks.video.metadata import MetadataKey
from tasks.video.picture_folder import PictureFolder
from tasks.video.segments import Piece
from tasks.video.sources import Source
from tasks.video.splicing import why_not_copied
from tasks.video.still_to_video import video_info
from tasks.video.targets import Target, Written


@stage("blur_faces")
def blur_faces(
    source: str,
    video: Video,
    stretches: tuple[Stretch, ...],
    cover_ref: ObjectRef,
    marks_ref: ObjectRef | None,
    settings: BlurFaces,
    form: AsVideo | AsPictures,
) -> RenderedSegment:
    """Decodes, blurs and encodes what of a segment is not copied, and draws marks over it if there are any.

    Each stretch is an object of its own, which refers to nothing outside.
    """
    store, info, found = ObjectStore(), video.info, source_of(source)
    cover = Cover.from_bytes(store.get(cover_ref))
    marks = Marks.from_bytes(store.get(marks_ref)) if marks_ref else None
    encoded = []
    for stretch in stretches:
        frames = video.frames(found, stretch.first, stretch.last, settings.decoder)
        with closing(progress.counted("blur_faces", frames)) as shown, store.new_file("pictures") as (path, kept):
            rendered = _rendered(shown, cover.within(stretch.first, stretch.last), marks, info, settings)
            if isinstance(form, AsPictures):
                form.write(rendered, info, found if form.only_covered and isinstance(found, PictureFolder) else None, path)
            else:
                form.write(rendered, info, settings.encoder, path)
        encoded.append(EncodedStretch(stretch=stretch, picture_ref=kept()))
    return RenderedSegment(encoded=tuple(encoded))


def _rendered(
    frames: Iterator[tuple[int, av.VideoFrame]], cover: Cover, marks: Marks | None, info: VideoInfo, settings: BlurFaces
) -> Iterator[Rendered]:
    originals: deque[tuple[int, av.VideoFrame]] = deque()

    def noted() -> Iterator[tuple[int, av.VideoFrame]]:
        for each in frames:
            originals.append(each)
            yield each

    for frame in covered_frames(noted(), cover, settings.blur, info.rotation_degrees, marks, info.mirrored):
        yield Rendered(*originals.popleft(), frame)


Keys = Sequence[MetadataKey]


class Settled(NamedTuple):
    """How a result is written.

    settings: with all decided that they leave to the source, the target and the machine
    encoding: of a video; None for pictures
    why_all_encoded: why nothing of the source's picture can be copied; None where it can
    notes: a line for each thing that is not as in the source, or not as was asked for
    """

    settings: BlurFaces
    encoding: Encoding | None
    why_all_encoded: str | None
    notes: tuple[str, ...]


def settle(settings: BlurFaces, video: Video, target: Target) -> Settled:
    """Raises BadSetting where the target cannot hold what the settings name."""
    info, container_format = video.info, target.container_format
    decoder, notes = choose_decoder(info, settings.decoder)
    if container_format is None:
        only_covered = isinstance(target.form, AsPictures) and target.form.only_covered
        why = None if only_covered else f"{info.codec} becomes pictures"
        settled, encoding = settings.model_copy(update={"decoder": decoder}), None
    else:
        encoding = choose_encoding(video_info(info, settings.encoder.codec), settings.encoder, container_format)
        why = why_not_copied(info, video.index, container_format, encoding)
        settled = settings.model_copy(update={"encoder": encoding.settings, "decoder": decoder})
        notes = (*encoding.notes, *notes)
    return Settled(settled, encoding, why if settings.copy_untouched else "blur_faces.copy_untouched is off", notes)


def join(segments: Sequence[RenderedSegment], changed: Ints, source: Source, video: Video, written: Written, keep: Keys = ()) -> None:
    """Makes one whole of the segments, and of what else the source has, with the metadata that `keep` names.

    `changed` are the frames that do not stay as they are: raises ValueError where one of them was not encoded. Copies, and is quick enough
    never to be cached.
    """
    stretches = [each.stretch for segment in segments for each in segment.encoded]
    encoded = [np.arange(stretch.first, stretch.last + 1) for stretch in stretches]
    if len(missing := np.setdiff1d(changed, np.concatenate(encoded) if encoded else [])):
        raise ValueError(f"frame {missing[0]} has cover, and was not encoded")
    store = ObjectStore()
    pieces = [
        Piece(each.stretch.first, each.stretch.last, store.path(each.picture_ref)) for segment in segments for each in segment.encoded
    ]
    written.join(pieces, source, video.info, video.index, video.begins, keep)
