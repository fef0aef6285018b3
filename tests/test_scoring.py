"""The scorer tells a blurred face from one that shows, and counts both as it says."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tasks.exports.table import BOXES
from tests.benchmarks.labelled import LabelledClip, Task
from tests.benchmarks.quality import scored
from tests.clips import Actor, Pose, Script, Shot, draw_folder
from tests.scoring import Comparison, FaceScore, compare, hidden_share, runs, score_faces

COLLINS, HOPPER = "collins", "hopper"
NUM_FRAMES = 20
UNBLURRED = range(8, 11)  # of Hopper, in the blurred video


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both people, still, for 20 frames."""
    layers = (Actor(COLLINS, (Pose(0, 0.3, 0.42, 0.1),)), Actor(HOPPER, (Pose(0, 0.7, 0.5, 0.13),)))
    return draw_folder(Script((Shot(2.0, 6, layers),)), tmp_path_factory.mktemp("scored"), size=(640, 360), frame_rate=Fraction(10)).folder


def transcode(folder: Path, target: Path, blurred: set[str], num_frames: int = NUM_FRAMES, size: tuple[int, int] = (640, 360)) -> Path:
    rows = [json.loads(line) for line in (folder / "gt.jsonl").read_text().splitlines()]
    with av.open(str(folder / "video.mp4")) as source, av.open(str(target), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "25"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for index, frame in zip(range(num_frames), source.decode(video=0), strict=False):
            picture = frame.to_ndarray(format="bgr24")
            for face in rows[index]["faces"]:
                if face["person"] in blurred and not (face["person"] == HOPPER and index in UNBLURRED):
                    left, top, right, bottom = map(round, face["box"])
                    picture[top:bottom, left:right] = cv2.blur(picture[top:bottom, left:right], (31, 31))
            output.mux(stream.encode(av.VideoFrame.from_ndarray(cv2.resize(picture, size).astype(np.uint8), format="bgr24")))
        output.mux(stream.encode(None))
    return target


@pytest.fixture(scope="module")
def blurred(folder: Path) -> Comparison:
    return compare(folder, transcode(folder, folder / "blurred.mp4", {COLLINS, HOPPER}))


def test_a_transcode_without_blur_leaks_every_face(folder: Path) -> None:
    score = score_faces(compare(folder, transcode(folder, folder / "plain.mp4", set())), lambda _: True)
    assert (score.required, score.leak_percent, score.longest_leak_frames) == (2 * NUM_FRAMES, 100, NUM_FRAMES)


def test_a_transcode_without_blur_keeps_every_face(folder: Path) -> None:
    score = score_faces(compare(folder, transcode(folder, folder / "kept.mp4", set())), lambda _: False)
    assert (score.required, score.kept, score.over_blur_percent, score.leak_percent) == (0, 2 * NUM_FRAMES, 0, None)


def test_the_frames_that_show_a_face_are_named(blurred: Comparison) -> None:
    score = score_faces(blurred, lambda _: True)
    assert score.leaks == {HOPPER: list(UNBLURRED)}
    assert score.leak_percent == pytest.approx(100 * len(UNBLURRED) / (2 * NUM_FRAMES))
    assert (score.longest_leak_frames, score.worst_person, score.worst_person_percent) == (len(UNBLURRED), HOPPER, 15)


def test_the_benchmark_tells_all_of_a_run(folder: Path, tmp_path: Path) -> None:
    output = transcode(folder, tmp_path / "blurred.mp4", {COLLINS, HOPPER})
    with (tmp_path / "boxes.csv").open("w", newline="") as file:
        csv.writer(file).writerows([BOXES, *followed_as_labelled(folder)])
    row = scored(LabelledClip(folder), Task("everyone"), output, tmp_path / "boxes.csv")
    assert row["leaks"] == row["flickers"] == {HOPPER: "8-10"}  # for 0.4 seconds
    assert (row["flicker_frames"], row["lead_in_percent"], row["lead_out_percent"]) == (3, 0, 0)
    assert row["by_person"][HOPPER]["leak_all_percent"] == 15
    assert row["identities"]["people"]["idf1"] == row["identities"]["tracks"]["hota"] == 100
    assert (row["judged"][COLLINS], row["disagreements"]) == ("0-19", [])


def followed_as_labelled(folder: Path) -> list[tuple[object, ...]]:
    """A track a person, of true boxes."""
    rows = [json.loads(line) for line in (folder / "gt.jsonl").read_text().splitlines()]
    return [
        (row["frame"], row["frame"] / 10, number, number, "blurred", 0.9, *face["box"])
        for row in rows
        for number, face in enumerate(row["faces"])
    ]


def test_a_blurred_face_that_was_to_be_kept_is_over_blurred(blurred: Comparison) -> None:
    score = score_faces(blurred, lambda person: person == HOPPER)
    assert (score.over_blur_percent, score.over_blurred) == (100, {COLLINS: list(range(NUM_FRAMES))})


@pytest.mark.parametrize(
    ("num_frames", "size", "differs"),
    [
        (NUM_FRAMES, (640, 360), (0, 0, 0)),
        (NUM_FRAMES - 4, (640, 360), (4, 0, 0)),  # a result that ends too early shows what it leaves out
        (NUM_FRAMES, (480, 270), (0, 0, NUM_FRAMES)),  # another size is scored, and said
    ],
)
def test_other_differences_are_counted(folder: Path, num_frames: int, size: tuple[int, int], differs: tuple[int, int, int]) -> None:
    found = compare(folder, transcode(folder, folder / "other.mp4", {COLLINS, HOPPER}, num_frames, size))
    assert (found.num_missing, found.num_extra, found.num_resized) == differs


def test_hard_faces_are_counted_apart() -> None:
    faces = (FaceScore(0, "a", hard=True, hidden_share=0.1), FaceScore(0, "b", hard=False, hidden_share=0.9))
    score = score_faces(Comparison(faces, 1, 0, 0, 0), lambda _: True)
    assert (score.required, score.leak_percent, score.required_hard, score.leak_hard_percent) == (1, 0, 1, 100)


def test_a_face_without_texture_is_not_judged() -> None:
    flat = np.full((100, 100), 128, np.uint8)
    assert hidden_share(flat, flat, (10, 10, 90, 90)) is None


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], []),
        ([7], [(7, 7)]),
        ([3, 4, 5, 9], [(3, 5), (9, 9)]),
    ],
)
def test_runs(frames: list[int], expected: list[tuple[int, int]]) -> None:
    assert runs(frames) == expected
