"""Faces in pictures: what every detector owes, with the real models of those that are at hand."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from tasks.detectors.centerface import CenterFace
from tasks.detectors.deepface import DeepFaceDetector
from tasks.detectors.dlib_family import DlibCnn, DlibHog
from tasks.detectors.haar import Haar
from tasks.detectors.mtcnn import Mtcnn
from tasks.detectors.retinaface import RetinaFace
from tasks.detectors.sized import Sized, SizedDetector
from tasks.detectors.yuface import YuFace
from tasks.detectors.yunet import YuNet
from tasks.errors import VeilError
from tasks.faces import FaceBox
from tasks.matching import intersection_over_union
from tasks.models.weights import check_ready
from tasks.plan import FindFaces
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tests.tasks.scenes import scene

SIDE = 320  # of the square pictures that all of them are shown, and at which all of them look
AT_THAT = {"min_long_side_pixels": SIDE, "max_long_side_pixels": SIDE}


class Promise(NamedTuple):
    """What a detector has to find."""

    settings: Sized
    widths: tuple[int, ...]  # of a face, in pixels of a picture of 320
    tilt_degrees: int  # of a head
    cut_share: float  # of a face, by the picture's edge


PROMISES = [
    Promise(CenterFace(**AT_THAT), (16, 40, 120, 220), 30, 0.5),
    Promise(YuFace(**AT_THAT), (16, 40, 120, 220), 30, 0.3),
    Promise(Mtcnn(**AT_THAT), (24, 120, 220), 20, 0.2),  # its first network sees upright faces only
    Promise(DlibHog(**AT_THAT), (64, 120, 220), 10, 0.2),  # one template for upright faces
    Promise(DlibCnn(min_long_side_pixels=240, max_long_side_pixels=240), (100, 220), 20, 0.2),  # a second a look even so
    Promise(Haar(**AT_THAT), (40, 120, 220), 10, 0.0),
    Promise(YuNet(**AT_THAT), (16, 40, 120, 220), 30, 0.3),
    Promise(RetinaFace(**AT_THAT), (16, 40, 120, 220), 30, 0.3),
    Promise(DeepFaceDetector(backend="mtcnn", min_long_side_pixels=160, max_long_side_pixels=160), (60, 120), 10, 0.2),
    Promise(DeepFaceDetector(backend="yunet", **AT_THAT), (40, 120), 10, 0.2),
    Promise(DeepFaceDetector(backend="retinaface", **AT_THAT), (40, 120), 10, 0.2),
]


def name_of(promise: Promise) -> str:
    settings = promise.settings
    return f"deepface-{settings.backend}" if isinstance(settings, DeepFaceDetector) else settings.method


def absence_of(settings: Sized) -> str | None:
    """Why a detector cannot be tried here."""
    try:
        for name in settings.models:
            check_ready(name)
    except VeilError as error:
        return str(error)
    return None


AT_HAND = [promise for promise in PROMISES if not absence_of(promise.settings)]
ABSENT = [promise for promise in PROMISES if absence_of(promise.settings)]


SLOW = {"dlib_cnn": pytest.mark.slow}


@pytest.fixture(scope="module", params=[pytest.param(each, id=name_of(each), marks=SLOW.get(name_of(each), ())) for each in AT_HAND])
def promise(request) -> Promise:
    return request.param


@pytest.fixture(scope="module")
def detector(promise) -> SizedDetector:
    return promise.settings.load()


def iou(box: np.ndarray, true: FaceBox) -> float:
    return float(intersection_over_union(box[None], np.array([[true.left, true.top, true.right, true.bottom]], np.float32))[0, 0])


def check_finds(detector: SizedDetector, promise: Promise) -> None:
    """Everything that is promised of one picture after the other."""
    for person, width in [(person, width) for person in ("collins", "hopper") for width in promise.widths]:
        picture, true = scene(person, width, (SIDE, SIDE))
        faces = detector.detect(picture)
        assert (faces.boxes.dtype, faces.scores.dtype, faces.landmarks.dtype) == (np.float32, np.float32, np.float32)
        assert (faces.boxes.shape, faces.landmarks.shape) == ((len(faces), 4), (len(faces), 5, 2))
        assert len(faces) == 1, (person, width, faces)
        assert iou(faces.boxes[0], true) > 0.5
        assert 0.5 < faces.scores[0] <= 1
        left_eye, right_eye, nose, left_mouth, right_mouth = faces.landmarks[0]
        assert true.left < left_eye[0] < nose[0] < right_eye[0] < true.right
        assert true.top < max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1]) < true.bottom
        assert left_mouth[0] < right_mouth[0]


def test_a_face_is_found_where_it_is(detector, promise) -> None:
    check_finds(detector, promise)


@pytest.mark.parametrize("promise", ABSENT, ids=name_of)
def test_a_face_is_found_once_the_model_is_there(promise) -> None:
    if reason := absence_of(promise.settings):
        pytest.skip(reason)
    check_finds(promise.settings.load(), promise)


def test_every_detector_has_promised() -> None:
    methods = {promise.settings.method for promise in PROMISES}
    mapping = FindFaces.model_json_schema()["properties"]["detector"]["discriminator"]["mapping"]
    assert methods == set(mapping)


@pytest.mark.parametrize("direction", [-1, 1])
def test_a_tilted_head_is_found(detector, promise, direction) -> None:
    picture, true = scene("hopper", 100, (SIDE, SIDE), turn_degrees=direction * promise.tilt_degrees)
    faces = detector.detect(picture)
    assert len(faces) == 1
    assert iou(faces.boxes[0], true) > 0.4  # the box of the face before it was turned


@pytest.mark.parametrize("edge", ["left", "right", "bottom"])
def test_a_face_cut_by_the_edge_is_found_inside_the_picture(detector, promise, edge) -> None:
    reach = 110 * (0.5 - promise.cut_share)  # of the face, inside the picture beyond its middle
    centre = {"left": (reach, SIDE / 2), "right": (SIDE - reach, SIDE / 2), "bottom": (SIDE / 2, SIDE - 60)}[edge]
    picture, true = scene("hopper", 110, (SIDE, SIDE), centre)
    seen = FaceBox(max(true.left, 0), max(true.top, 0), min(true.right, SIDE), min(true.bottom, SIDE))
    faces = detector.detect(picture)
    assert len(faces) >= 1
    assert iou(faces.boxes[0], seen) > 0.5
    assert faces.boxes.min() >= 0
    assert faces.boxes.max() <= SIDE


def test_a_picture_without_colours_is_as_good(detector, promise) -> None:
    picture, true = scene("hopper", 120, (SIDE, SIDE))
    gray = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    faces = detector.detect(gray)
    assert len(faces) == 1
    assert iou(faces.boxes[0], true) > 0.5


@pytest.mark.parametrize("level", [0, 128, 255])
def test_nobody_is_nobody(detector, level) -> None:
    assert len(detector.detect(np.full((180, 240, 3), level, np.uint8))) == 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 300), (31, 33), (300, 20)])
def test_any_shape_is_looked_at(detector, height, width) -> None:
    faces = detector.detect(np.random.default_rng(2).integers(0, 256, (height, width, 3)).astype(np.uint8))
    assert faces.boxes.shape == (len(faces), 4)
    assert faces.landmarks.shape == (len(faces), 5, 2)
    assert np.all(faces.boxes <= [width, height, width, height])


def test_several_threads_see_what_one_sees(detector) -> None:
    pictures = [scene(person, width, (SIDE, SIDE))[0] for person, width in (("collins", 90), ("hopper", 150))]
    alone = [detector.detect(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, pictures * 2))
    for one, other in zip(alone * 2, together, strict=True):
        np.testing.assert_allclose(other.boxes, one.boxes, atol=0.01)
        np.testing.assert_allclose(other.scores, one.scores, atol=1e-4)


def test_faces_of_a_clip_are_where_its_truth_says(two_people_clip) -> None:
    info, index = probe_file(two_people_clip.video)
    ((_, frame),) = read_frames(two_people_clip.video, info, index, 0, 0)
    faces = CenterFace().load().detect(frame.to_ndarray(format="bgr24"))
    truth = two_people_clip.truth.faces[0]
    assert len(faces) == len(truth) == 2
    assert all(max(iou(box, face.box) for box in faces.boxes) > 0.6 for face in truth)


@pytest.mark.parametrize("width", [20, 400, 560])  # of 640: from far away to a close-up
def test_the_default_finds_all_sizes(width) -> None:
    picture, true = scene("hopper", width)
    faces = CenterFace().load().detect(picture)
    assert len(faces) == 1
    assert iou(faces.boxes[0], true) > 0.7
