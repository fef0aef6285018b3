"""Choosing with all that may be said, in the real flow: in order, with exceptions, by a review, by hand; and what is exported of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from flows import cli
from flows.people import People
from tasks import progress
from tasks.errors import BadSetting
from tasks.plan import make_plan
from tests.clips import Clip
from tests.flows.looking import HIDDEN, SHOWN, grey_frames, likeness, whole
from tests.flows.running import Run, run_flow
from tests.flows.test_find_people import FIRST_HALF, Listened

HOPPER_RETURNED = {"seconds": 3.0, "x": 450, "y": 205}
FROM_FRAME = 72  # the first at or after 3 s


def both_but_not_her_later(clip: Clip) -> dict[str, Any]:
    selectors = [{"method": "known_faces", "photos": [str(clip.folder / "refs")]}]
    overrides = [{"then": "cover", "point": HOPPER_RETURNED, "start": "3.0"}]
    return {"choose_people": {"policy": "keep_only", "selectors": selectors, "overrides": overrides}}


@pytest.fixture(scope="module")
def run(shared_store: Path, two_people_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_flow(two_people_clip.video, tmp_path_factory.mktemp("out") / "out.mp4", both_but_not_her_later(two_people_clip))


def likeness_by_frame(run: Run, clip: Clip, person: str) -> dict[int, float]:
    frames = zip(grey_frames(run.source)[0], grey_frames(run.target)[0], clip.truth.faces, strict=True)
    return {
        number: likeness(before, after, face.full_box)
        for number, (before, after, faces) in enumerate(frames)
        for face in whole(faces)
        if face.person == person
    }


def test_keep_both_but_not_her_from_then_on(run: Run, two_people_clip: Clip) -> None:
    hopper = likeness_by_frame(run, two_people_clip, "hopper")
    later = [number >= FROM_FRAME for number in hopper]
    assert 0 < sum(later) < len(later)
    assert all((value < HIDDEN) == (number >= FROM_FRAME) for number, value in hopper.items())
    assert min(likeness_by_frame(run, two_people_clip, "collins").values()) > SHOWN
    assert run.decisions == [("collins", "kept"), ("hopper", "partly blurred")]
    (partly,) = [person for person in run.report.people if person.decision == "partly blurred"]
    assert 0 < partly.blurred_seconds < partly.seconds
    assert partly.probability > 0.95


def test_a_report_with_its_decisions_changed_is_done(run: Run, two_people_clip: Clip, tmp_path: Path) -> None:
    report = json.loads(run.report.model_dump_json())
    for person in report["people"]:
        person["decision"] = {"collins": "blurred", "hopper": "kept"}[person["name"]]
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report))
    values = {"choose_people": {"selectors": [{"method": "reviewed", "file": str(file)}]}}

    reviewed = run_flow(run.source, tmp_path / "out.mp4", values)

    assert max(likeness_by_frame(reviewed, two_people_clip, "collins").values()) < HIDDEN
    assert min(likeness_by_frame(reviewed, two_people_clip, "hopper").values()) > SHOWN
    assert {stage for stage, (known, parts) in reviewed.known.items() if known == parts} >= FIRST_HALF
    assert not any(person.unsure for person in reviewed.report.people)

    file.write_text(json.dumps(report | {"video": "0" * 64}))
    with pytest.raises(BadSetting, match="is about another video"):
        run_flow(run.source, tmp_path / "other.mp4", values)


def test_what_somebody_put_right_is_kept(run: Run, tmp_path: Path) -> None:
    from flows.find_people import find_people

    folder = tmp_path / "who"
    before = find_people(run.source, folder)
    file = folder / "people.toml"
    changed = (
        file.read_text().replace('"Person A"', '"Anna"').replace('"Person B"', '"Berta"').replace("merge = [", 'merge = [["Berta", "Anna"]')
    )
    file.write_text(changed)

    find_people(run.source, folder, make_plan({"people": str(file)}), overwrite=True)

    (person,) = People.model_validate_json((folder / "people.json").read_text()).persons
    assert person.label == "Berta"
    assert person.num_tracks == sum(each.num_tracks for each in before.persons)
    assert file.read_text() == changed


def test_exports_find_out_nothing_again(run: Run, two_people_clip: Clip, tmp_path: Path) -> None:
    from flows.export_video import export_video

    plan = make_plan(both_but_not_her_later(two_people_clip))
    listened = Listened()
    with progress.listening(listened):
        export_video(run.source, tmp_path / "who.csv", plan)
        export_video(run.source, tmp_path / "matte.mov", plan)

    assert listened.known == dict.fromkeys([*FIRST_HALF, "read_photos", "choose_people"], True) | {"write_matte": False}
    with (tmp_path / "who.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["most_like"], row["decision"]) for row in rows} == {("collins", "kept"), ("hopper", "kept"), ("hopper", "blurred")}
    assert [int(row["first_frame"]) for row in rows if row["decision"] == "blurred"] == [FROM_FRAME]
    with av.open(str(tmp_path / "matte.mov")) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    assert len(pictures) == run.report.num_frames
    assert [number for number, picture in enumerate(pictures) if picture.any()] == list(range(FROM_FRAME, len(pictures)))
    hopper = next(face.full_box for face in whole(two_people_clip.truth.faces[80]) if face.person == "hopper")
    assert np.all(pictures[80][int(hopper.top) : int(hopper.bottom), int(hopper.left) : int(hopper.right)] == 255)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("who.txt", [], "end it with one of: .otio, .csv, .json, .mkv, .mov"),
        ("matte.mkv", ["--boxes"], "only a table has boxes"),
        ("there.csv", [], "exists already"),
        ("none/who.csv", [], "cannot be written there"),
    ],
)
def test_exports_that_cannot_be_written(two_people_clip: Clip, tmp_path: Path, capsys, name: str, options: list[str], says: str) -> None:
    (tmp_path / "there.csv").touch()
    assert cli.main(["export", str(two_people_clip.video), "-o", str(tmp_path / name), *options]) == 2
    assert says in capsys.readouterr().err
