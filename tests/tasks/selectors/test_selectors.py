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
from tests.fakes import face, frame_index, square, still, video_info

PHOTOS = {"anna": np.array([face(0)], np.float32), "bert": np.array([face(1)], np.float32)}
INFO = video_info()
POOR = 0.05
UNKNOWN = (float("nan"),) * 8


def verdicts(tracks, photos=PHOTOS, **others):
    return KnownFaces(photos=("a",)).pick(Evidence(tracks, photos, INFO, frame_index(INFO), **others))


def answers(tracks, names=("anna",), **others):
    return [verdict.answer for verdict in verdicts(tracks, {name: PHOTOS[name] for name in names}, **others)]


def at(off: float, first: int = 0, person: int = 0, toward: int = 7, **others):
    """Somebody so far from anna's photo."""
    return still(first, first + 9, embedding=face(0, off, toward), person=person, **others)


LIKENESS = [
    ([at(0.0)], ["match"]),
    ([at(0.55)], ["match"]),  # as far as one's own photo often is
    ([at(0.65)], ["unsure"]),
    ([at(0.84)], ["no match"]),  # a stranger
    ([at(0.75, quality=POOR)], ["unsure"]),  # as near as a poor look at anna would be, and nearer than most strangers
    ([at(0.0), at(0.84, first=20, person=1)], ["match", "no match"]),
    # A name is one person: who is hardly less like it makes both doubtful, who is much less like it neither.
    ([at(0.6, toward=6), at(0.6, first=20, person=1)], ["unsure", "unsure"]),
    ([at(0.3), at(0.8, first=20, person=1, toward=6)], ["match", "no match"]),
    ([at(0.3), at(0.6, first=20, person=1, toward=6)], ["match", "unsure"]),
    # People who are seen at once are two, however alike.
    ([at(0.3), at(0.6, person=1, toward=6)], ["match", "no match"]),
    ([at(0.6, toward=6), at(0.3, person=1)], ["no match", "match"]),
    ([at(0.3), still(5, 5, embedding=face(0, 0.6, 6), person=1)], ["match", "no match"]),  # once is enough
    # A group is believed of its members one by one.
    ([at(0.3), at(0.4, first=20)], ["match", "match"]),
    ([at(0.3), still(20, 29, embedding=face(2))], ["unsure", "no match"]),  # it holds two people
    # Poor looks: alone nobody can tell; beside the one who was asked for it is somebody else.
    ([at(0.3), at(0.62, first=20, person=1, toward=6, quality=POOR)], ["match", "unsure"]),
    ([at(0.3), at(0.62, person=1, toward=6, quality=POOR)], ["match", "no match"]),
    # At the same place of a picture that was cut away from and back to.
    ([at(0.3, place=1), at(0.6, first=20, person=0, toward=6, quality=POOR, place=1)], ["match", "match"]),
    # Never seen well enough: in doubt, but for one who is seen together with whoever was asked for.
    ([still(0, 9, embedding=UNKNOWN)], ["unsure"]),
    ([at(0.3), still(20, 29, embedding=UNKNOWN, person=1)], ["match", "unsure"]),
    ([at(0.3), still(5, 20, embedding=UNKNOWN, person=1)], ["match", "no match"]),
]


@pytest.mark.parametrize(("tracks", "expected"), LIKENESS)
def test_likeness(tracks, expected) -> None:
    assert answers(tracks) == expected


def test_a_video_without_a_face() -> None:
    assert answers([]) == []


def test_somebody_who_is_never_seen_well_changes_nothing_about_others() -> None:
    """A track that was grouped with the wrong person is that of the last one; an unknown face beside it is no reason to forget them."""
    carl = [still(first, first + 9, embedding=face(2, 0.1 * n, 6), person=2) for n, first in enumerate((40, 60, 80))]
    tracks = [at(0.1), at(0.2, first=20), still(100, 109, embedding=face(2, 0.2, 5)), *carl]
    beside = still(100, 109, embedding=UNKNOWN, person=3)
    assert answers(tracks)[2] == answers([*tracks, beside])[2] == "no match"


def test_nobody_is_in_two_places() -> None:
    """Both are nearer to the person of another shot, on two photos, than to each other."""
    photos = {"anna": np.array([face(0, 0.25, 2), face(0, 0.25, 3)], np.float32)}
    tracks = [at(0.35, toward=4), at(0.4, first=20, person=1, toward=5), at(0.4, first=20, person=2, toward=6)]
    told = [verdict.answer for verdict in verdicts(tracks, photos)]
    assert told[1:].count("match") < 2


def test_the_order_of_tracks_does_not_matter() -> None:
    tracks = [at(0.3), at(0.6, first=20, person=1, toward=6), still(40, 49, embedding=face(3), person=2)]
    assert answers(tracks[::-1]) == answers(tracks)[::-1]


def test_two_names_are_two_people() -> None:
    """Anna's twin is on bert's photo."""
    photos = {"anna": PHOTOS["anna"], "bert": np.array([face(0, 0.3)], np.float32)}
    said = verdicts([at(0.05), at(0.3, first=20, person=1)], photos)
    assert [(verdict.answer, verdict.name) for verdict in said] == [("match", "anna"), ("match", "bert")]


def test_who_may_be_any_of_several_is_one_of_them() -> None:
    """Two photos of one person under two names: which of them it is does not matter."""
    photos = {"anna": PHOTOS["anna"], "anna again": PHOTOS["anna"]}
    assert [verdict.answer for verdict in verdicts([at(0.2)], photos)] == ["match"]


def test_several_photos_of_a_person_help() -> None:
    tracks = [at(0.66)]
    photos = np.array([face(0), face(0, 0.5)], np.float32)
    assert [verdict.answer for verdict in verdicts(tracks, {"anna": photos[:1]})] == ["unsure"]
    assert [verdict.answer for verdict in verdicts(tracks, {"anna": photos})] == ["match"]


@pytest.mark.parametrize(("strictness", "expected"), [("safe", "unsure"), ("balanced", "unsure"), ("sharp", "match")])
def test_how_sure_it_has_to_be(strictness, expected) -> None:
    assert answers([at(0.64)], strictness=strictness) == [expected]


@pytest.mark.parametrize(
    ("fades", "expected"),
    [
        ([], ["match", "no match"]),  # two people, as alike as twins
        ([(6, 12)], ["match", "match"]),  # one goes and the other comes: it may be the same face in both shots
        ([(0, 5), (6, 12)], ["match", "match"]),  # of several, one that holds all that is seen of both
        ([(8, 12)], ["match", "no match"]),  # together before it as well
        ([(0, 8)], ["match", "no match"]),  # and after it
    ],
)
def test_a_face_may_be_seen_twice_in_a_fade(fades, expected) -> None:
    assert answers([at(0.1), at(0.2, first=6, person=1)], fades=fades) == expected


def test_verdicts_say_who_how_like_and_how_sure() -> None:
    (verdict,) = verdicts([still(0, 9, embedding=face(1, 0.3))])
    assert (verdict.answer, verdict.name, verdict.distance) == ("match", "bert", pytest.approx(0.3))
    assert verdict.probability > 0.999
    assert verdict.rival is None


def test_look_alikes_are_named() -> None:
    said = verdicts([at(0.6, toward=6), at(0.6, first=20, person=4)], {"anna": PHOTOS["anna"]})
    assert [verdict.rival for verdict in said] == [4, 0]
    assert said[0].reason == "cannot be told from person 4: both look like anna"


def test_an_entry_compares_with_its_own_photos() -> None:
    tracks = (at(0.1), still(0, 9, embedding=face(1, 0.1), person=1))
    told = Evidence(tracks, PHOTOS, INFO, frame_index(INFO))
    assert [verdict.answer for verdict in KnownFaces(photos=("a",), names=("anna",)).pick(told)] == ["match", "no match"]
    assert [verdict.answer for verdict in KnownFaces(photos=("a",)).pick(told)] == ["match", "match"]


# time and place


def evidence(*tracks, info=INFO) -> Evidence:
    return Evidence(tracks, PHOTOS, info, frame_index(info))


ANNA = still(10, 29, square(100, 100, 40), embedding=face(0))
ANNA_AGAIN = still(60, 79, square(300, 100, 40), embedding=face(0, 0.1))
BERT = still(10, 29, square(130, 100, 40), embedding=face(1), person=1)
ANYBODY = still(40, 49, square(100, 100, 40), embedding=UNKNOWN, person=2)
ALL = (ANNA, ANNA_AGAIN, BERT, ANYBODY)

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
    beside = still(40, 49, square(300, 100, 40), embedding=UNKNOWN)
    said = TimeAndPlace(picks=(Pick(frame=45, x=100, y=100),)).pick(evidence(ANYBODY, beside))
    assert [verdict.answer for verdict in said] == ["match", "no match"]


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
