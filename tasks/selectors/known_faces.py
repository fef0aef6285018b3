"""People known from photos."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tasks.method import Method
from tasks.selectors.likeness import compare
from tasks.selectors.verdicts import Evidence, Verdict


class KnownFaces(Method):
    """The people on photos: picture files, or folders of them; a folder in a folder is one person."""

    method: Literal["known_faces"] = "known_faces"
    photos: tuple[str, ...] = Field(min_length=1, description="paths of pictures or folders")
    match: float = Field(0.5, gt=0, description="distance of embeddings up to which a face is the photo's")
    no_match: float = Field(0.62, gt=0, description="distance from which it is not; between the two it is unsure")

    @model_validator(mode="after")
    def _in_order(self) -> KnownFaces:
        if self.match > self.no_match:
            raise ValueError(f"match ({self.match}) must not be above no_match ({self.no_match})")
        return self

    def pick(self, evidence: Evidence) -> list[Verdict]:
        return compare(evidence.tracks, evidence.photos, self.match, self.no_match)
