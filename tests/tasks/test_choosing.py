"""What doubt means, what stands above what, and what is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.choosing import Ruling, cover_of, decisions_of, point_on, rulings_of, settle
from tasks.errors import BadPick, BadSetting
from tasks.faces import FaceBox
from tasks.selectors.overrides import Override
from tasks.selectors.time_and_place import Pick, TimeAndPlace
from tasks.selectors.verdicts import Evidence, Verdict
from tasks.video.parts import Part
from tests.fakes import frame_index, square, still, track, video_info

INFO = video_info()

TRUTH = [
    ("blur_everyone", "match", True),
    ("blur_everyone", "unsure", True),
    ("blur_everyone", "no match", True),
    ("blur_only", "match", True),
    ("blur_only", "unsure", True),  # a known person taken for a stranger leaks
    ("blur_only", "no match", False),
    ("keep_only", "match", False),
    ("keep_only", "unsure", True),  # a stranger taken for a known person leaks
    ("keep_only", "no match", True),
]


def verdict(answer: str, distance: float | None = None) -> Verdict:
    return Verdict(answer, None, distance, answer)


class Says:
    def __init__(self, *answers: str, then: str | None = None) -> None:
        self.answers = answers
        self.then = then

    def pick(self, _: Evidence) -> list[Verdict]:
        return [verdict(answer) for answer in self.answers]


def evidence(*tracks, **others) -> Evidence:
    return Evidence(tracks, {}, INFO, frame_index(INFO), **others)


def ruled(tracks, policy, selectors, overrides=(), **others) -> list[Ruling]:
    return rulings_of(evidence(*tracks, **others), policy, selectors, overrides)


@pytest.mark.parametrize(("policy", "answer", "covered"), TRUTH)
def test_doubt_is_blurred(policy, answer, covered) -> None:
    (ruling,) = ruled([still(0, 9)], policy, [Says(answer)])
    assert ruling.covered.tolist() == [covered] * 10


def test_nobody_is_asked_for() -> None:
    (ruling,) = ruled([still(0, 9)], "blur_everyone", [])
    assert ruling.covered.all()
    assert not ruling.unsure
    assert ruling.verdict.reason == "everyone is blurred"


IN_ORDER = [
    # Entries that mean the same: the surest counts.
    ("keep_only", [(None, "unsure"), (None, "match")], (False, False, "match")),
    ("keep_only", [(None, "match"), (None, "unsure")], (False, False, "match")),  # that it may be another one asked for changes nothing
    ("blur_only", [(None, "unsure"), (None, "match")], (True, False, "match")),
    ("blur_only", [(None, "match"), (None, "unsure")], (True, False, "match")),
    ("blur_only", [(None, "no match"), (None, "unsure")], (True, True, "unsure")),
    # Keep the hosts, but not him here.
    ("keep_only", [(None, "match"), ("cover", "match")], (True, False, "match")),
    ("keep_only", [(None, "match"), ("cover", "no match")], (False, False, "match")),
    ("keep_only", [(None, "match"), ("cover", "unsure")], (True, True, "unsure")),  # may be him
    ("keep_only", [("cover", "match"), (None, "match")], (False, False, "match")),  # the other way round the hosts win
    ("keep_only", [("cover", "match"), (None, "unsure")], (True, True, "unsure")),  # may be a host: covered, and somebody should look
    # Blur her, but not where she is meant to be seen.
    ("blur_only", [(None, "match"), ("keep", "match")], (False, False, "match")),
    ("blur_only", [(None, "match"), ("keep", "unsure")], (True, True, "unsure")),  # doubt keeps nobody
    ("blur_only", [(None, "unsure"), ("keep", "match")], (False, False, "match")),
    ("blur_only", [(None, "no match"), ("keep", "unsure")], (False, False, "no match")),  # nobody wants them covered
    ("blur_everyone", [("keep", "match")], (False, False, "match")),
    ("blur_everyone", [("keep", "unsure")], (True, True, "unsure")),
    ("blur_everyone", [("keep", "match"), ("cover", "match"), ("keep", "match")], (False, False, "match")),  # the last one counts
]


@pytest.mark.parametrize(("policy", "entries", "expected"), IN_ORDER)
def test_later_entries_stand_above_earlier_ones(policy, entries, expected) -> None:
    (ruling,) = ruled([still(0, 9)], policy, [Says(answer, then=then) for then, answer in entries])
    assert (bool(ruling.covered.all()), ruling.unsure, ruling.verdict.answer) == expected


def test_a_verdict_may_say_what_happens_itself() -> None:
    class Reviewer(Says):
        def pick(self, _: Evidence) -> list[Verdict]:
            return [Verdict("match", None, None, "", then="keep"), Verdict("match", None, None, "", then="cover")]

    rulings = ruled([still(0, 9), still(20, 29)], "blur_everyone", [Reviewer()])
    assert [bool(ruling.covered.all()) for ruling in rulings] == [False, True]


def test_where_nobody_decides_the_nearest_is_told() -> None:
    said = [("keep", verdict("no match", 0.9)), ("keep", verdict("no match", 0.7))]
    assert settle("keep_only", said)[2].distance == 0.7


# Overrides

LEFT, RIGHT = square(100, 100, 40), square(300, 100, 40)
TRACKS = [still(0, 49, LEFT, person=0), still(60, 89, LEFT, person=0), still(0, 49, RIGHT, person=1)]
AT_LEFT = Pick(frame=10, x=100, y=100)
ALL, NONE = (0, 99), None

OVERRIDES = [
    # (override, the frames of each track that are kept where everyone else is covered)
    ({"then": "keep", "point": AT_LEFT}, [(0, 49), (60, 89), NONE]),  # the whole person
    ({"then": "keep", "point": AT_LEFT, "of": "track"}, [(0, 49), NONE, NONE]),
    ({"then": "keep", "point": AT_LEFT, "start": "1.0", "end": "70f"}, [(25, 49), (60, 69), NONE]),  # 25 frames/s; the end is left out
    ({"then": "keep", "person": "Anna", "end": 0.4}, [(0, 9), NONE, NONE]),
    ({"then": "keep", "start": "88f"}, [NONE, (88, 89), NONE]),  # all who are there then
]


@pytest.mark.parametrize(("override", "kept"), OVERRIDES)
def test_exceptions(override, kept) -> None:
    rulings = ruled(TRACKS, "blur_everyone", [], [Override(**override)], names={0: "Anna"})
    for track_, ruling, frames in zip(TRACKS, rulings, kept, strict=True):
        shown = track_.frames[~ruling.covered]
        assert (shown.min(), shown.max()) == frames if frames else not len(shown)
        assert len(shown) == (frames[1] - frames[0] + 1 if frames else 0)


def test_later_overrides_stand_above_earlier_ones_and_all_above_selectors() -> None:
    overrides = [Override(then="cover", person=1), Override(then="keep", start="10f", end="12f")]
    rulings = ruled(TRACKS, "keep_only", [Says("match", "match", "match")], overrides)
    assert TRACKS[2].frames[~rulings[2].covered].tolist() == [10, 11]
    assert not rulings[0].covered.any()
    assert rulings[2].verdict.reason == "covered by an override; kept from 10f to 12f by an override"


def test_an_override_of_a_whole_track_ends_its_doubt() -> None:
    override = Override(then="cover", point=AT_LEFT, of="track")
    rulings = ruled(TRACKS, "keep_only", [Says("unsure", "unsure", "unsure")], [override])
    assert [ruling.unsure for ruling in rulings] == [False, True, True]


WRONG = [
    ({"then": "keep", "person": "Berta"}, BadSetting, ["Berta", "no such person", "Anna"]),
    ({"then": "cover", "person": 7}, BadSetting, ["override of 7", "no such person"]),
    ({"then": "keep", "point": Pick(frame=10, x=200, y=100)}, BadPick, ["no face is there", "(100, 100), (300, 100)"]),
    ({"then": "keep", "start": "5", "end": "6"}, BadPick, ["no frame is between them", "100 frames"]),  # beyond the end
    ({"then": "keep", "start": "2", "end": "1"}, BadPick, ["2 to 1"]),
]


@pytest.mark.parametrize(("override", "error", "words"), WRONG)
def test_overrides_of_nobody(override, error, words) -> None:
    with pytest.raises(error) as caught:
        ruled(TRACKS, "blur_everyone", [], [Override(**override)], names={0: "Anna"})
    assert all(word in str(caught.value) for word in words), str(caught.value)


REFUSED = [
    ({"then": "keep"}, "give a person, a point, a start or an end"),
    ({"then": "keep", "person": 3}, "may mean somebody else"),  # a number that moved would show a stranger
    ({"then": "keep", "person": "Anna", "point": AT_LEFT}, "either person or point"),
    ({"then": "keep", "person": "Anna", "of": "track"}, "told by a point"),
    ({"then": "keep", "start": "soon"}, "1500f"),
]


@pytest.mark.parametrize(("override", "words"), REFUSED)
def test_overrides_that_say_too_little_or_too_much(override, words) -> None:
    with pytest.raises(ValueError, match=words):
        Override(**override)


# By hand the same

SAME = [
    (["match", "no match", "no match"], ["match", "match", "unsure"]),  # the third was only grouped with them
    (["unsure", "no match", "no match"], ["unsure", "unsure", "unsure"]),
    (["no match", "no match", "match"], ["no match", "no match", "match"]),  # nothing is said by hand of the third
    (["match", "unsure", "match"], ["match", "match", "match"]),
]


@pytest.mark.parametrize(("answers", "expected"), SAME)
def test_who_is_one_person_by_hand_gets_one_answer(answers, expected) -> None:
    tracks = [still(0, 9), still(20, 29), still(40, 49), still(60, 69, person=1)]
    rulings = ruled(tracks, "blur_only", [Says(*answers, "no match")], same_by_hand=[(0, 1)])
    assert [ruling.verdict.answer for ruling in rulings] == [*expected, "no match"]


# What is covered, and what is told

HALF = np.arange(100) < 50


def test_the_cover_and_what_is_kept_are_all_faces() -> None:
    tracks = [still(0, 99, LEFT), still(0, 9, RIGHT, person=1)]
    rulings = [Ruling(HALF, False, verdict("match")), Ruling(np.zeros(10, np.bool_), False, verdict("match"))]
    cover, kept = (cover_of(tracks, rulings, covered) for covered in (True, False))
    assert (cover.frames.tolist(), set(cover.tracks.tolist())) == (list(range(50)), {0})
    assert kept.at(5).tracks.tolist() == [1]
    assert kept.at(60).tracks.tolist() == [0]
    assert len(cover) + len(kept) == 110
    assert np.all(np.diff(kept.frames) >= 0)


def test_nobody_is_covered_in_an_empty_video() -> None:
    assert len(cover_of([], [], covered=True)) == 0
    assert decisions_of(evidence(), []) == []


def test_a_decision_a_person_with_those_to_look_at_first() -> None:
    tracks = [still(0, 49, person=0), still(60, 109, person=0), still(0, 24, person=1), still(20, 39, seen=[22, 31], person=2)]
    whole = [np.full(len(each.frames), covered) for each, covered in zip(tracks, (False, True, False, True), strict=True)]
    told = [verdict("match", 0.4), verdict("no match", 0.9), verdict("match", 0.3), verdict("unsure", None)]
    rulings = [Ruling(covered, each.answer == "unsure", each) for covered, each in zip(whole, told, strict=True)]
    decisions = decisions_of(evidence(*tracks, names={1: "Anna"}), rulings)
    assert [(each.person, each.called, each.decision, each.unsure) for each in decisions] == [
        (2, None, "blurred", True),
        (0, None, "partly blurred", False),
        (1, "Anna", "kept", False),
    ]
    assert [(each.seconds, each.first_frame, each.num_tracks) for each in decisions] == [(0.4, 22, 1), (4.0, 0, 2), (1.0, 0, 1)]
    assert [each.blurred_seconds for each in decisions] == [0.4, 2.0, 0.0]
    assert [each.distance for each in decisions] == [None, 0.4, 0.3]


def test_a_track_covered_for_a_time_is_partly_blurred() -> None:
    (decision,) = decisions_of(evidence(still(0, 99, LEFT)), [Ruling(HALF, False, verdict("match"))])
    assert (decision.decision, decision.seconds, decision.blurred_seconds) == ("partly blurred", 4.0, 2.0)


@pytest.mark.parametrize(
    ("rotation_degrees", "box"),
    [
        (0, square(100, 100, 40)),
        (90, square(100, 100, 40)),  # points are on the upright picture
        (0, FaceBox(-30, 100, 10, 140)),  # only what is in the picture can be pointed at
    ],
)
def test_a_decision_points_at_each_of_its_tracks(rotation_degrees, box) -> None:
    info = video_info(rotation_degrees=rotation_degrees)
    tracks = [track(0, [box, square(320, 180, 20)], seen=[0]), still(0, 1, square(500, 300, 60))]
    told = Evidence(tracks, {}, info, frame_index(info))
    points = tuple(point_on(each, info) for each in tracks)
    assert [point.frame for point in points] == [0, 0]
    assert TimeAndPlace(picks=points).meets(told) == [0, 1]


# Parts of a video: of 300 frames, those from 200 on.

WHOLE = video_info(num_frames=300, duration_seconds=12.0)
PART = Part(200, frame_index(WHOLE), 12.0)


def test_a_decision_about_a_part_points_at_frames_of_the_whole() -> None:
    face = still(5, 9, LEFT)
    point = point_on(face, INFO, PART)
    assert point.frame == 205
    told = Evidence([face], {}, INFO, PART.index.part(200, 300), PART)
    assert TimeAndPlace(picks=(point,)).meets(told) == [0]


@pytest.mark.parametrize(
    ("stretch", "kept"),
    [
        ({"start": "8.4", "end": "220f"}, range(10, 20)),  # 25 frames/s: frame 210 of the whole
        ({"start": "1.0", "end": "8.2"}, range(5)),  # begins before the part
        ({"end": "8.0"}, range(0)),  # all of it before the part: nothing to do here, and no mistake
    ],
)
def test_times_are_of_the_whole(stretch, kept) -> None:
    told = Evidence([still(0, 99)], {}, INFO, PART.index.part(200, 300), PART)
    (ruling,) = rulings_of(told, "blur_everyone", [], [Override(then="keep", **stretch)])
    assert np.flatnonzero(~ruling.covered).tolist() == list(kept)
