"""From verdicts to cover: the one place that decides what doubt means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from tasks.faces import Ints
from tasks.marks import Marks
from tasks.method import Settings
from tasks.selectors.overrides import Override
from tasks.selectors.time_and_place import Pick
from tasks.selectors.verdicts import Evidence, Selector, Then, Verdict
from tasks.tracks import Cover, Track
from tasks.video.info import VideoInfo
from tasks.video.parts import Part
from tasks.video.upright import boxes_to_upright, upright_size

Policy = Literal["blur_everyone", "blur_only", "keep_only", "ask"]

_MEANS: dict[Policy, Then] = {"blur_everyone": "cover", "blur_only": "cover", "keep_only": "keep", "ask": "keep"}
_NOBODY = Verdict("no match", None, None, "everyone is blurred")


class Decision(Settings):
    """What happens to a person, and why."""

    person: int
    """0, 1, 2, … in order of appearance"""
    called: str | None
    """the name that was given by hand"""
    decision: Literal["blurred", "kept", "partly blurred"]
    unsure: bool
    """whether somebody should look: some of it was decided by the policy's safe side"""
    name: str | None
    """of the known person that it is, or is most like"""
    distance: float | None
    """of the most alike track"""
    probability: float | None
    """that they are the one they are most like; None where nothing had to be inferred"""
    rival: int | None
    """the person who is as like that one, so that neither can be told"""
    reason: str
    seconds: float
    """on screen"""
    blurred_seconds: float
    """of them"""
    first_frame: int
    num_tracks: int
    at: tuple[Pick, ...]
    """a point on each of their tracks, by which a review knows them again"""


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What happens to a track.

    covered: (N,) bool, row i is at the track's frames[i]
    unsure: whether doubt decided
    verdict: the one that decided; where none did, the one that says most
    """

    covered: npt.NDArray[np.bool_]
    unsure: bool
    verdict: Verdict


def rulings_of(evidence: Evidence, policy: Policy, selectors: Sequence[Selector], overrides: Sequence[Override] = ()) -> list[Ruling]:
    """A ruling a track: by the selectors in order, then by the overrides in order; of both, later ones stand above earlier ones.

    Raises BadPick and BadSetting for whom they do not find.
    """
    said = [same_by_hand(selector.pick(evidence), evidence) for selector in selectors]
    meanings = [selector.then or _MEANS[policy] for selector in selectors]
    rulings = []
    for number, track in enumerate(evidence.tracks):
        verdicts = [(each[number].then or meaning, each[number]) for each, meaning in zip(said, meanings, strict=True)]
        covered, unsure, verdict = settle(policy, verdicts)
        rulings.append(Ruling(np.full(len(track.frames), covered), unsure, verdict))
    for override in overrides:
        rulings = [_overridden(ruling, rows, override) for ruling, rows in zip(rulings, override.rows(evidence), strict=True)]
    return rulings


def same_by_hand(verdicts: Sequence[Verdict], evidence: Evidence) -> list[Verdict]:
    """The verdicts, with tracks that are by hand one person's getting the surest of theirs.

    Whoever was only grouped with them is in doubt then: nobody said of those tracks whom they show.
    """
    rank = {"match": 0, "unsure": 1, "no match": 2}
    agreed = list(verdicts)
    for group in evidence.same_by_hand:
        best = min((verdicts[number] for number in group), key=lambda verdict: (rank[verdict.answer], _distance(verdict)))
        persons = {evidence.tracks[number].person for number in group}
        for number, track in enumerate(evidence.tracks):
            if track.person in persons and rank[agreed[number].answer] > rank[best.answer]:
                answer, how = (best.answer, "is by hand") if number in group else ("unsure", "was grouped with one who is by hand")
                agreed[number] = replace(
                    agreed[number], answer=answer, name=best.name, reason=f"{how} the same as one who {best.reason}", then=best.then
                )
    return agreed


def settle(policy: Policy, verdicts: Sequence[tuple[Then, Verdict]]) -> tuple[bool, bool, Verdict]:
    """Whether a track is covered, whether doubt decided that, and the verdict that did.

    Whom nobody means is kept under `blur_only` and covered else. Doubt only ever covers: a known person taken for a stranger leaks where
    they are to be covered, and a stranger taken for a known person where those are kept.
    """
    covered, unsure, told = policy != "blur_only", False, None
    for then, verdict in verdicts:
        if verdict.answer == "match":
            covered, unsure, told = then == "cover", False, verdict
        elif verdict.answer == "unsure" and covered is (then == "keep"):
            covered, unsure, told = True, True, verdict
    return covered, unsure, told or min((verdict for _, verdict in verdicts), key=_distance, default=_NOBODY)


def _distance(verdict: Verdict) -> float:
    return float("inf") if verdict.distance is None else verdict.distance


def _overridden(ruling: Ruling, rows: npt.NDArray[np.bool_], override: Override) -> Ruling:
    if not rows.any():
        return ruling
    covered = np.where(rows, override.then == "cover", ruling.covered)
    if rows.all():
        return Ruling(covered, False, replace(ruling.verdict, reason=str(override)))
    return Ruling(covered, ruling.unsure, replace(ruling.verdict, reason=f"{ruling.verdict.reason}; {override}"))


def cover_of(tracks: Sequence[Track], rulings: Sequence[Ruling], covered: bool) -> Cover:
    """The faces that are covered; or, where `covered` is False, those that are kept."""
    everyone = Cover.from_tracks(tracks, list(range(len(tracks))))
    rows = _covered_rows(tracks, rulings) == covered
    return Cover(everyone.frames[rows], everyone.boxes[rows], everyone.tracks[rows])


def marks_of(tracks: Sequence[Track], rulings: Sequence[Ruling]) -> Marks:
    """What a review video says of each track: the number that its person has in the report, what happens to it, and why.

    A track that is covered for a time only is told about twice: as it is covered, under its own number, and as it is kept, beyond all.
    """
    everyone = Cover.from_tracks(tracks, list(range(len(tracks))))
    faces = replace(everyone, tracks=np.where(_covered_rows(tracks, rulings), everyone.tracks, everyone.tracks + len(tracks)))
    captions = [
        f"#{track.person} {done}\n{ruling.verdict.reason}"
        + ("" if ruling.verdict.probability is None else f" ({ruling.verdict.probability:.1%})")
        for done in ("blurred", "kept")
        for track, ruling in zip(tracks, rulings, strict=True)
    ]
    told: Ints = np.arange(2 * len(tracks))
    return Marks(faces, told, told < len(tracks), np.array(captions, np.str_))


def _covered_rows(tracks: Sequence[Track], rulings: Sequence[Ruling]) -> npt.NDArray[np.bool_]:
    """(N,): of each row of the cover that all tracks together would be."""
    frames = np.concatenate([np.zeros(0, np.int64), *(track.frames for track in tracks)])
    owners = np.repeat(np.arange(len(tracks)), [len(track.frames) for track in tracks])
    covered = np.concatenate([np.zeros(0, np.bool_), *(ruling.covered for ruling in rulings)])
    return np.asarray(covered[np.lexsort((owners, frames))])


def decisions_of(evidence: Evidence, rulings: Sequence[Ruling]) -> list[Decision]:
    """A decision a person, those that somebody should look at first, then by seconds on screen."""
    by_person: dict[int, list[tuple[Track, Ruling]]] = {}
    for track, ruling in zip(evidence.tracks, rulings, strict=True):
        by_person.setdefault(track.person, []).append((track, ruling))
    decisions = [_decision(person, by_person[person], evidence) for person in sorted(by_person)]
    return sorted(decisions, key=lambda decision: (not decision.unsure, -decision.seconds))


def _decision(person: int, own: Sequence[tuple[Track, Ruling]], evidence: Evidence) -> Decision:
    covered = np.concatenate([ruling.covered for _, ruling in own])
    telling = min((ruling for _, ruling in own), key=lambda ruling: _distance(ruling.verdict)).verdict
    seen = [(track.frames >= track.first_seen) & (track.frames <= track.last_seen) for track, _ in own]
    rate = float(evidence.info.frame_rate)
    return Decision(
        person=person,
        called=evidence.names.get(person),
        decision="blurred" if covered.all() else "partly blurred" if covered.any() else "kept",
        unsure=any(ruling.unsure for _, ruling in own),
        name=telling.name,
        distance=telling.distance,
        probability=telling.probability,
        rival=next((ruling.verdict.rival for _, ruling in own if ruling.unsure and ruling.verdict.rival is not None), None),
        reason=telling.reason,
        seconds=round(sum(int(each.sum()) for each in seen) / rate, 2),
        blurred_seconds=round(sum(int((each & ruling.covered).sum()) for each, (_, ruling) in zip(seen, own, strict=True)) / rate, 2),
        first_frame=min(track.first_seen for track, _ in own),
        num_tracks=len(own),
        at=tuple(point_on(track, evidence.info, evidence.part) for track, _ in own),
    )


def point_on(track: Track, info: VideoInfo, part: Part | None = None) -> Pick:
    """Where to point to mean this track: the middle of its best face, as far as that is in the picture. Frames are counted in the whole."""
    before = 0 if part is None else part.first
    width, height = upright_size(*info.turn)
    left, top, right, bottom = np.clip(
        boxes_to_upright(track.boxes[track.best][None], *info.turn)[0], 0, [width, height, width, height]
    ).tolist()
    return Pick(frame=before + int(track.frames[track.best]), x=round((left + right) / 2, 1), y=round((top + bottom) / 2, 1))
