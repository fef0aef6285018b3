"""Presets: pairs of a detector and a recogniser under a name. What the plan says itself wins over its preset.

Thresholds are in the unit that a recogniser's boundary sets (`tasks/recognisers/boundary.py`): they belong to the pair without being here.
"""

from __future__ import annotations

from typing import Any, Literal

Preset = Literal[
    "fast", "balanced", "best", "thesis_deepface", "thesis_deepface_every_frame", "thesis_dlib", "thesis_dlib_every_frame"
]  # fmt: skip

_THESIS_DEEPFACE = {"detector": {"method": "retinaface"}, "recogniser": {"method": "facenet512"}}
_THESIS_DLIB = {"detector": {"method": "dlib_hog"}, "recogniser": {"method": "dlib"}}
_DYNAMIC = {"sampler": {"method": "dynamic_thesis"}}
_EVERY_FRAME = {"sampler": {"method": "every_frame"}}

PRESETS: dict[Preset, dict[str, Any]] = {
    "fast": {"find_faces": {"detector": {"method": "centerface", "max_long_side_pixels": 640}}},
    "balanced": {},
    "best": {"find_faces": {"detector": {"method": "retinaface", "max_long_side_pixels": 1280}, "recogniser": {"method": "facenet512"}}},
    "thesis_deepface": {"find_faces": _THESIS_DEEPFACE | _DYNAMIC},
    "thesis_deepface_every_frame": {"find_faces": _THESIS_DEEPFACE | _EVERY_FRAME},
    "thesis_dlib": {"find_faces": _THESIS_DLIB | _DYNAMIC},
    "thesis_dlib_every_frame": {"find_faces": _THESIS_DLIB | _EVERY_FRAME},
}
