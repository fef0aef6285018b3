"""People known from photos."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.selectors.likeness import ByLikeness
from tasks.selectors.verdicts import Evidence, Verdict


class KnownFaces(ByLikeness):
    """The people on photos: picture files, or folders of them; a folder in a folder is one person."""

    method: Literal["known_faces"] = "known_faces"
    photos: tuple[str, ...] = Field(min_length=1, description="paths of pictures or folders")

    def pick(self, evidence: Evidence) -> list[Verdict]:
        return self.compare(evidence.tracks, evidence.photos)
