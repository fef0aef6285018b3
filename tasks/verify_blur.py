"""Stage: the proof. Faces are looked for again in the file that was written."""

from __future__ import annotations

from contextlib import closing

import numpy as np

from tasks import progress
from tasks.checking import check, frames_to_check
from tasks.errors import BadVideo
from tasks.faces import Detections, Ints
from tasks.manifests import BlurCheck, Choice, SegmentFaces, TrackSet, Video
from tasks.places import source_of
from tasks.plan import FindFaces, VerifyBlur
from tasks.results import ObjectRef, ObjectStore
from tasks.stage import stage
from tasks.tracks import NOBODY, Cover
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.picture_folder import CONTAINER
from tasks.video.sources import Images


@stage("verify_blur", apart=("location",))
def verify_blur(
    location: str, sha256: str, video: Video, tracks: TrackSet, choice: Choice, looking: FindFaces, settings: VerifyBlur
) -> BlurCheck:
    """Decodes the whole written file, so that one that does not play to its end is found out, and looks at some frames of it."""
    store = ObjectStore()
    written = source_of(location)
    images = Images(frame_rate=video.info.frame_rate) if written.file is None else Images()
    info, index = written.probe(sha256, images)
    if not _same_times(info, index, video):
        problem = "does not have the source's frames at the source's times"
        raise BadVideo(location, problem, fix="choose a name that ends in .mp4 or .mov, whose clocks are as fine as the source's")
    cover = _all(store, choice.cover_refs)
    limits = (settings.sure_score, settings.same_face)
    checked = frames_to_check(len(index), settings.every_frames)
    kept = _with_places(_all(store, choice.kept_refs), video, tracks, np.array(checked))
    frames = progress.counted("verify_blur", written.frames(info, index, 0, len(index) - 1))
    with closing(frames), looking.load() as finder:
        some = ((number, frame) for number, frame in frames if number in checked)
        findings, missed = check(some, video.info, cover, kept, tracks.tracks, finder, limits)
    return BlurCheck(
        num_checked_frames=len(checked),
        findings=tuple(findings),
        missed=_kept(store, missed),
    )


def _same_times(info: VideoInfo, index: FrameIndex, video: Video) -> bool:
    """Whether the frames are those of the source, as far from one another as there, to a tick of the coarser clock."""
    if len(index) != video.info.num_frames:
        return False
    if info.container == CONTAINER:
        # Pictures in a folder have no times, only an order.
        return True
    written, wanted = (pts * float(time_base) for pts, time_base in ((index.pts, info.time_base), (video.index.pts, video.info.time_base)))
    difference = np.abs((written - written[0]) - (wanted - wanted[0]))
    return bool(difference.max() <= 1.001 * float(max(info.time_base, video.info.time_base)))


def _with_places(kept: Cover, video: Video, tracks: TrackSet, frames: Ints) -> Cover:
    """What stays visible, and at frames that are looked at also what is no face because somebody said so."""
    parts = [kept]
    for when, box in video.at_places(tracks.ignored, frames):
        there = frames[when]
        parts.append(Cover(there, np.tile(box, (len(there), 1)), np.full(len(there), NOBODY)))
    return Cover.together(parts)


def _all(store: ObjectStore, refs: tuple[ObjectRef, ...]) -> Cover:
    return Cover.concatenate([Cover.from_bytes(store.get(ref)) for ref in refs])


def _kept(store: ObjectStore, missed: Detections | None) -> SegmentFaces | None:
    if missed is None:
        return None
    return SegmentFaces(detections_ref=store.put("detections", missed.to_bytes()), num_looks=0, num_frames=0)
