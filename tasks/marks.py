"""What a review video shows beside its faces: a box around each, whose it is, and why it is covered or kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tasks import arrays
from tasks.blurs.boxes import Mark
from tasks.faces import Ints
from tasks.tracks import Cover


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """The marks of a stretch of video.

    faces: covered and kept ones alike
    tracks: (T,) int64, in rising order, those that are told about
    covered: (T,) bool
    captions: (T,) str, of one line or more
    """

    faces: Cover
    tracks: Ints
    covered: npt.NDArray[np.bool_]
    captions: npt.NDArray[np.str_]

    def at(self, frame: int) -> list[Mark]:
        faces = self.faces.at(frame)
        rows = np.searchsorted(self.tracks, faces.tracks)
        return [Mark(box, bool(self.covered[row]), str(self.captions[row]).split("\n")) for box, row in zip(faces.boxes, rows, strict=True)]

    def within(self, first: int, last: int) -> Marks:
        return replace(self, faces=self.faces.within(first, last))

    def to_bytes(self) -> bytes:
        told = {"told": self.tracks, "covered": self.covered, "captions": self.captions}
        return arrays.pack(told | {name: getattr(self.faces, name) for name in ("frames", "boxes", "tracks")})

    @classmethod
    def from_bytes(cls, content: bytes) -> Marks:
        found = arrays.unpack(content)
        faces = Cover(found["frames"], found["boxes"], found["tracks"])
        return cls(faces, found["told"], found["covered"], found["captions"])
