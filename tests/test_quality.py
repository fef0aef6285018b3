"""The benchmark's measures, on truths made by hand."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tasks.exports.table import BOXES
from tests.benchmarks.followed import Followed, Present, jitter_percents, read_followed, truth, whose
from tests.benchmarks.identities import of_people, of_tracks
from tests.benchmarks.labelled import LabelledClip
from tests.benchmarks.limits import Limit, judge
from tests.benchmarks.plots import plot_clip
from tests.benchmarks.showing import flicker_frames, score_people, shown
from tests.benchmarks.strangers import stranger_tasks, wrong_percent
from tests.scoring import Comparison, FaceScore

HIDDEN, HARD, UNLABELLED = "#", "h", " "  # a letter a frame; a hard face shows
SHARES = {HIDDEN: 1.0, "~": 0.7, "o": 0.1, HARD: 0.1}
RATE = 10.0  # frames a second: a flicker is between frames at most 5 apart
LEFT, RIGHT = (0, 0, 10, 10), (50, 0, 60, 10)


def faces(line: str, person: str = "a") -> list[FaceScore]:
    return [FaceScore(frame, person, letter == HARD, SHARES[letter]) for frame, letter in enumerate(line) if letter != UNLABELLED]


def compared(**lines: str) -> Comparison:
    """By person."""
    found = [face for person, line in lines.items() for face in faces(line, person)]
    return Comparison(tuple(sorted(found, key=lambda face: face.frame)), max(map(len, lines.values())), 0, 0, 0)


@pytest.mark.parametrize(
    ("line", "cuts", "expected"),
    [
        ("##########", (), []),
        ("####o#####", (), [4]),
        ("###oooo###", (), [3, 4, 5, 6]),  # half a second from cover to cover
        ("###ooooo##", (), []),  # longer: a leak, but nothing that blinks
        ("ooo#######", (), []),  # not covered before: lead-in
        ("#######ooo", (), []),
        ("####o#####", (5,), []),  # the shot ends: lead-out
        ("####o#####", (4,), []),
        ("#o##oo####", (), [1, 4, 5]),
        ("##o  #####", (), [2]),  # hidden by something else in between: covered again soon
        ("###h######", (), [3]),  # hard faces blink as well
        ("###~######", (), []),  # blurred, though less of it is hidden than should be
        ("###~o#####", (), [4]),
    ],
)
def test_flicker_is_to_show_between_two_covers(line: str, cuts: Sequence[int], expected: list[int]) -> None:
    assert flicker_frames(faces(line), cuts, RATE) == expected


@pytest.mark.parametrize(
    ("line", "cuts", "lead_in", "lead_out"),
    [
        ("o###########o", (), 20, 20),  # one of five frames, on either side
        ("######o######", (), 0, 0),  # in the middle of a visit
        ("oo", (), 100, 100),  # a visit shorter than five frames is both
        ("o#########  o#########", (), 20, 0),  # gone in between: two visits
        ("o#########o#########", (10,), 20, 0),  # a cut: two visits
        ("", (), None, None),
    ],
)
def test_the_ends_of_visits(line: str, cuts: Sequence[int], lead_in: float | None, lead_out: float | None) -> None:
    told = shown(compared(a=line), lambda _: True, cuts, RATE)
    assert (told.lead_in_percent, told.lead_out_percent) == (lead_in, lead_out)


def test_who_is_kept_neither_leaks_nor_flickers() -> None:
    found = compared(a="o##o#o", b="##o###")
    told = shown(found, lambda person: person == "b", (), RATE)
    assert told.flickers == {"b": [2]}
    people = score_people(found, lambda person: person == "b", (), RATE)
    assert (people["a"].over_blur_percent, people["a"].leak_all_percent, people["a"].flicker_frames) == (50, None, 0)
    assert (people["b"].over_blur_percent, people["b"].leak_percent, people["b"].flicker_frames) == (None, 16.67, 1)


def test_a_persons_hard_and_plain_faces() -> None:
    person = score_people(compared(a="##oo", b="hhhh"), lambda _: True, (), RATE)
    assert [(each.leak_percent, each.leak_hard_percent, each.leak_all_percent) for each in person.values()] == [
        (50, None, 50),
        (None, 100, 100),
    ]


def followed(*lines: tuple[int, int, Sequence[tuple[float, float, float, float] | None]]) -> Followed:
    """Of each track its number, its person and where it is in frames 0, 1, …"""
    rows = [
        (frame, track, person, box) for track, person, boxes in lines for frame, box in enumerate(boxes) if box is not None
    ]  # fmt: skip
    frames, tracks, persons = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    always = np.ones(len(rows), np.bool_)
    return Followed(frames, tracks, persons, np.array([row[3] for row in rows], np.float32).reshape(-1, 4), always, always)


def present(*people: tuple[str, tuple[float, float, float, float]], unjudged: Sequence[Sequence[float]] = ()) -> Present:
    boxes, elsewhere = (np.array(each, np.float32).reshape(-1, 4) for each in ([box for _, box in people], unjudged))
    return Present([name for name, _ in people], boxes, elsewhere)


BOTH = [present(("a", LEFT), ("b", RIGHT))] * 8
FOUR_EACH = [LEFT] * 4 + [RIGHT] * 4


@pytest.mark.parametrize(
    ("tracks", "people_idf1", "tracks_idf1", "people_switches", "track_switches"),
    [
        ([(0, 0, [LEFT] * 8), (1, 1, [RIGHT] * 8)], 100, 100, 0, 0),
        ([(0, 0, [LEFT] * 4), (1, 1, [RIGHT] * 8), (2, 0, [None] * 4 + [LEFT] * 4)], 100, 75, 0, 1),  # a broken track, one person
        ([(0, 0, FOUR_EACH), (1, 1, FOUR_EACH[::-1])], 50, 50, 2, 2),  # they change places: half of each is the other
        ([(0, 0, [LEFT] * 8)], 66.7, 66.7, 0, 0),  # one is missed
    ],
)
def test_identities(tracks: Any, people_idf1: float, tracks_idf1: float, people_switches: int, track_switches: int) -> None:
    found = followed(*tracks)
    people, of_each = of_people(found, BOTH), of_tracks(found, BOTH, ())
    assert (people.idf1, people.switches) == (people_idf1, people_switches)
    assert (of_each.idf1, of_each.switches) == (tracks_idf1, track_switches)


def test_a_track_in_each_shot_is_no_switch_but_a_person_in_each_is() -> None:
    found = followed((0, 0, [LEFT] * 4), (1, 1, [None] * 4 + [LEFT] * 4))
    alone = [present(("a", LEFT))] * 8
    assert of_tracks(found, alone, (4,)).switches == 0
    assert of_people(found, alone).switches == 1


def test_perfect_is_a_hundred() -> None:
    people = of_people(followed((0, 0, [LEFT] * 8), (1, 1, [RIGHT] * 8)), BOTH)
    assert (people.hota, people.association) == (100, 100)


def test_what_is_not_judged_is_no_false_face() -> None:
    crowd = [present(("a", LEFT), unjudged=[RIGHT])] * 4
    assert of_people(followed((0, 0, [LEFT] * 4), (1, 1, [RIGHT] * 4)), crowd).idf1 == 100
    assert of_people(followed((0, 0, [LEFT] * 4), (1, 1, [RIGHT] * 4)), [present(("a", LEFT))] * 4).idf1 < 100


def test_nobody_followed() -> None:
    assert of_people(followed(), BOTH).idf1 == 0


def test_a_track_is_whose_it_mostly_is() -> None:
    assert whose(followed((0, 0, [LEFT] * 5 + [RIGHT] * 3), (1, 1, [(200, 0, 210, 10)] * 8)), BOTH) == {0: "a"}


@pytest.mark.parametrize(
    ("lefts", "expected"),
    [
        ([0, 0, 0, 0], [0, 0]),
        ([0, 3, 6, 9], [0, 0]),  # even movement
        ([0, 1, 0, 1], [20, 20]),  # back and forth by a tenth of the width
        ([0, 0, None, 5, 5], []),  # gone in between: no three frames on end
        ([0, 0], []),
    ],
)
def test_jitter(lefts: list[float | None], expected: list[float]) -> None:
    found = followed((3, 0, [None if left is None else (left, 0, left + 10, 10) for left in lefts]))
    (values,) = jitter_percents(found).values()
    assert values == pytest.approx([value / 2 for value in expected])  # two of four sides move


def test_tables_of_boxes_are_read(tmp_path: Path) -> None:
    rows = [(frame, frame / 10, 7, 2, "blurred" if frame else "kept", 0.9 * (frame in (1, 3)), 0, 0, 10, 10) for frame in range(5)]
    with (tmp_path / "boxes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([BOXES, *rows])
    found = read_followed(tmp_path / "boxes.csv")
    assert (found.tracks.tolist(), found.persons.tolist()) == ([7] * 5, [2] * 5)
    assert found.covered.tolist() == [False, True, True, True, True]
    assert found.between.tolist() == [False, True, True, True, False]  # frames 0 and 4 are guesses


def test_faces_that_hardly_show_are_not_judged(tmp_path: Path) -> None:
    line = '{"frame": 0, "faces": [{"person": "a", "box": [0, 0, 9, 9]}, {"person": "b", "box": [9, 9, 12, 12], "vis": 0.2}]}\n'
    (tmp_path / "gt.jsonl").write_text(line)
    (there,) = truth(tmp_path)
    assert (there.people, there.unjudged.tolist()) == (["a"], [[9, 9, 12, 12]])


def row(**values: Any) -> dict[str, Any]:
    """A run of the benchmark in which nothing is wrong, but for what is said."""
    good = {"leak_percent": 0.0, "leak_hard_percent": None, "longest_leak_frames": 0, "flicker_frames": 0, "over_blur_percent": 0.0}
    person = {"leak_all_percent": 0.0, "must_cover": True}
    known = {"clip": "c", "task": values.get("policy", "everyone"), "policy": "everyone", "differs": [], "by_person": {"a": person}}
    known["identities"] = {"people": {"idf1": 100.0}}
    return good | known | values


def limit(what: str, *rows: dict[str, Any]) -> Limit:
    (found,) = (each for each in judge(rows) if each.what == what)
    return found


@pytest.mark.parametrize(
    ("covered", "kept", "blurred"),
    [([True, True], 0.0, 100.0), ([True, False], 50.0, 50.0), ([False, False], 100.0, 0.0)],
)
def test_what_becomes_of_strangers(covered: list[bool], kept: float, blurred: float) -> None:
    """Two people, in two frames; what nobody is labelled at does not count."""
    crowd = [present(("a", LEFT), ("b", RIGHT))] * 2
    spans = [(0, 0, 0, LEFT, covered[0]), (0, 1, 1, RIGHT, covered[1]), (1, 0, 0, LEFT, covered[0]), (1, 1, 1, RIGHT, covered[1])]
    rows = [*spans, (1, 2, 2, (90, 0, 100, 10), True)]
    frames, tracks, persons, boxes, is_covered = (np.array(column) for column in zip(*rows, strict=True))
    told = Followed(frames, tracks, persons, boxes.astype(np.float32), is_covered, np.ones(len(rows), np.bool_))
    assert wrong_percent(told, crowd, "keep") == kept
    assert wrong_percent(told, crowd, "only") == blurred


def test_strangers_are_those_of_other_clips_who_are_not_here_too(tmp_path: Path) -> None:
    people = {"one": ["anna", "bert"], "two": ["anna", "carl", "dora"]}
    for name, inside in people.items():
        (tmp_path / name / "refs").mkdir(parents=True)
        (tmp_path / name / "gt.jsonl").write_text(json.dumps({"frame": 0, "faces": [{"person": each} for each in inside]}))
        for each in inside:
            (tmp_path / name / "refs" / f"{each}.jpg").touch()
    clips = [LabelledClip(tmp_path / name) for name in people]
    asked = list(stranger_tasks(clips[0], clips, [("one/bert", "two/carl")]))
    assert [(task.policy, task.person) for task in asked] == [("keep", "dora"), ("only", "dora")]


@pytest.mark.parametrize(
    ("what", "rows", "holds"),
    [
        ("everyone: leak, plain faces", [row(leak_percent=0.3)], True),
        ("everyone: leak, plain faces", [row(leak_percent=0.31)], False),
        ("everyone: leak, plain faces", [row(policy="keep", leak_percent=50.0)], None),  # another policy says nothing
        ("everyone: leak, hard faces", [row()], None),  # there are none
        ("everyone: longest leaked run", [row(longest_leak_frames=2), row(longest_leak_frames=3)], False),
        ("everyone: flicker", [row(flicker_frames=1)], False),
        ("keep: leak", [row(policy="keep", leak_percent=0.6), row(policy="keep")], False),  # in every run
        ("keep: longest leaked run", [row(policy="keep", longest_leak_frames=4)], False),
        ("keep: over-blur, mean of a clip", [row(policy="keep", over_blur_percent=9.0), row(policy="keep")], True),  # 4.5 in the mean
        (
            "keep: over-blur, mean of a clip",
            [row(policy="keep", over_blur_percent=9.0), row(policy="keep", clip="d")],
            False,
        ),  # clip by clip
        ("only: over-blur of the others", [row(policy="only", over_blur_percent=4.0), row(policy="only", over_blur_percent=0.0)], False),
        ("only: over-blur of the others", [row(policy="only", over_blur_percent=None)], None),  # nobody else is there
        ("persons: IDF1", [row(), row(identities={"people": {"idf1": 91.9}})], False),
        ("all: share of one person that leaks", [row(by_person={"a": {"leak_all_percent": 51.0}})], False),
        ("all: share of one person that leaks", [row(by_person={"a": {"leak_all_percent": None}})], None),  # all are kept
        ("all: frames, pts, size, sound differ", [row(differs=["pts"])], False),
    ],
)
def test_limits(what: str, rows: list[dict[str, Any]], holds: bool | None) -> None:
    assert limit(what, *rows).holds is holds


def test_plots_are_drawn(tmp_path: Path) -> None:
    told = {"judged": {"a": "0-9 12"}, "leaks": {"a": "3"}, "hard_leaks": {}, "over_blurred": {}, "num_frames": 13}
    plot_clip([row(**told), row(**told, policy="keep"), {"clip": "c", "error": "no"}], tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c-tasks.png", "c-when.png"]
