"""Stage: a segment with its faces blurred, encoded; and the segments as one file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tasks import progress
from tasks.copying import Stretch
from tasks.covering import covered_frames
from tasks.manifests import EncodedStretch, RenderedSegment, Video
from tasks.marks import Marks
from tasks.plan import BlurFaces
from tasks.results import ObjectRef, ObjectStore
from tasks.stage import stage
from tasks.tracks import Cover
from tasks.video.encoders import Encoding, choose_encoding
from tasks.video.hardware import choose_decoder
from tasks.video.info import VideoInfo
from tasks.video.join import container_format_of, join_segments
from tasks.video.metadata import MetadataKey
from tasks.video.read import read_frames
from tasks.video.segments import Piece
from tasks.video.write import encode_segment


@stage("blur_faces")
def blur_faces(
    source: Path, video: Video, stretches: tuple[Stretch, ...], cover_ref: ObjectRef, marks_ref: ObjectRef | None, settings: BlurFaces
) -> RenderedSegment:
    """Decodes, blurs and encodes what of a segment is not copied, and draws marks over it if there are any.

    Each stretch is a file that refers to nothing outside.
    """
    store, info = ObjectStore(), video.info
    cover = Cover.from_bytes(store.get(cover_ref))
    marks = Marks.from_bytes(store.get(marks_ref)) if marks_ref else None
    encoded = []
    for stretch in stretches:
        frames = read_frames(source, info, video.index, stretch.first, stretch.last, settings.decoder)
        with closing(progress.counted("blur_faces", frames)) as shown, store.new_file("pictures") as (path, kept):
            own = cover.within(stretch.first, stretch.last)
            pictures = covered_frames(shown, own, settings.blur, info.rotation_degrees, marks, info.mirrored)
            encode_segment(pictures, info, settings.encoder, path)
        encoded.append(EncodedStretch(stretch=stretch, picture_ref=kept()))
    return RenderedSegment(encoded=tuple(encoded))


def settle(settings: BlurFaces, info: VideoInfo, target: Path) -> tuple[BlurFaces, Encoding, tuple[str, ...]]:
    """The settings with all decided that they leave to the source, the container and the machine; and how the picture is written.

    Third, a line for each thing that is not as in the source, or not as was asked for.
    """
    encoding = choose_encoding(info, settings.encoder, container_format_of(target))
    decoder, said = choose_decoder(info, settings.decoder)
    settled = settings.model_copy(update={"encoder": encoding.settings, "decoder": decoder})
    return settled, encoding, (*encoding.notes, *said)


def join(segments: Sequence[RenderedSegment], source: Path, video: Video, target: Path, keep: Sequence[MetadataKey] = ()) -> None:
    """Writes the segments, with the source's sound and subtitles and the metadata that `keep` names, to `target`.

    Copies packets: quick enough never to be cached.
    """
    store = ObjectStore()
    pieces = [
        Piece(each.stretch.first, each.stretch.last, store.path(each.picture_ref)) for segment in segments for each in segment.encoded
    ]
    join_segments(pieces, source, video.info, video.index, target, whole=video.whole, keep=keep)
