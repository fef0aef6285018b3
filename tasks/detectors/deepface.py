"""Any detector that DeepFace offers (Serengil and Özpınar, https://github.com/serengil/deepface), without what DeepFace does around it.

DeepFace itself pads the picture, turns each face upright, rounds scores, and where it finds nobody may give the whole picture for a face.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from tasks.detectors import places
from tasks.detectors.sized import Picture, Sized, SizedDetector
from tasks.errors import BadSetting
from tasks.faces import Faces
from tasks.models.deepface import modeling
from tasks.models.runtime import ON_ANYTHING, Runtime
from tasks.models.weights import check_ready, list_models

Backend = Literal[
    "opencv", "ssd", "dlib", "mtcnn", "fastmtcnn", "retinaface", "mediapipe", "yunet", "centerface",
    "yolov8n", "yolov8m", "yolov8l", "yolov11n", "yolov11s", "yolov11m", "yolov11l", "yolov12n", "yolov12s", "yolov12m", "yolov12l",
]  # fmt: skip


class DeepFaceDetector(Sized):
    """A detector as DeepFace has it, on the CPU, one picture at a time; some may not be used commercially."""

    method: Literal["deepface"] = "deepface"
    backend: Backend = "retinaface"

    margin_pixels: ClassVar[int] = 32

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in list_models() if entry.task == "detector" and entry.deepface_name == self.backend)

    def load(self, runtime: Runtime = ON_ANYTHING) -> SizedDetector:
        for name in self.models:
            check_ready(name)  # what is there DeepFace does not download
        try:
            with warnings.catch_warnings():
                client = modeling().build_model("face_detector", self.backend)
        except (ValueError, ImportError, AttributeError) as error:
            problem = f"DeepFace cannot load it ({str(error).strip().splitlines()[0]})"
            raise BadSetting(f"detector.backend {self.backend}", problem, fix="install what it asks for, or choose another") from error
        return SizedDetector(self, DeepFaceClient(client))


@dataclass(frozen=True)
class DeepFaceClient:
    """DeepFace's client of a detector; none of them says that it may be called by several threads."""

    client: Any
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, picture_bgr: Picture) -> Faces:
        with self.lock:
            areas = self.client.detect_faces(np.ascontiguousarray(picture_bgr))
        if not areas:
            return Faces.none()
        boxes = np.array([(area.x, area.y, area.x + area.w, area.y + area.h) for area in areas], np.float32)
        scores = np.array([1.0 if area.confidence is None else area.confidence for area in areas], np.float32)
        landmarks = places.in_boxes(boxes)
        for row, area in enumerate(areas):
            if area.left_eye is not None and area.right_eye is not None:
                # its right and left are the person's
                landmarks[row] = places.from_eyes(np.array([[area.right_eye, area.left_eye]], np.float32))[0]
            for point, place in ((2, area.nose), (3, area.mouth_right), (4, area.mouth_left)):
                if place is not None:
                    landmarks[row, point] = place
        return Faces(boxes, np.clip(scores, 0, 1), places.left_first(landmarks))
