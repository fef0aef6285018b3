"""The report of a run: what was done with whom, what to look at, what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from tasks.checking import Finding
from tasks.choosing import Decision
from tasks.manifests import BlurCheck, Choice, SegmentFaces, Shots
from tasks.method import Settings
from tasks.plan import Plan
from tasks.results import Manifest
from tasks.video.encoders import Encoding
from tasks.video.info import VideoInfo
from tasks.video.metadata import left_out


class StageRun(Settings):
    """What a stage took."""

    stage: str
    seconds: float
    num_parts: int
    num_cached: int
    """parts whose result was known already"""


class Rendering(NamedTuple):
    """A written file, and what was found in it."""

    sha256: str
    check: BlurCheck
    num_copied_frames: int
    why_all_encoded: str | None
    encoding: Encoding | None
    notes: tuple[str, ...]


class BlurReport(Manifest):
    """What was done, warnings first. With its `people` changed, it is an answer to them (see the selector `reviewed`)."""

    video: str
    """SHA-256 of the source, in hexadecimal"""
    warnings: tuple[str, ...]
    people: tuple[Decision, ...]
    """those that somebody should look at first"""
    findings: tuple[Finding, ...]
    """faces that the finished video still shows, or shows too well"""
    num_frames: int
    num_covered_frames: int
    num_copied_frames: int
    """whose packets are the source's own: no face was covered in their whole group of pictures"""
    why_all_encoded: str | None
    """why no packet of the source's picture could be copied; None where it could"""
    num_shots: int
    num_looks: int
    """frames whose whole picture was looked at"""
    looks_by_reason: dict[str, int]
    """why each look was taken, those near an expected face apart (see `tasks.samplers.looks`)"""
    num_checked_frames: int
    """frames of the finished video in which faces were looked for again"""
    left_out: tuple[str, ...]
    """what the source has and the result has not"""
    encoding: Encoding | None
    """how the picture was encoded (None: as pictures), and why it is not as in the source where it is not"""
    plan: Plan
    stages: tuple[StageRun, ...]


def make_report(
    info: VideoInfo,
    plan: Plan,
    shots: Shots,
    faces: Sequence[SegmentFaces],
    choice: Choice,
    rendering: Rendering,
    stages: Sequence[StageRun],
) -> BlurReport:
    check, kept = rendering.check, info.without(plan.drop)
    unsure = [decision for decision in choice.decisions if decision.unsure]
    warnings = ["this is for review only: it shows the faces that should be covered"] if plan.blur_faces.shows_faces else []
    # Of faces that are shown on purpose nothing is found out by recognising them.
    findings = tuple(each for each in check.findings if each.kind == "uncovered" or not plan.blur_faces.shows_faces)
    warnings += [f"{len(findings)} faces in the finished video should be looked at (see findings)"] if findings else []
    warnings += [f"{len(unsure)} people could not be told for sure and are blurred (see people)"] if unsure else []
    warnings += choice.notes
    warnings += info.warnings
    warnings += [f"{track.what} does not come through" for track in kept.lost]
    warnings += [] if choice.decisions else ["no face was found in the whole video"]
    warnings += [f"not as in the source: {note}" for note in rendering.notes]
    return BlurReport(
        video=info.content_hash,
        warnings=tuple(warnings),
        people=choice.decisions,
        findings=findings,
        num_frames=info.num_frames,
        num_covered_frames=choice.num_covered_frames,
        num_copied_frames=rendering.num_copied_frames,
        why_all_encoded=rendering.why_all_encoded,
        num_shots=len(shots.shots),
        num_looks=sum(each.num_looks for each in faces),
        looks_by_reason=dict(sum((Counter(each.reasons) for each in faces), Counter())),
        num_checked_frames=check.num_checked_frames,
        left_out=(*left_out(info.dropped, plan.keep_metadata), *_asked_for(info, kept)),
        encoding=rendering.encoding,
        plan=plan,
        stages=tuple(stages),
    )


def _asked_for(info: VideoInfo, kept: VideoInfo) -> list[str]:
    kinds = (("audio", info.audio), ("subtitle", info.subtitles))
    gone = [(kind, one) for kind, tracks in kinds for one in tracks if one.index not in kept.copied_streams]
    return [f"{kind} stream {one.index} ({one.codec}), as was asked for" for kind, one in gone]
