"""Who is in a video: for each person when they are seen, and where to point to pick them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from flows.lengths import clock
from tasks.faces import FaceBox
from tasks.method import Settings
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.upright import boxes_to_upright, upright_size

CLEAR = 0.2  # quality from which most people would recognise a face
Floats64 = npt.NDArray[np.float64]


class Appearance(Settings):
    """A stretch in which a person is seen, from the first to the last frame of it."""

    first_seconds: float
    last_seconds: float


class PickPoint(Settings):
    """What to point at to pick a person: seconds since the video's first frame, and pixels of the upright picture."""

    seconds: float
    x: int
    y: int


class UprightBox(Settings):
    """The face at the pick's time, in pixels of the upright picture; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float


class Person(Settings):
    """Tracks that show the same face."""

    id: int
    """as in the report of a run: 0, 1, 2, … in order of appearance"""
    label: str
    """what the page calls them: the name given by hand, or letters, so that they are not taken for the report's numbers"""
    seconds: float
    """on screen"""
    num_tracks: int
    """how often they are followed from coming into view to going out of it"""
    appearances: tuple[Appearance, ...]
    """in order; tracks without a frame between them are one"""
    pick: PickPoint
    at: str
    """the same pick as `veil blur --at` takes it"""
    box: UprightBox
    quality: float
    """0 to 1: how large, sharp and frontal the face is at best; a poor one is told from others badly, and may be listed more than once"""
    face: str
    """the picture's place in the folder"""


class People(Settings):
    """Everybody seen in a video: those seen well first, then those seen longest."""

    source: str
    """the name of the file or folder"""
    content_hash: str
    """SHA-256 of the file, in hexadecimal"""
    begins_seconds: float = 0.0
    """of a part of a video: how far into the whole it begins; all times are of the whole"""
    duration_seconds: float
    width: int
    """of the upright picture, pixels"""
    height: int
    persons: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class BestView:
    """The frame, and the place in it, where a person is seen best."""

    frame: int
    box: FaceBox
    """in pixels of the upright picture, and inside it"""
    quality: float


_NO_NAMES: Mapping[int, str] = {}


def people_of(
    tracks: Sequence[Track],
    source: str,
    info: VideoInfo,
    index: FrameIndex,
    begins_seconds: float = 0.0,
    names: Mapping[int, str] = _NO_NAMES,
) -> tuple[People, list[BestView]]:
    """The people, and for each of them, in the same order, where to see them best. `names` are those given by hand, by person."""
    by_person: dict[int, list[Track]] = {}
    for track in tracks:
        by_person.setdefault(track.person, []).append(track)
    free = (label for label in (f"Person {letters(place)}" for place in count()) if label not in names.values())
    starts = begins_seconds + np.append((index.pts - index.pts[0]) * float(info.time_base), info.duration_seconds)
    view_of = {number: best_view(of_person, info) for number, of_person in by_person.items()}
    in_order = sorted(
        by_person, key=lambda number: (view_of[number].quality < CLEAR, -_seconds(_stretches(by_person[number]), starts), number)
    )
    width, height = upright_size(*info.turn)
    people = People(
        source=source,
        content_hash=info.content_hash,
        begins_seconds=round(begins_seconds, 3),
        duration_seconds=round(info.duration_seconds, 3),
        width=width,
        height=height,
        persons=tuple(
            _person(number, (letters(place), names.get(number) or next(free)), by_person[number], view_of[number], starts)
            for place, number in enumerate(in_order)
        ),
    )
    return people, [view_of[number] for number in in_order]


def best_view(tracks: Sequence[Track], info: VideoInfo) -> BestView:
    """The best frame of the best track; the largest where all are as good, as they are without a recogniser."""
    track = max(tracks, key=lambda each: (each.quality, np.ptp(each.boxes[each.best].reshape(2, 2), axis=0).prod()))
    box = boxes_to_upright(track.boxes[track.best][None], *info.turn)[0]
    width, height = upright_size(*info.turn)
    return BestView(int(track.frames[track.best]), FaceBox(*map(float, np.clip(box, 0, [width, height, width, height]))), track.quality)


def _person(number: int, called: tuple[str, str], tracks: Sequence[Track], view: BestView, starts: Floats64) -> Person:
    """`called`: a letter for the picture, and a name; `starts`: (frames + 1,), when each frame appears, and when the last one ends."""
    letter, label = called
    stretches = _stretches(tracks)
    # The middle of the time that a frame is shown: rounded, it still is the same frame.
    pick = PickPoint(
        seconds=round(float(starts[view.frame] + starts[view.frame + 1]) / 2, 3),
        x=int((view.box.left + view.box.right) / 2),
        y=int((view.box.top + view.box.bottom) / 2),
    )
    return Person(
        id=number,
        label=label,
        seconds=round(_seconds(stretches, starts), 2),
        num_tracks=len(tracks),
        appearances=tuple(
            Appearance(first_seconds=round(float(starts[first]), 3), last_seconds=round(float(starts[last]), 3))
            for first, last in stretches
        ),
        pick=pick,
        at=f"{clock(pick.seconds)},{pick.x},{pick.y}",
        box=UprightBox(**{side: round(getattr(view.box, side), 1) for side in ("left", "top", "right", "bottom")}),
        quality=round(view.quality, 2),
        face=f"faces/person-{letter.lower()}.jpg",
    )


def _stretches(tracks: Sequence[Track]) -> list[tuple[int, int]]:
    """First and last frames in which the person was really seen; what touches, across a cut for instance, is one."""
    stretches: list[tuple[int, int]] = []
    for first, last in sorted((track.first_seen, track.last_seen) for track in tracks):
        if stretches and first <= stretches[-1][1] + 1:
            stretches[-1] = (stretches[-1][0], max(last, stretches[-1][1]))
        else:
            stretches.append((first, last))
    return stretches


def _seconds(stretches: Sequence[tuple[int, int]], starts: Floats64) -> float:
    return sum(float(starts[last + 1] - starts[first]) for first, last in stretches)


def letters(place: int) -> str:
    """As the columns of a spreadsheet.

    >>> letters(0), letters(25), letters(26)
    ('A', 'Z', 'AA')
    """
    before, letter = divmod(place, 26)
    return (letters(before - 1) if before else "") + chr(ord("A") + letter)
