"""Persons put right by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.editing import EditedPeople, edit_tracks, edits_within
from tasks.errors import BadPick
from tasks.named_people import EditPeople, NamedPerson, Split
from tasks.selectors.time_and_place import Pick
from tests.fakes import NO_EMBEDDING, Seen, found, frame_index, square, still, video_info

INFO = video_info()
LEFT, RIGHT = square(100, 100, 40), square(300, 100, 40)
# One track that is two people's, whose embeddings are about (0, 0) and then (1, 0); looked at every tenth frame.
MIXED = still(0, 39, LEFT, seen=[0, 10, 20, 30], embedding=(0.5, 0.0), person=0, place=3)
AGAIN = still(50, 59, LEFT, embedding=(0.0, 0.0), person=0)
OTHER = still(20, 59, RIGHT, embedding=(2.0, 0.0), person=1)
LATER = still(70, 79, RIGHT, embedding=(2.0, 0.0), person=2)
TRACKS = [MIXED, AGAIN, OTHER, LATER]
SCRIPT = {
    0: [Seen(LEFT, embedding=(0.0, 0.0), quality=0.5)],
    10: [Seen(LEFT, embedding=(0.2, 0.0), quality=0.5)],
    20: [Seen(LEFT, embedding=(1.0, 0.0), quality=0.4), Seen(RIGHT, embedding=(2.0, 0.0))],
    30: [Seen(LEFT, embedding=(1.0, 0.0), quality=0.9), Seen(RIGHT, embedding=(2.0, 0.0))],
}

A, A_AGAIN, B, C = (Pick(frame=frame, x=x, y=100) for frame, x in ((5, 100), (55, 100), (30, 300), (75, 300)))
PEOPLE = (NamedPerson(name="A", at=A), NamedPerson(name="B", at=B), NamedPerson(name="C", at=C))


def edited(**edits) -> EditedPeople:
    return edit_tracks(TRACKS, found(SCRIPT), INFO, frame_index(INFO), EditPeople(**edits))


def of_half(start: str | None = "20f", name: str = "D", frame: int = 35, **others) -> Split:
    return Split(name=name, at=Pick(frame=frame, x=100, y=100), start=start, **others)


EDITS = [
    # (edits, the persons of the tracks, names, groups)
    ({"people": PEOPLE}, [0, 0, 1, 2], {0: "A", 1: "B", 2: "C"}, ()),
    ({"people": PEOPLE[:1]}, [0, 0, 1, 2], {0: "A"}, ()),
    ({"people": PEOPLE, "merge": [["B", "C"]]}, [0, 0, 1, 1], {0: "A", 1: "B"}, ((2, 3),)),
    ({"people": PEOPLE, "merge": [["C", "B"]]}, [0, 0, 1, 1], {0: "A", 1: "C"}, ((2, 3),)),  # the first name stays
    ({"people": PEOPLE, "merge": [["A", "B"], ["B", "C"]]}, [0, 0, 0, 0], {0: "A"}, ((0, 2), (2, 3))),  # one after another
    # Two names for one that is found as one, though nobody says so: whoever asks for one of them is not to get the other.
    ({"people": (PEOPLE[0], NamedPerson(name="E", at=A_AGAIN))}, [0, 0, 1, 2], {0: "A / E"}, ()),
    # Only the track that is pointed at, and numbers in order of appearance.
    ({"people": PEOPLE, "splits": [Split(name="D", at=A_AGAIN)]}, [0, 2, 1, 3], {0: "A", 1: "B", 2: "D", 3: "C"}, ()),
    ({"splits": [Split(name="D", at=A)]}, [0, 2, 1, 3], {0: "D"}, ()),
    ({"splits": [Split(name="D", at=A, of="person", end="60f")]}, [0, 0, 1, 2], {0: "D"}, ()),  # all of that person's
    ({"people": PEOPLE, "splits": [Split(name="C", at=A_AGAIN)]}, [0, 2, 1, 2], {0: "A", 1: "B", 2: "C"}, ()),  # joins who is known
    # A track is cut.
    ({"people": PEOPLE[:1], "splits": [of_half()]}, [0, 1, 0, 2, 3], {0: "A", 1: "D"}, ()),
    ({"people": PEOPLE[:1], "splits": [of_half("10f", end="20f", frame=15)]}, [0, 1, 0, 0, 2, 3], {0: "A", 1: "D"}, ()),  # in three
    ({"people": PEOPLE, "splits": [of_half()], "merge": [["D", "C"]]}, [0, 1, 0, 2, 1], {0: "A", 1: "D", 2: "B"}, ((1, 4),)),
]


@pytest.mark.parametrize(("edits", "persons", "names", "groups"), EDITS)
def test_who_is_who(edits, persons, names, groups) -> None:
    result = edited(**edits)
    assert ([track.person for track in result.tracks], result.names, result.same_by_hand) == (persons, names, groups)


def test_a_cut_track_is_two_whole_ones() -> None:
    first, second = edited(splits=[of_half()]).tracks[:2]
    assert (first.place, second.place) == (-1, -1), "that they were at one place speaks for one person, which somebody denied"
    assert (first.frames.tolist(), second.frames.tolist()) == (list(range(20)), list(range(20, 40)))
    assert np.array_equal(np.concatenate([first.boxes, second.boxes]), MIXED.boxes)
    assert np.flatnonzero(first.seen).tolist() == [0, 10]
    # Each has the mean of its own looks by their quality, and its own best one.
    assert first.embedding.tolist() == pytest.approx([0.1, 0.0])
    assert second.embedding.tolist() == pytest.approx([1.0, 0.0])
    assert (second.quality, int(second.frames[second.best])) == (pytest.approx(0.9), 30)


def test_a_part_of_which_nothing_is_known_has_no_embedding() -> None:
    unknown = found({frame: [Seen(LEFT)] for frame in (0, 10, 20, 30)})
    parts = edit_tracks([MIXED], unknown, INFO, frame_index(INFO), EditPeople(splits=(of_half(),))).tracks
    assert [np.isnan(part.embedding).all() for part in parts] == [True, True]
    assert [part.embedding.shape for part in parts] == [np.shape(NO_EMBEDDING)] * 2


def test_a_part_is_asked_for_nobody_who_is_beyond_it() -> None:
    edits = EditPeople(people=PEOPLE, splits=(of_half(),), merge=(("A", "B", "C"), ("C", "D")))
    info = video_info(num_frames=36, duration_seconds=36 / 25)
    within = edits_within(edits, info, frame_index(info))
    assert ([each.name for each in within.people], len(within.splits), within.merge) == (["A", "B"], 1, (("A", "B"),))


WRONG = [
    ({"people": [NamedPerson(name="A", at=Pick(frame=5, x=200, y=100))]}, ["(200, 100) at frame 5", "no face is there", "(100, 100)"]),
    ({"people": [NamedPerson(name="A", at=Pick(seconds=99, x=1, y=1))]}, ["beyond the video's end"]),
    ({"splits": [of_half("35f", frame=36)]}, ["nothing is known of D", "frames 0, 10, 20, 30"]),  # no look after frame 35
    ({"splits": [of_half("20f", frame=5)]}, ["D is not there from 20f", "between the two"]),  # pointed at before it begins
    ({"splits": [of_half("200f")]}, ["no frame is between them"]),
]


@pytest.mark.parametrize(("edits", "words"), WRONG)
def test_points_and_cuts_that_meet_nobody(edits, words) -> None:
    with pytest.raises(BadPick) as caught:
        edited(**edits)
    assert all(word in str(caught.value) for word in words), str(caught.value)


REFUSED = [
    ({"merge": [["A", "B"]]}, "nobody is called A"),
    ({"people": PEOPLE, "merge": [["A"]]}, "two names or more"),
    ({"people": (*PEOPLE, PEOPLE[0])}, "two people are called A"),
]


@pytest.mark.parametrize(("edits", "words"), REFUSED)
def test_edits_that_cannot_be_meant(edits, words) -> None:
    with pytest.raises(ValueError, match=words):
        EditPeople(**edits)
