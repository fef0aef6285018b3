"""Stage: who is covered, where and when."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.choosing import decisions_of, is_covered, marks_of, verdicts_of
from tasks.manifests import Choice, Photos, TrackSet, Video
from tasks.marks import Marks
from tasks.plan import ChoosePeople
from tasks.results import ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.selectors.verdicts import Evidence
from tasks.stage import stage
from tasks.tracks import Cover


@stage("choose_people")
def choose_people(
    video: Video, tracks: TrackSet, photos: Photos | None, segments: Sequence[Segment], settings: ChoosePeople, marked: bool = False
) -> Choice:
    """`marked`: for a video in which this is shown. Raises BadPick for a point that meets no face."""
    found = tracks.tracks
    evidence = Evidence(found, photos.embeddings if photos else {}, video.info, video.index, video.part)
    verdicts = verdicts_of(evidence, settings.selectors)
    covered = [number for number, verdict in enumerate(verdicts) if is_covered(verdict, settings.policy)]
    cover = Cover.from_tracks(found, covered)
    kept = Cover.from_tracks(found, [number for number in range(len(found)) if number not in covered])
    marks = marks_of(found, verdicts, settings.policy)
    return Choice(
        cover_refs=_by_segment("cover", cover, segments),
        kept_refs=_by_segment("cover", kept, segments),
        marks_refs=_by_segment("marks", marks, segments) if marked else (None,) * len(segments),
        decisions=tuple(decisions_of(found, verdicts, settings.policy, float(video.info.frame_rate))),
        num_covered_frames=cover.num_frames,
    )


def _by_segment(kind: str, whole: Cover | Marks, segments: Sequence[Segment]) -> tuple[ObjectRef, ...]:
    return tuple(ObjectStore().put(kind, whole.within(each.first, each.last).to_bytes()) for each in segments)
