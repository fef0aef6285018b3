"""people.toml: what is written can be read, and what somebody changed stays."""

from __future__ import annotations

import tomllib

import pytest

from flows.people import People, people_of
from flows.people_file import NAMES, changed_file, people_file_of
from tasks.editing import edit_tracks
from tasks.named_people import EditPeople
from tests.fakes import found, frame_index, square, still, video_info

INFO = video_info()
LEFT, RIGHT = square(100, 100, 40), square(300, 100, 40)
TRACKS = [still(0, 39, LEFT, embedding=(0, 0)), still(0, 39, RIGHT, embedding=(1, 0), person=1), still(60, 69, RIGHT, person=2)]


def listed(tracks=TRACKS, names=None, source="video.mp4") -> People:
    return people_of(tracks, source, INFO, frame_index(INFO), names=names or {})[0]


def edits_in(text: str) -> EditPeople:
    said = tomllib.loads(text)
    assert said.pop("video") == INFO.content_hash
    return EditPeople.model_validate(said)


def test_a_new_file_names_everybody_and_changes_nobody() -> None:
    edits = edits_in(people_file_of(listed(), EditPeople()))
    assert [person.name for person in edits.people] == ["Person A", "Person B", "Person C"]
    result = edit_tracks(TRACKS, found({}), INFO, frame_index(INFO), edits)
    assert [track.person for track in result.tracks] == [0, 1, 2]
    assert result.names == {0: "Person A", 1: "Person B", 2: "Person C"}


def test_what_was_put_right_stays_and_those_who_are_new_are_added() -> None:
    at = {"seconds": 0.5, "x": 300, "y": 100}
    people = ({"name": 'An "na"\\', "at": at}, {"name": "Person B", "at": {"frame": 65, "x": 300, "y": 100}})
    split = {"name": "Bert", "at": {"frame": 20, "x": 100, "y": 100}, "start": "10f", "end": "0:01.5"}
    edits = EditPeople.model_validate({"merge": [["Person B", 'An "na"\\']], "people": people, "splits": [split]})
    result = edit_tracks(TRACKS, found({}), INFO, frame_index(INFO), edits)

    again = edits_in(people_file_of(listed(result.tracks, result.names), edits))

    assert again.merge == edits.merge
    assert again.splits == edits.splits
    assert again.people[:2] == edits.people
    assert [person.name for person in again.people[2:]] == ["Person A"], "a label that somebody has is given to nobody else"
    once_more = edit_tracks(TRACKS, found({}), INFO, frame_index(INFO), again)
    assert [track.person for track in once_more.tracks] == [track.person for track in result.tracks]


@pytest.mark.parametrize("source", ['a\n[[people]] "b".mp4', "ünï.mp4"])
def test_a_files_name_is_a_remark(source) -> None:
    assert len(edits_in(people_file_of(listed(source=source), EditPeople())).people) == 3


def test_only_a_file_that_somebody_changed_stays(tmp_path) -> None:
    assert changed_file(tmp_path) is None
    text = people_file_of(listed(), EditPeople())
    (tmp_path / NAMES).write_text(text, "utf-8")
    assert changed_file(tmp_path) is None
    for changed in (text.replace("Person A", "Anna"), text + "# mine\n", text[:-40], ""):
        (tmp_path / NAMES).write_text(changed, "utf-8")
        assert changed_file(tmp_path) == changed.encode()
