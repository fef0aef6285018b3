"""`veil people`: who is listed, that a listed pick picks them, what the folder holds, and when it is not written."""

from __future__ import annotations

import doctest
import errno
import re
import stat
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from flows import cli, people, people_page
from flows.commands import pick_of
from flows.face_pictures import cut_out, face_pictures, runs_of
from flows.people import BestView, People, best_view
from flows.people_page import page_of
from tasks import progress
from tasks.errors import BadOutput, NoSpace
from tasks.faces import FaceBox
from tasks.plan import Plan
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.whole_folder import check_folder, whole_folder
from tests.clips import Clip
from tests.flows.running import at, run_flow

FIRST_HALF = {"probe_video", "find_shots", "find_faces", "follow_faces", "build_tracks"}
OURS = frozenset({"index.html", "people.json", "people.toml", "faces"})


class Listened:
    """Stages by whether their results were known."""

    def __init__(self) -> None:
        self.known: dict[str, bool] = {}

    def begin(self, stage: str, num_frames: int) -> None: ...

    def advance(self, stage: str, num_frames: int) -> None: ...

    def end(self, stage: str, cached: bool) -> None:
        self.known[stage] = cached


@pytest.fixture(scope="module")
def folder(shared_store: Path, two_people_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from flows.find_people import find_people

    folder = tmp_path_factory.mktemp("people") / "who"
    find_people(two_people_clip.video, folder)
    return folder


@pytest.fixture(scope="module")
def listed(folder: Path) -> People:
    return People.model_validate_json((folder / "people.json").read_text())


# Who, where, when ------------------------------------------------------------------------------------------------------------


def test_lists_each_person_once_with_the_times_they_are_seen(listed: People, two_people_clip: Clip) -> None:
    who = _who(listed, two_people_clip)

    assert sorted(who) == ["collins", "hopper"]
    for name, number in who.items():
        person = listed.persons[number]
        true_frames = [frame for frame, faces in enumerate(two_people_clip.truth.faces) if name in {face.person for face in faces}]
        assert person.seconds == pytest.approx(len(true_frames) * 1001 / 24000, abs=0.5)
        assert person.appearances[0].first_seconds == pytest.approx(true_frames[0] * 1001 / 24000, abs=0.25)
        assert person.appearances[-1].last_seconds == pytest.approx(true_frames[-1] * 1001 / 24000, abs=0.25)
    assert len(listed.persons[who["hopper"]].appearances) > 1, "she leaves and returns"
    assert [person.seconds for person in listed.persons] == sorted((person.seconds for person in listed.persons), reverse=True)
    assert [person.label for person in listed.persons] == ["Person A", "Person B"]


def test_a_listed_pick_blurs_that_person_and_looks_for_nothing_again(
    listed: People, shared_store: Path, two_people_clip: Clip, tmp_path: Path
) -> None:
    person = listed.persons[1]
    pick = pick_of(person.at)
    assert pick == person.pick.model_dump()

    run = run_flow(two_people_clip.video, tmp_path / "out.mp4", at(**pick))

    assert {stage: known for stage, (known, parts) in run.known.items() if known == parts} == dict.fromkeys(FIRST_HALF, 1)
    assert {(each.person, each.decision) for each in run.report.people} == {(person.id, "blurred"), (1 - person.id, "kept")}
    assert next(each.seconds for each in run.report.people if each.person == person.id) == pytest.approx(person.seconds, abs=0.1)


def test_pages_after_a_blur_look_for_nothing_again(folder: Path, two_people_clip: Clip) -> None:
    from flows.find_people import find_people

    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    listened = Listened()
    with progress.listening(listened):
        find_people(two_people_clip.video, folder, Plan(), overwrite=True)

    assert {stage for stage, known in listened.known.items() if known} == FIRST_HALF
    assert {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [each.name for each in folder.parent.iterdir()] == [folder.name], "something is left beside the folder"


def _who(listed: People, clip: Clip) -> dict[str, int]:
    """By the name of who really is at the picked time and place: the place in the list."""
    found = {}
    for number, person in enumerate(listed.persons):
        frame = int(person.pick.seconds * 24000 / 1001)
        (name,) = [
            face.person
            for face in clip.truth.faces[frame]
            if face.full_box.left < person.pick.x < face.full_box.right and face.full_box.top < person.pick.y < face.full_box.bottom
        ]
        found[name] = number
    return found


# The folder ------------------------------------------------------------------------------------------------------------------


def test_folder_is_for_its_owner_and_complete(folder: Path, listed: People) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == OURS
    for person in listed.persons:
        picture = cv2.imread(str(folder / person.face))
        assert picture.shape[0] == picture.shape[1]
        assert person.box.right - person.box.left < picture.shape[1], "no margin around the face"


def test_page_needs_nothing_else(folder: Path, listed: People) -> None:
    page = (folder / "index.html").read_text()

    assert all(f"--at {person.at}</code>" in page for person in listed.persons)
    assert page.count('<img src="data:image/jpeg;base64,') == len(listed.persons)
    assert "biometric data" in page
    assert not re.search(r"<script|<link|https?://|@import|url\(", page)


def test_names_of_files_are_text_and_nobody_is_said() -> None:
    nobody = People(source="<b>$(x)'.mp4", content_hash="0" * 64, duration_seconds=0, width=2, height=2, persons=())

    page = page_of(nobody, [])

    assert "<b>" not in page
    assert "No face was found" in page


@pytest.mark.parametrize(
    ("held", "overwrite", "says"),
    [
        (["notes.txt"], False, "not empty"),  # somebody's folder
        (["index.html", "people.json", "faces"], False, "--overwrite"),  # an earlier page
        (["index.html", "notes.txt"], True, "notes.txt"),  # something that is not ours is never removed
    ],
)
def test_folder_with_content_is_refused(tmp_path: Path, two_people_clip: Clip, capsys, held: list[str], overwrite: bool, says: str) -> None:
    folder = tmp_path / "who"
    folder.mkdir()
    for name in held:
        (folder / name).touch()

    arguments = ["people", str(two_people_clip.video), "-o", str(folder), *(["--overwrite"] if overwrite else [])]

    assert cli.main(arguments) == 2
    assert says in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == sorted(held)


def test_places_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    check_folder(tmp_path / "new", False, OURS)
    check_folder(tmp_path / "empty", False, OURS)
    for wrong in (tmp_path / "file", tmp_path / "none" / "new"):
        with pytest.raises(BadOutput):
            check_folder(wrong, True, OURS)


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, NoSpace), (errno.EACCES, BadOutput)])
def test_what_fails_leaves_all_as_it_was(tmp_path: Path, code: int, kind: type[Exception]) -> None:
    folder = tmp_path / "who"
    folder.mkdir()
    (folder / "index.html").write_text("before")

    def write() -> None:
        with whole_folder(folder) as unfinished:
            (unfinished.path / "index.html").write_text("after")
            raise OSError(code, "is what the disk said")

    with pytest.raises(kind):
        write()

    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["who", "who/index.html"]
    assert (folder / "index.html").read_text() == "before"


def test_what_came_into_a_folder_meanwhile_stays(tmp_path: Path) -> None:
    folder = tmp_path / "who"
    folder.mkdir()

    def write() -> None:
        with whole_folder(folder) as unfinished:
            (folder / "thesis.docx").write_text("of somebody else")
            unfinished.keep()

    with pytest.raises(BadOutput, match=r"holds thesis\.docx since the work began"):
        write()
    assert (folder / "thesis.docx").read_text() == "of somebody else"


# Pictures --------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probed(two_people_clip: Clip) -> tuple[VideoInfo, FrameIndex]:
    return probe_file(two_people_clip.video)


@pytest.mark.parametrize(
    ("frames", "seekable", "runs"),
    [
        ([7], True, [(7, 7)]),
        ([30, 7, 7], True, [(7, 30)]),  # near: on it goes
        ([7, 250], True, [(7, 7), (250, 250)]),  # far, with key frames between
        ([7, 95], True, [(7, 95)]),  # far, but the nearest key frame is before the first
        ([210, 290], True, [(210, 290)]),  # the same, further on
        ([7, 250], False, [(7, 250)]),  # there is no jumping in this file
    ],
)
def test_reads_little_and_nothing_twice(
    probed: tuple[VideoInfo, FrameIndex], frames: list[int], seekable: bool, runs: list[tuple[int, int]]
) -> None:
    info = probed[0].model_copy(update={"seekable": seekable, "frame_rate": Fraction(10)})
    index = FrameIndex(np.arange(300), np.arange(300) % 100 == 0, np.full(300, -1))

    assert runs_of(frames, info, index) == runs


def test_faces_of_one_frame_come_from_one_look(probed: tuple[VideoInfo, FrameIndex], two_people_clip: Clip) -> None:
    views = [BestView(40, FaceBox(10, 10, 50, 60), 1), BestView(3, FaceBox(0, 0, 30, 30), 1), BestView(40, FaceBox(300, 100, 380, 200), 0)]

    pictures = face_pictures(partial(read_frames, two_people_clip.video, *probed), *probed, views)

    sizes = [cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_COLOR).shape[:2] for each in pictures]
    assert sizes == [(85, 85), (51, 51), (170, 170)]
    assert not face_pictures(partial(read_frames, two_people_clip.video, *probed), *probed, [])


@pytest.mark.parametrize(
    ("box", "aspect", "shape"),
    [
        (FaceBox(40, 40, 60, 60), 1.0, (34, 34)),
        (FaceBox(0, 0, 20, 20), 1.0, (34, 34)),  # at the corner: in the middle all the same
        (FaceBox(0, 0, 90, 90), 1.0, (153, 153)),  # larger than the picture
        (FaceBox(45, 40, 55, 60), 2.0, (34, 34)),  # samples twice as wide as high
    ],
)
def test_cut_out_is_square_and_holds_the_face(box: FaceBox, aspect: float, shape: tuple[int, int]) -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[int(box.top) : int(box.bottom), int(box.left) : int(box.right)] = 255

    cut = cut_out(picture, box, aspect)

    assert cut.shape[:2] == shape
    share = (box.right - box.left) * aspect * (box.bottom - box.top) / (shape[0] * shape[1])
    assert (cut == 255).mean() == pytest.approx(share, abs=0.03), "some of the face is cut off"
    assert cut[shape[0] // 2, shape[1] // 2, 0] == 255
    assert np.allclose(np.mean(np.nonzero(cut[..., 0] == 255), axis=1), shape[0] / 2, atol=1.5), "the face is not in the middle"


def test_best_view_is_upright_and_of_the_best_track(probed: tuple[VideoInfo, FrameIndex]) -> None:
    info = probed[0].model_copy(update={"rotation_degrees": 90, "width": 200, "height": 100})
    track = Track(
        frames=np.arange(5, 8), boxes=np.array([[0, 0, 9, 9], [-10, 20, 30, 60], [0, 0, 9, 9]], np.float32), seen=np.ones(3, np.float32),
        embedding=np.zeros(1, np.float32), quality=0.8, best=1, person=0,
    )  # fmt: skip

    view = best_view([replace(track, quality=0.2, best=0), track], info)

    assert view == BestView(6, FaceBox(40, 0, 80, 30), 0.8), "(x, y) becomes (100 - y, x), inside the picture"


@pytest.mark.parametrize("module", [people, people_page])
def test_examples_in_docstrings(module) -> None:
    assert doctest.testmod(module).failed == 0
