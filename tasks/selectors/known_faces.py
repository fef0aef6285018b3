"""People known from photos."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FieldSerializationInfo, field_serializer

from tasks.method import FOR_A_KEY
from tasks.selectors.likeness import ByLikeness
from tasks.selectors.verdicts import Evidence, Verdict


class KnownFaces(ByLikeness):
    """The people on photos: picture files, or folders of them; a folder in a folder is one person."""

    method: Literal["known_faces"] = "known_faces"
    photos: tuple[str, ...] = Field(min_length=1, description="paths of pictures or folders")
    names: tuple[str, ...] = Field(
        (), description="of the people on them, which are filled in when work begins; without them all photos count"
    )

    @field_serializer("photos")
    def _photos(self, photos: tuple[str, ...], info: FieldSerializationInfo) -> tuple[str, ...]:
        # What is on them is in a key by itself, so that a photo may be moved.
        return () if info.context == FOR_A_KEY else photos

    def pick(self, evidence: Evidence) -> list[Verdict]:
        meant = {name: embeddings for name, embeddings in evidence.photos.items() if not self.names or name in self.names}
        return self.compare(evidence, meant)
