"""Who was asked for: by photos, and by pointing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tasks.errors import BadPick
from tasks.selectors.everyone import Everyone
from tasks.selectors.known_faces import KnownFaces
from tasks.selectors.reviewed import Answer, Reviewed
from tasks.selectors.time_and_place import Pick, TimeAndPlace
from tasks.selectors.verdicts import Evidence
from tests.fakes import NO_EMBEDDING, frame_index, square, still, video_info

PHOTOS = {"anna": np.array([[0.0, 0.0], [0.0, 0.3]], np.float32), "bert": np.array([[2.0, 0.0]], np.float32)}


def answers(tracks, references=PHOTOS, fades=()):
    settings = KnownFaces(photos=("a",), match=0.5, likely=0.56, margin=0.06, no_match=0.62)
    return [verdict.answer for verdict in settings.compare(tracks, references, fades)]


def at(x: float, first: int = 0, person: int = 0, **others):
    return still(first, first + 9, embedding=(x, 0.0), person=person, **others)


LIKENESS = [
    ([at(0.3)], ["match"]),
    ([at(0.5)], ["match"]),  # as far as it may be
    ([at(0.55)], ["unsure"]),  # likely, but nobody is there to compare with
    ([at(0.55), at(0.9, first=20, person=1)], ["match", "no match"]),  # likely, and everybody else is further away
    ([at(0.55), at(0.58, first=20, person=1)], ["unsure", "unsure"]),  # likely, but somebody else nearly as well
    ([at(0.58)], ["unsure"]),
    ([at(0.7)], ["no match"]),
    # Where nobody matches, those who come nearest may be who was asked for.
    ([at(0.63)], ["unsure"]),
    ([at(0.63), at(0.66, first=20, person=1), at(0.72, first=40, person=2)], ["unsure", "unsure", "no match"]),
    ([at(0.59), at(0.66, first=20, person=1)], ["unsure", "no match"]),  # further away than the nearest by more than the margin
    ([at(0.69), at(0.9, first=20, person=1)], ["no match", "no match"]),  # too far away, though the nearest
    ([at(1.6), at(0.63, first=20, person=1)], ["match", "no match"]),  # who was asked for is there
    ([at(1.6)], ["match"]),  # the other photo
    ([still(0, 9, embedding=NO_EMBEDDING)], ["unsure"]),  # never seen well enough
    # A person's other tracks speak for a track that is unsure, for or against.
    ([at(0.1), at(0.55, first=20)], ["match", "match"]),
    ([at(0.9), at(0.58, first=20)], ["no match", "unsure"]),
    # Of two at the same time, who is less like it is unsure.
    ([at(0.1), at(0.4, person=1)], ["match", "unsure"]),
    ([at(0.4), at(0.1, person=1)], ["unsure", "match"]),
    ([at(0.1), at(0.4, first=20, person=1)], ["match", "match"]),  # not at the same time
    ([at(0.1), at(1.7, person=1)], ["match", "match"]),  # of two names
    ([at(0.1), at(0.55, person=1)], ["match", "unsure"]),  # was so before
]


@pytest.mark.parametrize(("tracks", "expected"), LIKENESS)
def test_likeness(tracks, expected) -> None:
    assert answers(tracks) == expected


@pytest.mark.parametrize(
    ("fades", "expected"),
    [
        ([], ["match", "unsure"]),
        ([(6, 12)], ["match", "match"]),  # one goes and the other comes: it may be the same face in both shots
        ([(0, 5), (6, 12)], ["match", "match"]),  # of several, one that holds all that is seen of both
        ([(8, 12)], ["match", "unsure"]),  # together before it as well
        ([(0, 8)], ["match", "unsure"]),  # and after it
    ],
)
def test_a_face_may_be_seen_twice_in_a_fade(fades, expected) -> None:
    assert answers([at(0.1), at(0.4, first=6, person=1)], fades=fades) == expected


def test_verdicts_say_who_and_how_like() -> None:
    (verdict,) = KnownFaces(photos=("a",)).compare([at(1.7)], PHOTOS)
    assert (verdict.name, verdict.distance) == ("bert", pytest.approx(0.3))


MARGINS = [
    ([at(0.3)], [pytest.approx(1.4)]),  # to the other name: bert is at 2
    ([at(0.3), at(0.9, first=20, person=1)], [pytest.approx(0.6), pytest.approx(-0.6)]),  # somebody else is nearer to anna than the second
    ([still(0, 9, embedding=NO_EMBEDDING)], [None]),
]


@pytest.mark.parametrize(("tracks", "expected"), MARGINS)
def test_verdicts_say_by_how_much_the_next_one_is_further_away(tracks, expected) -> None:
    assert [verdict.margin for verdict in KnownFaces(photos=("a",)).compare(tracks, PHOTOS)] == expected


def test_a_single_face_and_a_single_name_have_no_next_one() -> None:
    assert KnownFaces(photos=("a",)).compare([at(0.3)], {"anna": PHOTOS["anna"]})[0].margin is None


def test_the_order_of_tracks_does_not_matter() -> None:
    """Seen one after another, each beside the next: the second is nearer than the first, the third nearer than the second."""
    chain = [still(0, 10, embedding=(0.4, 0)), still(5, 25, embedding=(0.3, 0), person=1), still(20, 30, embedding=(0.1, 0), person=2)]
    forwards, mixed = answers(chain), answers([chain[1], chain[0], chain[2]])
    assert forwards == [mixed[1], mixed[0], mixed[2]]


def test_a_rival_may_be_seen_once() -> None:
    assert answers([at(0.1), still(5, 5, embedding=(0.4, 0.0), person=1)]) == ["match", "unsure"]


def test_an_entry_compares_with_its_own_photos() -> None:
    tracks = (at(0.1), at(1.9, person=1))
    told = Evidence(tracks, PHOTOS, INFO, frame_index(INFO))
    assert [verdict.answer for verdict in KnownFaces(photos=("a",), names=("anna",)).pick(told)] == ["match", "no match"]
    assert [verdict.answer for verdict in KnownFaces(photos=("a",)).pick(told)] == ["match", "match"]


def test_an_entry_knows_of_fades() -> None:
    told = Evidence((at(0.1), at(0.4, first=6, person=1)), PHOTOS, INFO, frame_index(INFO), fades=[(6, 12)])
    assert [verdict.answer for verdict in KnownFaces(photos=("a",)).pick(told)] == ["match", "match"]


# time and place

INFO = video_info()


def evidence(*tracks, info=INFO) -> Evidence:
    return Evidence(tracks, PHOTOS, info, frame_index(info))


ANNA = still(10, 29, square(100, 100, 40), embedding=(0.0, 0.0))
ANNA_AGAIN = still(60, 79, square(300, 100, 40), embedding=(0.1, 0.0))
BERT = still(10, 29, square(130, 100, 40), embedding=(2.0, 0.0), person=1)
UNKNOWN = still(40, 49, square(100, 100, 40), embedding=NO_EMBEDDING, person=2)
ALL = (ANNA, ANNA_AGAIN, BERT, UNKNOWN)

PICKS = [
    ([Pick(frame=15, x=95, y=100)], ["match", "match", "no match", "unsure"]),
    ([Pick(seconds=0.6, x=95, y=100)], ["match", "match", "no match", "unsure"]),
    ([Pick(frame=15, x=114, y=100)], ["match", "match", "no match", "unsure"]),  # in both boxes, nearer to the first
    ([Pick(frame=15, x=116, y=100)], ["no match", "no match", "match", "unsure"]),  # nearer to the second
    ([Pick(frame=15, x=80, y=80)], ["match", "match", "no match", "unsure"]),  # the very corner is inside
    ([Pick(frame=15, x=95, y=100), Pick(frame=15, x=140, y=100)], ["match", "match", "match", "unsure"]),
    ([Pick(frame=45, x=100, y=100)], ["unsure", "unsure", "unsure", "match"]),  # nothing is known of the face: others may be it
]


@pytest.mark.parametrize(("picks", "expected"), PICKS)
def test_whoever_is_there_then_is_meant(picks, expected) -> None:
    assert [verdict.answer for verdict in TimeAndPlace(picks=tuple(picks)).pick(evidence(*ALL))] == expected


def test_whoever_is_beside_an_unknown_face_is_another() -> None:
    verdicts = TimeAndPlace(picks=(Pick(frame=45, x=100, y=100),)).pick(evidence(UNKNOWN, still(40, 49, square(300, 100, 40))))
    assert [verdict.answer for verdict in verdicts] == ["match", "no match"]


MISSED = [
    (Pick(frame=15, x=400, y=300), ["(400, 300) at frame 15", "no face is there", "(100, 100), (130, 100)"]),  # who is near, from the left
    (Pick(frame=15, x=150, y=100), ["no face is there"]),  # the right side is outside
    (Pick(frame=55, x=100, y=100), ["no face is in that frame at all"]),
    (Pick(frame=100, x=100, y=100), ["beyond the video's end", "4.00 s", "frame 100"]),
    (Pick(seconds=4, x=100, y=100), ["at 4 s", "beyond the video's end"]),
]


@pytest.mark.parametrize(("pick", "words"), MISSED)
def test_a_point_that_meets_nobody(pick, words) -> None:
    with pytest.raises(BadPick) as caught:
        TimeAndPlace(picks=(pick,)).pick(evidence(*ALL))
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("rotation_degrees", "mirrored", "x", "y"),
    [
        (0, False, 100, 50),
        (90, False, 360 - 50, 100),
        (180, False, 640 - 100, 360 - 50),
        (270, False, 50, 640 - 100),
        (0, True, 640 - 100, 50),
        (90, True, 50, 100),
    ],
)
def test_points_are_on_the_upright_picture(rotation_degrees, mirrored, x, y) -> None:
    """The face is at (100, 50) of the decoded picture, 640x360."""
    face = still(0, 9, square(100, 50, 40))
    pick = TimeAndPlace(picks=(Pick(frame=5, x=x, y=y),))
    (verdict,) = pick.pick(evidence(face, info=video_info(rotation_degrees=rotation_degrees, mirrored=mirrored)))
    assert verdict.answer == "match"


COARSE = video_info(time_base=Fraction(1, 25))  # AVI counts frames
TIMES = [
    (INFO, 0, 0),
    (INFO, 0.039, 0),  # shown until 0.04 s
    (INFO, 0.04, 1),
    (INFO, 3.999, 99),
    (video_info(frame_rate=Fraction(24000, 1001), time_base=Fraction(1, 24000)), 1.001, 24),
    (COARSE, 0.04, 1),
    (COARSE, 0.01, 0),
    pytest.param(COARSE, 0.03, 0),
]


@pytest.mark.parametrize(("info", "seconds", "frame"), TIMES)
def test_the_frame_that_is_shown_then(info, seconds, frame) -> None:
    for first_pts in (0, 5000):  # a video's first frame need not be at pts 0
        assert TimeAndPlace(picks=(Pick(seconds=seconds, x=0, y=0),)).frames(info, frame_index(info, first_pts)) == [frame]


# Reviewed

OF_ANNA, OF_BERT = Pick(frame=20, x=100, y=100), Pick(frame=20, x=130, y=100)
ANNA_LATER = Pick(frame=70, x=300, y=100)

REVIEWS = [
    ([(0, "keep", [OF_ANNA, ANNA_LATER])], [("match", "keep"), ("match", "keep"), ("no match", None), ("no match", None)]),
    ([(0, "keep", [OF_ANNA])], [("match", "keep"), ("unsure", "keep"), ("no match", None), ("no match", None)]),  # joined her since
    ([(0, "cover", [OF_ANNA])], [("match", "cover"), ("match", "cover"), ("no match", None), ("no match", None)]),  # wherever she is seen
    (
        [(7, "keep", [OF_BERT])],
        [("no match", None), ("no match", None), ("match", "keep"), ("no match", None)],
    ),  # the number is not asked for
    (
        [(0, "cover", [OF_ANNA, Pick(frame=500, x=9, y=9)])],
        [("match", "cover"), ("match", "cover"), ("no match", None), ("no match", None)],
    ),
    ([(0, "cover", [Pick(frame=500, x=9, y=9)])], [("no match", None)] * 4),  # of a part of the video that is not worked on
    # Of two answers about one face, the one that covers.
    ([(0, "cover", [OF_ANNA]), (1, "keep", [OF_ANNA])], [("match", "cover"), ("match", "cover"), ("no match", None), ("no match", None)]),
    (
        [(0, "keep", [OF_ANNA]), (1, "cover", [ANNA_LATER])],
        [("match", "cover"), ("match", "cover"), ("no match", None), ("no match", None)],
    ),
]


@pytest.mark.parametrize(("answers", "expected"), REVIEWS)
def test_a_review_holds_for_the_faces_that_it_was_made_of(answers, expected) -> None:
    selector = Reviewed(answers=tuple(Answer(person=person, then=then, at=tuple(points)) for person, then, points in answers))
    verdicts = selector.pick(evidence(*ALL))
    assert [(verdict.answer, verdict.then) for verdict in verdicts] == expected


def test_an_answer_about_a_face_that_is_gone() -> None:
    with pytest.raises(BadPick, match=r"no face is there; point at one of the faces in that frame: \(100, 100\), \(130, 100\)"):
        Reviewed(answers=(Answer(person=0, then="keep", at=(Pick(frame=20, x=400, y=100),)),)).pick(evidence(*ALL))


@pytest.mark.parametrize("said", [{}, {"file": "a.json", "answers": (Answer(person=0, then="keep", at=(OF_ANNA,)),)}])
def test_a_review_has_one_source(said) -> None:
    with pytest.raises(ValueError, match="give either a file or answers"):
        Reviewed(**said)


CONTRACT = [KnownFaces(photos=("a",)), TimeAndPlace(picks=(Pick(frame=15, x=95, y=100),))]
CONTRACT += [Everyone(), Reviewed(answers=(Answer(person=0, then="keep", at=(OF_ANNA,)),))]


@pytest.mark.parametrize("selector", CONTRACT, ids=lambda selector: selector.method)
def test_a_selector_says_something_of_each_track(selector) -> None:
    verdicts = selector.pick(evidence(*ALL))
    assert len(verdicts) == len(ALL)
    assert all(verdict.answer in ("match", "unsure", "no match") and verdict.reason for verdict in verdicts)
