"""Stage: faces followed on the pictures, beyond their first and last detection and into what is long between two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, nullcontext

import av

from tasks import progress
from tasks.faces import Detections, Floats
from tasks.finder import Finder
from tasks.following import Neighbours, Wanted, follow_through, looks_again, stretches_of, wanted_in
from tasks.manifests import Followed, SegmentFaces, Shots, Video
from tasks.places import source_of
from tasks.plan import FindFaces, FollowFaces, Linker
from tasks.results import ObjectStore
from tasks.samplers.looks import Look
from tasks.stage import stage
from tasks.trails import Trail, trails_to_bytes
from tasks.video.info import VideoInfo


@stage("follow_faces")
def follow_faces(
    source: str, video: Video, shots: Shots, faces: SegmentFaces, linker: Linker, looking: FindFaces, settings: FollowFaces
) -> Followed:
    """Reads only the frames that are needed, forwards, and keeps as many small grey ones as a face is followed back.

    Where a face was not seen for long between two detections, it is looked for again in passing.
    """
    found = faces.detections
    most_frames = round(settings.most_seconds * float(video.info.frame_rate))
    wanted: list[Wanted] = []
    looks: list[Look] = []
    neighbours: list[Neighbours] = []
    for shot in shots.shots if most_frames else ():
        inside = found.within(shot.first, shot.last)
        chains = linker.chains(inside)
        of_shot = wanted_in(inside, chains, shot, most_frames, settings.longest_gap_frames)
        wanted += [each._replace(shot=len(neighbours)) for each in of_shot]
        neighbours.append(Neighbours(inside, chains))
        if settings.again_every_frames:
            looks += looks_again(inside, chains, neighbours[-1], settings.longest_gap_frames, settings.again_every_frames)

    def others(each: Wanted, frame: int) -> Floats:
        return neighbours[each.shot].at(frame, each.chain)

    trails: list[Trail] = []
    started: list[Future[Detections]] = []
    opened = source_of(source)
    with looking.load() if looks else nullcontext() as finder:
        for first, last in stretches_of(wanted, settings.least_apart_frames):
            inside_stretch = [each for each in wanted if first <= each.start.frame <= last]
            with closing(progress.counted("follow_faces", video.frames(opened, first, last))) as frames:
                passing = _looked_at(frames, looks, finder, video.info, started) if finder else frames
                trails += follow_through(passing, inside_stretch, others)
        again = [each.result() for each in started]
    store = ObjectStore()
    return Followed(trails_ref=store.put("trails", trails_to_bytes(trails)), found=_kept(store, [each for each in again if len(each)]))


def _looked_at(
    frames: Iterable[tuple[int, av.VideoFrame]], looks: Sequence[Look], finder: Finder, info: VideoInfo, started: list[Future[Detections]]
) -> Iterator[tuple[int, av.VideoFrame]]:
    """The same frames; looks at them are begun in passing."""
    by_frame: defaultdict[int, list[Look]] = defaultdict(list)
    for look in looks:
        by_frame[look.frame].append(look)
    for number, frame in frames:
        started += [finder.start(look, frame, info) for look in by_frame[number]]
        yield number, frame


def _kept(store: ObjectStore, found: Sequence[Detections]) -> SegmentFaces | None:
    if not found:
        return None
    detections = Detections.concatenate(found)
    reasons = {"again near": len(detections)}
    return SegmentFaces(detections_ref=store.put("detections", detections.to_bytes()), num_looks=0, num_frames=0, reasons=reasons)
