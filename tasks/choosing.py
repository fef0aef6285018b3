"""From verdicts to cover: the one place that decides what doubt means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tasks.marks import Marks
from tasks.method import Settings
from tasks.selectors.verdicts import Evidence, Selector, Verdict
from tasks.tracks import Cover, Track

Policy = Literal["blur_everyone", "blur_only", "keep_only"]


class Decision(Settings):
    """What happens to a person, and why."""

    person: int
    """0, 1, 2, … in order of appearance"""
    decision: Literal["blurred", "kept", "partly blurred"]
    unsure: bool
    """whether somebody should look: some of it was decided by the policy's safe side"""
    name: str | None
    """of the known person that it is, or is most like"""
    distance: float | None
    """of the most alike track"""
    reason: str
    seconds: float
    """on screen"""
    first_frame: int
    num_tracks: int


def verdicts_of(evidence: Evidence, selectors: Sequence[Selector]) -> list[Verdict]:
    """The verdict on each track: the surest of the selectors' that anybody who was asked for is seen."""
    nobody = Verdict("no match", None, None, "everyone is blurred")
    rank = {"match": 0, "unsure": 1, "no match": 2}
    said = [selector.pick(evidence) for selector in selectors]
    return (
        [min(each, key=lambda verdict: rank[verdict.answer]) for each in zip(*said, strict=True)]
        if said
        else [nobody] * len(evidence.tracks)
    )


def is_covered(verdict: Verdict, policy: Policy) -> bool:
    """Doubt is blurred under every policy: a stranger taken for a known person leaks, and so does a known person taken for a stranger."""
    match policy:
        case "blur_everyone":
            return True
        case "blur_only":
            return verdict.answer != "no match"
        case "keep_only":
            return verdict.answer != "match"


def decisions_of(tracks: Sequence[Track], verdicts: Sequence[Verdict], policy: Policy, frame_rate: float) -> list[Decision]:
    """A decision a person, those that somebody should look at first, then by seconds on screen."""
    decisions = [_decision(person, tracks, verdicts, policy, frame_rate) for person in sorted({track.person for track in tracks})]
    return sorted(decisions, key=lambda decision: (not decision.unsure, -decision.seconds))


def marks_of(tracks: Sequence[Track], verdicts: Sequence[Verdict], policy: Policy) -> Marks:
    """What a review video says of each track: the number that its person has in the report, what happens to it, and why."""
    covered = np.array([is_covered(verdict, policy) for verdict in verdicts], np.bool_)
    captions = [
        f"#{track.person} {'blurred' if blurred else 'kept'}\n{verdict.reason}"
        + ("" if verdict.distance is None else f" ({verdict.distance:.2f})")
        for track, verdict, blurred in zip(tracks, verdicts, covered, strict=True)
    ]
    everyone = list(range(len(tracks)))
    return Marks(Cover.from_tracks(tracks, everyone), np.array(everyone, np.int64), covered, np.array(captions, np.str_))


def _decision(person: int, tracks: Sequence[Track], verdicts: Sequence[Verdict], policy: Policy, frame_rate: float) -> Decision:
    of_person = [(track, verdict) for track, verdict in zip(tracks, verdicts, strict=True) if track.person == person]
    covered = [is_covered(verdict, policy) for _, verdict in of_person]
    telling = min((verdict for _, verdict in of_person), key=lambda verdict: float("inf") if verdict.distance is None else verdict.distance)
    return Decision(
        person=person,
        decision="blurred" if all(covered) else "partly blurred" if any(covered) else "kept",
        unsure=policy != "blur_everyone" and any(verdict.answer == "unsure" for _, verdict in of_person),
        name=telling.name,
        distance=telling.distance,
        reason=telling.reason,
        seconds=round(sum(track.last_seen - track.first_seen + 1 for track, _ in of_person) / frame_rate, 2),
        first_frame=min(track.first_seen for track, _ in of_person),
        num_tracks=len(of_person),
    )
