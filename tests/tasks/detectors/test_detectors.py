"""Faces in pictures, with the real network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks.detectors.centerface import CenterFace
from tasks.faces import FaceBox
from tasks.matching import intersection_over_union
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tests.tasks.scenes import scene

DETECTORS = [CenterFace()]
QUICK = CenterFace(min_long_side_pixels=320)


def iou(box: np.ndarray, true: FaceBox) -> float:
    return float(intersection_over_union(box[None], np.array([[true.left, true.top, true.right, true.bottom]], np.float32))[0, 0])


@pytest.fixture(params=DETECTORS, ids=lambda settings: settings.method)
def detector(request):
    return request.param.load()


@pytest.mark.parametrize("person", ["collins", "hopper"])
@pytest.mark.parametrize("width", [20, 40, 120, 400])  # of 640: from far away to a close-up
def test_a_face_is_found_where_it_is(detector, person, width) -> None:
    picture, true = scene(person, width)
    faces = detector.detect(picture)
    assert len(faces) == 1
    assert iou(faces.boxes[0], true) > 0.7
    assert faces.scores[0] > 0.5
    left_eye, right_eye, nose, left_mouth, right_mouth = faces.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert left_mouth[0] < right_mouth[0]


def test_faces_of_a_clip_are_where_its_truth_says(detector, two_people_clip) -> None:
    info, index = probe_file(two_people_clip.video)
    ((_, frame),) = read_frames(two_people_clip.video, info, index, 0, 0)
    faces = detector.detect(frame.to_ndarray(format="bgr24"))
    truth = two_people_clip.truth.faces[0]
    assert len(faces) == len(truth) == 2
    assert all(max(iou(box, face.box) for box in faces.boxes) > 0.6 for face in truth)


@pytest.mark.parametrize("centre", [(0, 200), (400, 200), (200, 420), (20, 400)])  # half of it at the sides, a third below, a corner
def test_a_face_cut_by_the_edge_is_found_inside_the_picture(detector, centre) -> None:
    picture, true = scene("hopper", 140, (400, 400), centre)
    seen = FaceBox(max(true.left, 0), max(true.top, 0), min(true.right, 400), min(true.bottom, 400))
    faces = detector.detect(picture)
    assert len(faces) >= 1
    assert iou(faces.boxes[0], seen) > 0.5
    assert faces.boxes.min() >= 0
    assert faces.boxes.max() <= 400


SHAPES = [(1, 1), (2, 500), (500, 2), (16, 16), (31, 33), (40, 3000), (3000, 40)]


@pytest.mark.parametrize(("height", "width"), SHAPES)
def test_any_shape_is_looked_at(height, width) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (height, width, 3)).astype(np.uint8)
    faces = QUICK.load().detect(picture)
    assert faces.boxes.shape == (len(faces), 4)
    assert faces.landmarks.shape == (len(faces), 5, 2)
    assert np.all(faces.boxes <= [width, height, width, height])


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nobody_is_nobody(detector, level) -> None:
    assert len(detector.detect(np.full((360, 640, 3), level, np.uint8))) == 0


def test_several_threads_see_what_one_sees() -> None:
    detector = QUICK.load()
    pictures = [scene(person, width, (320, 320))[0] for person in ("collins", "hopper") for width in (40, 80, 160)]
    alone = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, pictures * 3))
    for one, other in zip(alone * 3, together, strict=True):
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.scores, other.scores)
