"""The report of a run: what was done with whom, what to look at, what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tasks.checking import Finding
from tasks.choosing import Decision
from tasks.manifests import BlurCheck, Choice, SegmentFaces, Shots
from tasks.method import Settings
from tasks.plan import Plan
from tasks.results import Manifest
from tasks.video.info import VideoInfo


class StageRun(Settings):
    """What a stage took."""

    stage: str
    seconds: float
    num_parts: int
    num_cached: int
    """parts whose result was known already"""


class BlurReport(Manifest):
    """What was done, warnings first."""

    warnings: tuple[str, ...]
    people: tuple[Decision, ...]
    """those that somebody should look at first"""
    findings: tuple[Finding, ...]
    """faces that the finished video still shows, or shows too well"""
    num_frames: int
    num_covered_frames: int
    num_shots: int
    num_looks: int
    """frames whose whole picture was looked at"""
    looks_by_reason: dict[str, int]
    """why each look was taken, those near an expected face apart (see `tasks.samplers.looks`)"""
    num_checked_frames: int
    """frames of the finished video in which faces were looked for again"""
    left_out: tuple[str, ...]
    """what the source has and the result has not"""
    plan: Plan
    stages: tuple[StageRun, ...]


def make_report(
    info: VideoInfo, plan: Plan, shots: Shots, faces: Sequence[SegmentFaces], choice: Choice, check: BlurCheck, stages: Sequence[StageRun]
) -> BlurReport:
    unsure = [decision for decision in choice.decisions if decision.unsure]
    warnings = [f"{len(check.findings)} faces in the finished video should be looked at (see findings)"] if check.findings else []
    warnings += [f"{len(unsure)} people could not be told for sure and are blurred (see people)"] if unsure else []
    warnings += [] if choice.decisions else ["no face was found in the whole video"]
    return BlurReport(
        warnings=tuple(warnings),
        people=choice.decisions,
        findings=check.findings,
        num_frames=info.num_frames,
        num_covered_frames=choice.num_covered_frames,
        num_shots=len(shots.shots),
        num_looks=sum(each.num_looks for each in faces),
        looks_by_reason=dict(sum((Counter(each.reasons) for each in faces), Counter())),
        num_checked_frames=check.num_checked_frames,
        left_out=info.dropped,
        plan=plan,
        stages=tuple(stages),
    )
