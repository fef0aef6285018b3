"""What a result depends on besides what goes in: the stages' own versions and the models that come with this version of Veil."""

from __future__ import annotations

from functools import cache

from tasks.models.weights import list_models

STAGES = {
    "probe_video": 2,
    "read_photos": 2,
    "find_shots": 3,
    "find_faces": 4,
    "build_tracks": 2,
    "edit_people": 1,
    "choose_people": 3,
    "blur_faces": 2,
    "verify_blur": 3,
}
"""Goes up whenever the same inputs give another result."""


@cache
def embedded_models() -> dict[str, str]:
    """SHA-256 by name of the models whose weights come with Veil."""
    return {model.name: str(model.sha256) for model in list_models() if model.origin == "embedded"}
