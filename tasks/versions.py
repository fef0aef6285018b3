"""What a result depends on besides what goes in: the stages' own versions and the models that come with this version of Veil."""

from __future__ import annotations

from functools import cache
from typing import Literal

from tasks.models.weights import list_models

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
    "probe_video": 2,
    "read_photos": 2,
    "find_shots": 3,
    "find_faces": 4,
    "read_sequences": 1,
    "follow_faces": 2,
    "build_tracks": 5,
    "edit_people": 1,
    "choose_people": 4,
    "blur_faces": 2,
    "verify_blur": 3,
}
"""Goes up whenever the same inputs give another result."""


@cache
def embedded_models() -> dict[str, str]:
    """SHA-256 by name of the models whose weights come with Veil."""
    return {model.name: str(model.sha256) for model in list_models() if model.origin == "embedded"}
