"""What is said of photos and of people who cannot be told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tasks.advice import look_alikes, photos_apart, sides_wanted
from tasks.calibration import calibration_of
from tasks.choosing import Decision, Ruling
from tasks.selectors.verdicts import Verdict
from tests.fakes import face, still

CALIBRATION = calibration_of("faceres")


def apart(*photos: tuple[str, tuple[float, ...]]) -> list[str]:
    files = [(name, Path(f"{name}/{number}.jpg")) for number, (name, _) in enumerate(photos)]
    return photos_apart(files, [np.array(embedding, np.float32) for _, embedding in photos], CALIBRATION)


PHOTOS = [
    ([("anna", face(0))], []),
    ([("anna", face(0)), ("anna", face(0, 0.5))], []),  # another light, another year
    ([("anna", face(0)), ("bert", face(1))], []),  # two people under two names
    ([("anna", face(0)), ("anna", face(1))], ["number 1, 2"]),  # either may be the wrong one
    ([("anna", face(0)), ("anna", face(0, 0.4)), ("anna", face(2))], ["number 3"]),  # the one that is like no other
]


@pytest.mark.parametrize(("photos", "named"), PHOTOS)
def test_photos_that_do_not_show_one_person(photos, named) -> None:
    lines = apart(*photos)
    assert [line.partition("look at ")[2] for line in lines] == named
    assert all("anna" in line for line in lines)


def ruling(unsure: bool, name: str | None = "anna") -> Ruling:
    return Ruling(np.ones(10, np.bool_), unsure, Verdict("unsure" if unsure else "match", name, 0.6, "may be anna", 0.5))


SIDES = [
    ([(0.1, True)], True),
    ([(0.1, True), (0.9, False)], True),  # from the front she is told
    ([(0.1, True), (0.9, True)], False),  # in doubt from the front as well: a photo from the side would not tell
    ([(0.1, False)], False),
]


@pytest.mark.parametrize(("seen", "wanted"), SIDES)
def test_a_photo_from_the_side_is_asked_for(seen, wanted) -> None:
    tracks = [still(0, 9, embedding=face(0), frontality=frontality) for frontality, _ in seen]
    lines = sides_wanted(tracks, [ruling(unsure) for _, unsure in seen])
    assert bool(lines) is wanted
    assert all("a photo of anna from the side" in line for line in lines)


def decision(person: int, unsure: bool, rival: int | None) -> Decision:
    done = "blurred" if unsure else "kept"
    told = {"reason": "", "seconds": 1.0, "blurred_seconds": 1.0, "first_frame": 0, "num_tracks": 1, "at": ()}
    return Decision(
        person=person,
        called=None,
        decision=done,
        unsure=unsure,
        name="anna",
        distance=0.6,
        probability=0.5 if unsure else 0.99,
        rival=rival,
        **told,
    )


ALIKE = [
    (
        [decision(0, True, 2), decision(2, True, 0)],
        ["cannot tell person 0 (Anna) from person 2: both look like anna, and both are blurred"],
    ),
    (
        [decision(0, False, None), decision(2, True, 0)],
        ["cannot tell person 2 from person 0 (Anna), who looks more like anna: person 2 is blurred"],
    ),
    ([decision(0, False, 2), decision(2, False, 0)], []),
    ([decision(0, True, None)], []),
]


@pytest.mark.parametrize(("decisions", "lines"), ALIKE)
def test_look_alikes_are_named(decisions, lines) -> None:
    assert look_alikes(decisions, {0: "Anna"}) == lines
