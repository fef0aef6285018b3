"""Faces in single frames: a box, and the faces found at the frames that were looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from tasks import arrays

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Face rectangle in pixels of the decoded picture; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """The faces of one picture, as a detector returns them.

    boxes: (N, 4) float32, left, top, right, bottom in pixels of that picture
    scores: (N,) float32, 0 to 1
    landmarks: (N, 5, 2) float32, x and y of both eyes, the nose tip and both corners of the mouth; of pairs, the picture's left one first
    """

    boxes: Floats
    scores: Floats
    landmarks: Floats

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def none(cls) -> Faces:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))

    def __getitem__(self, rows: Ints | npt.NDArray[np.bool_] | slice) -> Faces:
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Faces found at the looked-at frames of a stretch of video, in order of frame.

    looked: (L,) int64, the frames that were looked at, with or without a face
    frames: (N,) int64, the frame of each detection
    boxes, scores, landmarks: as in `Faces`, in pixels of the decoded picture
    embeddings: (N, D) float32, unit or raw as the recogniser gives them; rows of NaN where none was computed
    qualities: (N,) float32, 0 to 1, how much the embedding is to be trusted (size, sharpness, frontality)
    """

    looked: Ints
    frames: Ints
    boxes: Floats
    scores: Floats
    landmarks: Floats
    embeddings: Floats
    qualities: Floats

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, rows: Ints | npt.NDArray[np.bool_] | slice) -> Detections:
        """The chosen detections; `looked` stays whole."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self) if field.name != "looked"})

    def rows_at(self, frame: int) -> slice:
        """The rows of one frame."""
        return slice(*(int(row) for row in np.searchsorted(self.frames, [frame, frame + 1])))

    def within(self, first: int, last: int) -> Detections:
        """The looks, and what was found, from frame first to last, both included."""
        rows = slice(*(int(row) for row in np.searchsorted(self.frames, [first, last + 1])))
        looks = slice(*(int(row) for row in np.searchsorted(self.looked, [first, last + 1])))
        return replace(self[rows], looked=self.looked[looks])

    @classmethod
    def concatenate(cls, parts: Iterable[Detections]) -> Detections:
        """All looks as one, in order of frame; faces of a frame that was looked at twice are all there. Raises ValueError without parts."""
        parts = list(parts)
        joined = cls(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)})
        return replace(joined[np.argsort(joined.frames, kind="stable")], looked=np.unique(joined.looked))

    def to_bytes(self) -> bytes:
        """As one archive, of which only the embeddings that there are take room: most faces have none."""
        columns: dict[str, npt.NDArray[np.generic]] = {field.name: getattr(self, field.name) for field in fields(self)}
        known = np.flatnonzero(~np.isnan(self.embeddings).all(axis=1))
        columns["embeddings"] = self.embeddings[known].astype(np.float16)  # moves distances by less than a thousandth
        return arrays.pack(columns | {"embedded": known})

    @classmethod
    def from_bytes(cls, content: bytes) -> Detections:
        columns = arrays.unpack(content)
        known = columns.pop("embedded")
        embeddings = np.full((len(columns["frames"]), columns["embeddings"].shape[1]), np.nan, np.float32)
        embeddings[known] = columns["embeddings"]
        return cls(**columns | {"embeddings": embeddings})
