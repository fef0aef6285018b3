"""Files that somebody edited are read into the plan, or refused with a line that says where."""

from __future__ import annotations

import json

import pytest

from flows.cli import parser_of_words
from flows.commands import plan_of
from tasks.by_hand import with_files_read
from tasks.errors import BadPhoto, BadSetting
from tasks.plan import make_plan
from tasks.results import content_key

VIDEO = "a" * 64
AT = {"frame": 3, "x": 10, "y": 20}
PERSON = {"person": 0, "decision": "kept", "at": [AT]}


def plan_with(path, name: str):
    if name == "people":
        return make_plan({"people": str(path)})
    return make_plan({"choose_people": {"selectors": [{"method": "reviewed", "file": str(path)}]}})


def test_a_report_is_an_answer_to_itself(tmp_path) -> None:
    """Whatever else a report says is not asked for, and who was partly blurred is left to the rest of the plan."""
    people = [PERSON | {"reason": "looks like anna", "probability": 0.99}, PERSON | {"person": 1, "decision": "partly blurred"}]
    people.append(PERSON | {"person": 2, "decision": "blurred"})
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"video": VIDEO, "people": people, "num_frames": 7}))

    (selector,) = with_files_read(plan_with(file, "reviewed"), VIDEO).choose_people.selectors

    assert [(answer.person, answer.then) for answer in selector.answers] == [(0, "keep"), (2, "cover")]
    assert selector.answers[0].at[0].frame == 3


def test_the_same_as_toml(tmp_path) -> None:
    file = tmp_path / "review.toml"
    file.write_text(f'video = "{VIDEO}"\n[[people]]\nperson = 4\ndecision = "blurred"\nat = [{{ seconds = 1.5, x = 10, y = 20 }}]\n')
    (selector,) = with_files_read(plan_with(file, "reviewed"), VIDEO).choose_people.selectors
    assert [(answer.person, answer.then, answer.at[0].seconds) for answer in selector.answers] == [(4, "cover", 1.5)]


PEOPLE_TOML = """
merge = [["Anna", "C"]]
[[people]]
name = "Anna"
at = { seconds = 1.5, x = 10, y = 20 }
[[people]]
name = "C"
at = { frame = 9, x = 10, y = 20 }
[[splits]]
name = "Bert"
at = { frame = 30, x = 10, y = 20 }
start = 00:01:00
"""


def test_people(tmp_path) -> None:
    file = tmp_path / "people.toml"
    file.write_text(PEOPLE_TOML)
    plan = with_files_read(plan_with(file, "people"), VIDEO)
    assert plan.edit_people.merge == (("Anna", "C"),)
    assert [person.name for person in plan.edit_people.people] == ["Anna", "C"]
    assert plan.edit_people.splits[0].start == "00:01:00"  # as TOML writes a time


def test_a_key_is_of_what_a_file_says_and_not_of_where_it_is(tmp_path) -> None:
    keys = []
    for name, text in (("a.toml", PEOPLE_TOML), ("b.toml", PEOPLE_TOML + "# a remark"), ("c.toml", PEOPLE_TOML.replace("Bert", "Berta"))):
        (tmp_path / name).write_text(text)
        keys.append(content_key("finished", 1, {"plan": with_files_read(plan_with(tmp_path / name, "people"), VIDEO)}))
    assert keys[0] == keys[1] != keys[2]


def test_reading_twice_changes_nothing(tmp_path) -> None:
    (tmp_path / "people.toml").write_text(PEOPLE_TOML)
    once = with_files_read(plan_with(tmp_path / "people.toml", "people"), VIDEO)
    assert with_files_read(once, VIDEO) == once


def test_each_entry_means_its_own_photos(tmp_path) -> None:
    for name in ("hosts/anna.jpg", "hosts/bert.jpg", "carl/1.jpg", "carl/2.jpg", "other/anna.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")

    def names_of(*photos: str) -> list[tuple[str, ...]]:
        entries = [{"method": "known_faces", "photos": [str(tmp_path / photo)]} for photo in photos]
        plan = make_plan({"choose_people": {"policy": "keep_only", "selectors": entries}})
        return [selector.names for selector in with_files_read(plan, VIDEO).choose_people.selectors]

    assert names_of("hosts", "carl/1.jpg") == [("anna", "bert"), ("1",)]
    assert names_of("hosts", "hosts/anna.jpg") == [("anna", "bert"), ("anna",)]  # the very same photo
    with pytest.raises(BadPhoto, match="anna is also the name of other photos"):
        names_of("hosts", "other")


def review(**changes) -> str:
    return json.dumps({"video": VIDEO, "people": [PERSON | changes]})


WRONG = [
    ("reviewed", "r.json", json.dumps({"video": "b" * 64, "people": [PERSON]}), ["is about another video", "bbbbbbbbbbbb..."]),
    ("reviewed", "r.json", json.dumps({"people": [PERSON]}), ["does not say which video"]),  # a number is nobody without the video
    ("reviewed", "r.json", json.dumps({"video": VIDEO}), ["has no list of people"]),
    ("reviewed", "r.json", json.dumps([PERSON]), ["is a list or a value"]),
    ("reviewed", "r.json", "{", ["is not JSON"]),
    ("reviewed", "r.json", review(decision="shown"), ["person 0 is 'shown'", "blurred, kept, partly blurred"]),
    ("reviewed", "r.json", review(decison="kept"), ["decison is nothing that is said of a person"]),  # a slip of the pen is not passed over
    ("reviewed", "r.json", review(at=[]), ["at: "]),  # nobody to be told by
    ("reviewed", "r.json", review(at=[{"frame": 1, "x": -4, "y": 2}]), ["at.0.x"]),
    ("reviewed", "r.json", review(decision="partly blurred"), ["decides about nobody"]),
    ("reviewed", "missing.toml", None, ["cannot be read"]),
    ("people", "p.toml", 'video = "c"', ["is about another video"]),
    ("people", "p.toml", 'merge = [["Anna", "Bert"]]', ["nobody is called Anna"]),
    ("people", "p.toml", '[[persons]]\nname = "Anna"', ["persons: extra inputs"]),
    ("people", "p.toml", "merge = [", ["is not TOML"]),
    ("people", "p.toml", '[[people]]\nname = "Anna"\nat = { x = 1, y = 2 }', ["people.0.at", "give either frame or seconds"]),
]


@pytest.mark.parametrize(("what", "name", "text", "words"), WRONG)
def test_what_is_wrong_with_a_file_is_said(what, name, text, words, tmp_path) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadSetting) as caught:
        with_files_read(plan_with(file, what), VIDEO)
    assert caught.value.subject == str(file)
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_photos_and_people_in_a_plan_need_no_word_of_the_command(tmp_path, monkeypatch) -> None:
    """Their paths are as seen from where the command runs, wherever the plan lies."""
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "Anna.jpg").touch()
    (tmp_path / "who.toml").write_text('[[people]]\nname = "Bert"\nat = { seconds = 1, x = 2, y = 3 }\n')
    plan = tmp_path / "plans" / "plan.toml"
    plan.parent.mkdir()
    selector = '[[choose_people.selectors]]\nmethod = "known_faces"\nphotos = ["hosts/"]\n'
    plan.write_text(f'people = "who.toml"\n[choose_people]\npolicy = "keep_only"\n{selector}')
    monkeypatch.chdir(tmp_path)
    said = plan_of(parser_of_words().parse_args(["blur", "in.mp4", "-o", "out.mp4", "--plan", "plans/plan.toml"]))
    assert with_files_read(said, VIDEO).names == ("Anna", "Bert")
