"""Stage: faces followed on the pictures, beyond their first and last detection and into what is long between two."""

from __future__ import annotations

from contextlib import closing

from tasks import progress
from tasks.faces import Floats
from tasks.following import Neighbours, Wanted, follow_through, stretches_of, wanted_in
from tasks.manifests import Followed, SegmentFaces, Shots, Video
from tasks.places import source_of
from tasks.plan import FollowFaces, Linker
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.trails import Trail, trails_to_bytes


@stage("follow_faces")
def follow_faces(source: str, video: Video, shots: Shots, faces: SegmentFaces, linker: Linker, settings: FollowFaces) -> Followed:
    """Reads only the frames that are needed, forwards, and keeps as many small grey ones as a face is followed back."""
    info, found = video.info, faces.detections
    most_frames = round(settings.most_seconds * float(info.frame_rate))
    wanted: list[Wanted] = []
    neighbours: list[Neighbours] = []
    for shot in shots.shots if most_frames and len(found) else ():
        inside = found.within(shot.first, shot.last)
        chains = linker.chains(inside)
        of_shot = wanted_in(inside, chains, shot, most_frames, settings.longest_gap_frames)
        wanted += [each._replace(shot=len(neighbours)) for each in of_shot]
        neighbours.append(Neighbours(inside, chains))

    def others(each: Wanted, frame: int) -> Floats:
        return neighbours[each.shot].at(frame, each.chain)

    trails: list[Trail] = []
    opened = source_of(source)
    for first, last in stretches_of(wanted, settings.least_apart_frames):
        inside_stretch = [each for each in wanted if first <= each.start.frame <= last]
        with closing(progress.counted("follow_faces", video.frames(opened, first, last))) as frames:
            trails += follow_through(frames, inside_stretch, others)
    return Followed(trails_ref=ObjectStore().put("trails", trails_to_bytes(trails)))
