"""Stage: who is covered, where and when."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.advice import look_alikes, sides_wanted
from tasks.calibration import calibration_of
from tasks.choosing import cover_of, decisions_of, marks_of, rulings_of
from tasks.manifests import Choice, Photos, TrackSet, Video
from tasks.marks import Marks
from tasks.plan import ChoosePeople, Recogniser
from tasks.results import ObjectRef, ObjectStore
from tasks.segments import Segment
from tasks.selectors.verdicts import Evidence
from tasks.stage import stage
from tasks.tracks import Cover, fades_between


@stage("choose_people")
def choose_people(
    video: Video,
    tracks: TrackSet,
    photos: Photos | None,
    segments: Sequence[Segment],
    recogniser: Recogniser,
    settings: ChoosePeople,
    marked: bool = False,
) -> Choice:
    """`marked`: for a video in which this is shown.

    Raises BadPick for a point that meets no face, and BadSetting for a name that nobody has.
    """
    found = tracks.tracks
    known = photos.embeddings if photos else {}
    fades = fades_between([shot for segment in segments for shot in segment.shots])
    evidence = Evidence(
        found,
        known,
        video.info,
        video.index,
        video.part,
        tracks.names,
        tracks.same_by_hand,
        fades,
        calibration_of(recogniser.method),
        settings.strictness,
    )
    rulings = rulings_of(evidence, settings.policy, settings.selectors, settings.overrides)
    damaged = Cover.of_whole_pictures(video.damaged, video.info.width, video.info.height)
    cover = Cover.together([cover_of(found, rulings, covered=True), damaged])
    decisions = decisions_of(evidence, rulings)
    notes = [*(photos.notes if photos else ()), *look_alikes(decisions, tracks.names), *sides_wanted(found, rulings)]
    return Choice(
        cover_refs=_by_segment("cover", cover, segments),
        kept_refs=_by_segment("cover", cover_of(found, rulings, covered=False), segments),
        marks_refs=_by_segment("marks", marks_of(found, rulings), segments) if marked else (None,) * len(segments),
        decisions=tuple(decisions),
        num_covered_frames=cover.num_frames,
        notes=tuple(notes),
    )


def _by_segment(kind: str, whole: Cover | Marks, segments: Sequence[Segment]) -> tuple[ObjectRef, ...]:
    return tuple(ObjectStore().put(kind, whole.within(each.first, each.last).to_bytes()) for each in segments)
