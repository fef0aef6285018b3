"""From a choice to a finished file: only what has to be is encoded, and what was written is checked."""

from __future__ import annotations

import numpy as np

from flows.job import Job
from flows.look_through import LookedThrough
from flows.report import Rendering
from flows.request import Request
from tasks.blur_faces import blur_faces, join, settle
from tasks.copying import stretches_of
from tasks.errors import BadOutput, BadVideo
from tasks.faces import Ints
from tasks.manifests import Choice, TrackSet
from tasks.marks import Marks
from tasks.results import ObjectRef, ObjectStore
from tasks.tracks import Cover
from tasks.verify_blur import verify_blur
from tasks.video.renumbering import SpliceError
from tasks.video.targets import Written


def render(job: Job, request: Request, looked: LookedThrough, tracks: TrackSet, choice: Choice, written: Written) -> Rendering:
    """Puts together what is to be `written`, and checks it. What the source's packets and ours do not make one stream of is all encoded."""
    video, plan = looked.video, request.plan
    settled = settle(plan.blur_faces, video, request.target)
    same = {"source": request.source.location, "video": video, "settings": settled.settings, "form": request.target.form}
    kept = video.model_copy(update={"info": video.info.without(plan.drop)})
    resized = [np.arange(first, last + 1) for first, last in video.resized]
    covered = [_changed_frames(*refs) for refs in zip(choice.cover_refs, choice.marks_refs, strict=True)]
    changed = np.unique(np.concatenate(covered + resized))

    def attempt(why_all_encoded: str | None) -> Rendering:
        stretches = stretches_of(looked.segments, video.index, changed, copying=why_all_encoded is None)
        num_encoded = sum(stretch.num_frames for each in stretches for stretch in each)
        parts = {"stretches": stretches, "cover_ref": choice.cover_refs, "marks_ref": choice.marks_refs}
        join(job.map(blur_faces, num_encoded, parts, **same), changed, request.source, kept, written, plan.keep_metadata)
        sha256 = written.content_hash()
        what = (written.location, sha256, video, tracks, choice, plan.find_faces, plan.verify_blur)
        check = job.run(verify_blur, video.info.num_frames, *what)
        return Rendering(sha256, check, video.info.num_frames - num_encoded, why_all_encoded, settled.encoding, settled.notes)

    try:
        return attempt(settled.why_all_encoded)
    except (BadVideo, BadOutput, SpliceError) as error:
        if settled.why_all_encoded or (isinstance(error, BadVideo) and error.subject == request.source.location):
            raise
        problem = error if isinstance(error, SpliceError) else error.problem
        return attempt(f"the source's packets and ours make no one stream ({problem})")


def _changed_frames(cover_ref: ObjectRef, marks_ref: ObjectRef | None) -> Ints:
    """The frames of a segment that do not stay as they are."""
    covers = [Cover.from_bytes(ObjectStore().get(cover_ref))]
    covers += [Marks.from_bytes(ObjectStore().get(marks_ref)).faces] if marks_ref else []
    return np.concatenate([cover.frames for cover in covers])
