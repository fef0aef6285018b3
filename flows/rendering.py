"""From a choice to a finished file: only what has to be is encoded, and what was written is checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flows.job import Job
from flows.look_through import LookedThrough
from flows.report import Rendering
from tasks.blur_faces import blur_faces, join, settle
from tasks.copying import stretches_of
from tasks.errors import BadVideo
from tasks.faces import Ints
from tasks.hashing import file_sha256
from tasks.manifests import Choice, TrackSet
from tasks.marks import Marks
from tasks.plan import Plan
from tasks.results import ObjectRef, ObjectStore
from tasks.tracks import Cover
from tasks.verify_blur import verify_blur
from tasks.video.join import container_format_of
from tasks.video.renumbering import SpliceError
from tasks.video.splicing import why_not_copied


def render(job: Job, source: Path, looked: LookedThrough, tracks: TrackSet, choice: Choice, plan: Plan, target: Path) -> Rendering:
    """Writes and checks `target`. What the source's packets and ours do not make one stream of is encoded as a whole."""
    video = looked.video
    changed = np.unique(np.concatenate([_changed_frames(*refs) for refs in zip(choice.cover_refs, choice.marks_refs, strict=True)]))

    def attempt(why_all_encoded: str | None) -> Rendering:
        stretches = stretches_of(looked.segments, video.index, changed, copying=why_all_encoded is None)
        num_encoded = sum(stretch.num_frames for each in stretches for stretch in each)
        parts = {"stretches": stretches, "cover_ref": choice.cover_refs, "marks_ref": choice.marks_refs}
        rendered = job.map(blur_faces, num_encoded, parts, source=source, video=video, settings=settings)
        join(rendered, source, video, target, plan.keep_metadata)
        sha256 = file_sha256(target)
        check = job.run(verify_blur, video.info.num_frames, target, sha256, video, tracks, choice, plan.find_faces, plan.verify_blur)
        return Rendering(sha256, check, video.info.num_frames - num_encoded, why_all_encoded, encoding, notes)

    settings, encoding, notes = settle(plan.blur_faces, video.info, target)
    why = why_not_copied(video.info, video.index, container_format_of(target), encoding)
    if not plan.blur_faces.copy_untouched:
        why = "blur_faces.copy_untouched is off"
    try:
        return attempt(why)
    except (BadVideo, SpliceError) as error:
        if why:
            raise
        problem = error.problem if isinstance(error, BadVideo) else error
        return attempt(f"the source's packets and ours did not play as one stream ({problem})")


def _changed_frames(cover_ref: ObjectRef, marks_ref: ObjectRef | None) -> Ints:
    """The frames of a segment that do not stay as they are."""
    covers = [Cover.from_bytes(ObjectStore().get(cover_ref))]
    covers += [Marks.from_bytes(ObjectStore().get(marks_ref)).faces] if marks_ref else []
    return np.concatenate([cover.frames for cover in covers])
