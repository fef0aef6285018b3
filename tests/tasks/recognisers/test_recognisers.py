"""Embeddings and how far they are to be trusted."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tasks.calibration import calibration_of
from tasks.detectors.centerface import CenterFace
from tasks.errors import BadWeights, MissingWeights
from tasks.faces import Faces
from tasks.models import session, weights
from tasks.models.frozen_graph import load_graph
from tasks.models.weights import find_model, list_models
from tasks.plan import FindFaces
from tasks.recognisers import chips
from tasks.recognisers.deepface import ArcFace, Facenet, Facenet512, GhostFaceNet, OpenFace, SFace
from tasks.recognisers.dlib import DlibResNet
from tasks.recognisers.faceres import FORM, Faceres
from tasks.recognisers.hse_resnet50 import HseResNet50
from tasks.recognisers.none import NoRecogniser
from tests.clips import reference_photo
from tests.fakes import faces_of, square
from tests.stand_ins import write_frozen_graph, write_recogniser
from tests.tasks.scenes import scene

DOWNLOADED = [Facenet512(), Facenet(), ArcFace(), SFace(), GhostFaceNet(), OpenFace()]
EMBEDDED = [Faceres(), DlibResNet()]
ALL = [*EMBEDDED, NoRecogniser(), HseResNet50(), *DOWNLOADED]
EYES = np.array([[60, 60], [100, 60], [80, 80], [65, 100], [95, 100]], np.float32)


def detected(picture) -> Faces:
    return CenterFace().load().detect(picture)[np.array([0])]


def embedded(picture, faces=None, settings=EMBEDDED[0]):
    embeddings, qualities = settings.load().embed(picture, detected(picture) if faces is None else faces)
    return embeddings[0], float(qualities[0])


@pytest.fixture
def stand_ins(tmp_path, monkeypatch) -> None:
    """Networks with random weights in place of those that have to be downloaded, whatever hash those have."""
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setattr(session, "_sessions", {})
    entries = tuple(entry.model_copy(update={"sha256": None if entry.origin == "download" else entry.sha256}) for entry in list_models())
    monkeypatch.setattr(weights, "list_models", lambda: entries)
    write_frozen_graph(tmp_path / ".deepface" / "weights" / find_model("hse_resnet50").file, 224, HseResNet50.dimensions)
    load_graph.cache_clear()
    for settings in DOWNLOADED:
        path = tmp_path / ".deepface" / "weights" / find_model(settings.method).file
        write_recogniser(path, settings.form.pixels, settings.dimensions, channels_first=settings.method == "sface")


@pytest.mark.parametrize("settings", ALL, ids=lambda settings: settings.method)
@pytest.mark.parametrize("boxes", [[], [square(50, 50, 60)], [square(50, 50, 60), square(150, 50, 10), square(-5, 190, 60)]])
def test_a_row_a_face(stand_ins, settings, boxes) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    embeddings, qualities = settings.load().embed(picture, faces_of(boxes))
    assert embeddings.shape[0] == len(qualities) == len(boxes)
    assert embeddings.ndim == 2
    assert (embeddings.dtype, qualities.dtype) == (np.float32, np.float32)
    assert np.all((qualities >= 0) & (qualities <= 1))
    assert np.all(qualities[np.isnan(embeddings).any(1)] == 0), "what is not known is not trusted"


def test_every_recogniser_is_among_them() -> None:
    mapping = FindFaces.model_json_schema()["properties"]["recogniser"]["discriminator"]["mapping"]
    assert {settings.method for settings in ALL} == set(mapping)


def test_a_frozen_graph_gives_vectors_of_one_length(stand_ins) -> None:
    picture, _ = scene("hopper", 120, (320, 320))
    (embedding,), (quality,) = HseResNet50().load().embed(picture, faces_of([square(160, 160, 120)]))
    assert embedding.shape == (2048,)
    assert np.linalg.norm(embedding) == pytest.approx(0.6)
    assert quality > 0


def test_another_file_is_no_frozen_graph(stand_ins, tmp_path) -> None:
    path = tmp_path / ".deepface" / "weights" / find_model("hse_resnet50").file
    path.write_bytes(b"something else")
    with pytest.raises(BadWeights, match="is not the graph that was meant"):
        HseResNet50().load()


@pytest.mark.parametrize("settings", DOWNLOADED, ids=lambda settings: settings.method)
def test_deepface_says_the_same_of_one_face_as_of_several(stand_ins, settings) -> None:
    """And all vectors are as long as the recogniser's boundary makes them."""
    picture, _ = scene("hopper", 120, (320, 320))
    places = [square(160, 160, 120), square(120, 140, 80), square(200, 180, 60)]
    together, _ = settings.load().embed(picture, faces_of(places))
    for row, place in enumerate(places):
        alone, _ = settings.load().embed(picture, faces_of([place]))
        np.testing.assert_allclose(alone[0], together[row], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 0.6 / settings.boundary, rtol=1e-4)
    assert np.linalg.norm(together[0] - together[1]) > 0.01, "other pixels, another vector"


@pytest.mark.parametrize("settings", DOWNLOADED, ids=lambda settings: settings.method)
def test_deepface_is_not_left_to_download_what_is_not_there(tmp_path, monkeypatch, settings) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setattr(session, "_sessions", {})
    with pytest.raises(MissingWeights, match=f"veil models fetch {settings.method}"):
        settings.load()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("settings", DOWNLOADED, ids=lambda settings: settings.method)
def test_the_real_ones_tell_people_apart(settings) -> None:
    try:
        recogniser = settings.load()
    except MissingWeights as error:
        pytest.skip(str(error))
    of = {person: recogniser.embed(reference_photo(person), detected(reference_photo(person)))[0][0] for person in ("collins", "hopper")}
    picture, _ = scene("hopper", 120)
    seen = recogniser.embed(picture, detected(picture))[0][0]
    assert np.linalg.norm(seen - of["hopper"]) < 0.5
    assert np.linalg.norm(seen - of["collins"]) > 0.62


@pytest.mark.parametrize("boundary", [0.3, 0.6, 1.2])
def test_a_boundary_is_a_unit(boundary) -> None:
    faces = detected(scene("hopper", 120)[0])
    plain, scaled = (DlibResNet(boundary=each).load().embed(scene("hopper", 120)[0], faces)[0] for each in (0.6, boundary))
    np.testing.assert_allclose(scaled, plain * 0.6 / boundary, rtol=1e-5)


def test_every_form_is_a_face_in_its_square() -> None:
    """Eyes level at the same height, above the nose, above the mouth, all of it inside, the middle in the middle."""
    for form in [chips.DLIB_FORM, FORM, *(settings.form for settings in DOWNLOADED)]:
        left_eye, right_eye, nose, left_mouth, right_mouth = form.landmarks / form.pixels
        assert abs(left_eye[1] - right_eye[1]) < 0.01
        assert left_eye[1] < nose[1] < min(left_mouth[1], right_mouth[1]) < 0.9
        assert left_eye[0] > 0.2
        assert right_eye[0] < 0.8
        assert abs((left_eye[0] + right_eye[0]) / 2 - 0.5) < 0.02


@pytest.mark.parametrize("settings", EMBEDDED, ids=lambda settings: settings.method)
@pytest.mark.parametrize("person", ["collins", "hopper"])
@pytest.mark.parametrize("width", [40, 120, 400])
def test_the_same_person_is_near_and_another_is_far(settings, person, width) -> None:
    calibration = calibration_of(settings.method)
    photos = [embedded(reference_photo(each), settings=settings)[0] for each in (person, "hopper" if person == "collins" else "collins")]
    embedding, quality = embedded(scene(person, width)[0], settings=settings)
    near, far = calibration.photo.log_ratio(np.linalg.norm(photos - embedding, axis=1), calibration.octaves(quality))
    assert near > np.log(100)
    assert far < 0


@pytest.mark.parametrize("turn_degrees", [-30, 30])
def test_a_tilted_head_gives_the_same_chip(turn_degrees) -> None:
    picture, _ = scene("hopper", 160)
    faces = detected(picture)
    matrix = cv2.getRotationMatrix2D((320, 320), turn_degrees, 1)
    turned = cv2.warpAffine(picture, matrix, (640, 640), borderMode=cv2.BORDER_REPLICATE)
    landmarks = (faces.landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    one, other = chips.warp(picture, faces.landmarks[0]), chips.warp(turned, landmarks[0])
    assert one.shape == (150, 150, 3)
    assert np.abs(one[30:120, 30:120].astype(int) - other[30:120, 30:120]).mean() < 4
    assert np.linalg.norm(embedded(turned, Faces(faces.boxes, faces.scores, landmarks))[0] - embedded(picture, faces)[0]) < 0.15


def test_a_chip_is_upright_and_in_its_place() -> None:
    """Marks at the eyes and the mouth, wherever the face lies: above the middle, and below it."""
    picture = np.zeros((300, 300, 3), np.uint8)
    for (x, y), colour in zip(EYES[[0, 1, 3, 4]] + 70, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], strict=True):
        cv2.circle(picture, (int(x), int(y)), 6, colour, -1)
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(picture, turns))
        points = EYES + 70
        for _ in range(turns):
            points = np.stack([points[:, 1], 300 - points[:, 0]], 1)
        chip = chips.warp(turned, points.astype(np.float32)).astype(int)
        blue, green, red = (np.argwhere((chip[..., c] > 128) & (chip.sum(2) < 400)).mean(0) for c in range(3))
        assert blue[1] < 75 < green[1], "the left eye is at the left"
        assert max(blue[0], green[0]) < 75 < red[0], "the mouth is below"


@pytest.mark.parametrize(("width", "is_known"), [(19, False), (20, True)])
def test_small_faces_have_no_embedding(width, is_known) -> None:
    embedding, quality = embedded(scene("hopper", 60)[0], faces_of([square(320, 320, width)]))
    assert np.isnan(embedding).any() != is_known
    assert (quality > 0) == is_known


def test_quality_falls_with_size_sharpness_and_turning_away() -> None:
    picture, _ = scene("hopper", 160)
    faces = detected(picture)
    best = embedded(picture, faces)[1]
    assert embedded(scene("hopper", 40)[0])[1] < 0.7 * best
    assert embedded(cv2.GaussianBlur(picture, (0, 0), 5), faces)[1] < 0.7 * best
    profile = faces.landmarks.copy()
    profile[0, 2, 0] = profile[0, 1, 0]  # the nose before an eye
    assert embedded(picture, Faces(faces.boxes, faces.scores, profile))[1] < 0.7 * best


@pytest.mark.parametrize(("nose_x", "expected"), [(80, 1), (70, 0.5), (90, 0.5), (60, 0), (100, 0), (120, 0)])
def test_frontality(nose_x, expected) -> None:
    landmarks = EYES.copy()
    landmarks[2, 0] = nose_x
    assert chips.frontality(landmarks) == pytest.approx(expected, abs=1e-5)


def test_landmarks_in_one_point_are_no_face() -> None:
    assert chips.frontality(np.zeros((5, 2), np.float32)) == 0
    assert chips.warp(np.zeros((50, 50, 3), np.uint8), np.full((5, 2), 20, np.float32)).shape == (150, 150, 3)
