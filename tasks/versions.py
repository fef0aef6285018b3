"""What a result depends on besides what goes in: the stages' own versions and the models that come with this version of Veil."""

from __future__ import annotations

from functools import cache
from typing import Literal

from tasks.calibration import FILE as CALIBRATION
from tasks.hashing import file_sha256
from tasks.models.weights import list_models
from tasks.recognisers.faceres import MEAN_FILE as MEAN_FACE

StageName = Literal[
    "probe_video",
    "read_photos",
    "find_shots",
    "find_faces",
    "read_sequences",
    "follow_faces",
    "build_tracks",
    "edit_people",
    "choose_people",
    "blur_faces",
    "verify_blur",
]
"""In the order in which they run."""

STAGES: dict[StageName, int] = {
    "probe_video": 4,
    "read_photos": 3,
    "find_shots": 4,
    "find_faces": 5,
    "read_sequences": 1,
    "follow_faces": 2,
    "build_tracks": 7,
    "edit_people": 1,
    "choose_people": 6,
    "blur_faces": 2,
    "verify_blur": 3,
}
"""Goes up whenever the same inputs give another result."""


@cache
def embedded_models() -> dict[str, str]:
    """SHA-256 by name of the models whose weights come with Veil, and of what they were calibrated to."""
    calibrations = {path.name: file_sha256(path) for path in (CALIBRATION, MEAN_FACE)}
    return {model.name: str(model.sha256) for model in list_models() if model.origin == "embedded"} | calibrations
