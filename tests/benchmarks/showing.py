"""When faces show that must not: at the ends of their visits, in the middle of being covered; and who shows how much."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from tests.scoring import Comparison, FaceScore, leaks, percent, runs, score_faces

LEAD_FRAMES = 5  # so many first and last frames of a visit
FLICKER_SECONDS = 0.5
SHOWN_BELOW_SHARE = 0.5
"""Hidden less than that, a face shows: of a blurred one, now and then 0.7 is hidden, as some tiles resemble what is below them; of one that
the cover leaves out, 0.2 (see `tests.scoring`)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Of the faces that had to be covered, plain and hard ones together; percentages are None where there are none."""

    lead_in_percent: float | None
    """of the first frames of each visit, those that leak"""
    lead_out_percent: float | None
    """of the last ones"""
    flickers: dict[str, list[int]]
    """by person, frames in which the face shows while it was covered shortly before and is shortly after"""


@dataclass(frozen=True, slots=True)
class Person:
    """How one person fared."""

    must_cover: bool
    faces: int
    leak_percent: float | None
    leak_hard_percent: float | None
    leak_all_percent: float | None
    """plain and hard faces together"""
    longest_leak_frames: int
    lead_in_percent: float | None
    lead_out_percent: float | None
    flicker_frames: int
    over_blur_percent: float | None


def shown(compared: Comparison, must_cover: Callable[[str], bool], cuts: Sequence[int], frame_rate: float) -> Shown:
    """`cuts` are the first frames of new shots."""
    by_person = {person: faces for person, faces in faces_by_person(compared).items() if must_cover(person)}
    visits = [visit for faces in by_person.values() for visit in _visits(faces, cuts)]
    flickers = {person: flicker_frames(faces, cuts, frame_rate) for person, faces in by_person.items()}
    return Shown(
        lead_in_percent=_leaking(face for visit in visits for face in visit[:LEAD_FRAMES]),
        lead_out_percent=_leaking(face for visit in visits for face in visit[-LEAD_FRAMES:]),
        flickers={person: frames for person, frames in flickers.items() if frames},
    )


def score_people(compared: Comparison, must_cover: Callable[[str], bool], cuts: Sequence[int], frame_rate: float) -> dict[str, Person]:
    """By name, all who can be judged."""
    return {
        person: _person(replace(compared, faces=tuple(faces)), must_cover(person), cuts, frame_rate)
        for person, faces in faces_by_person(compared).items()
    }


def _person(compared: Comparison, covered: bool, cuts: Sequence[int], frame_rate: float) -> Person:
    score, told = score_faces(compared, lambda _: covered), shown(compared, lambda _: covered, cuts, frame_rate)
    return Person(
        must_cover=covered,
        faces=len(compared.faces),
        leak_percent=score.leak_percent,
        leak_hard_percent=score.leak_hard_percent,
        leak_all_percent=_leaking(compared.faces) if covered else None,
        longest_leak_frames=score.longest_leak_frames,
        lead_in_percent=told.lead_in_percent,
        lead_out_percent=told.lead_out_percent,
        flicker_frames=sum(map(len, told.flickers.values())),
        over_blur_percent=score.over_blur_percent,
    )


def faces_by_person(compared: Comparison) -> dict[str, list[FaceScore]]:
    """In order of frame."""
    found: dict[str, list[FaceScore]] = {}
    for face in compared.faces:
        found.setdefault(face.person, []).append(face)
    return found


def flicker_frames(faces: Sequence[FaceScore], cuts: Sequence[int], frame_rate: float) -> list[int]:
    """The frames in which one person's face shows though it is covered before and after, within one shot and half a second."""
    found: list[int] = []
    for _, shot in groupby(faces, lambda face: bisect_right(cuts, face.frame)):
        before: int | None = None
        shown: list[int] = []
        for face in shot:
            if face.hidden_share < SHOWN_BELOW_SHARE:
                shown.append(face.frame)
                continue
            if before is not None and face.frame - before <= FLICKER_SECONDS * frame_rate:
                found += shown
            before, shown = face.frame, []
    return found


def _visits(faces: Sequence[FaceScore], cuts: Sequence[int]) -> list[list[FaceScore]]:
    """One person's faces in runs of consecutive frames, none beyond a shot."""
    shots = [list(shot) for _, shot in groupby(faces, lambda face: bisect_right(cuts, face.frame))]
    return [[face for face in shot if first <= face.frame <= last] for shot in shots for first, last in runs([face.frame for face in shot])]


def _leaking(faces: Iterable[FaceScore]) -> float | None:
    leaking = [leaks(face) for face in faces]
    return percent(sum(leaking), len(leaking))
