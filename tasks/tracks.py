"""Faces through time: shots, tracks, and the cover that is rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from tasks import arrays
from tasks.faces import FaceBox, Floats, Ints
from tasks.method import Settings


class Shot(Settings):
    """Frames `first` to `last`, both included; every frame belongs to one shot, a fade is divided in its middle.

    Its picture is visible in frames `visible_first` to `visible_last`: beyond its own frames where a fade joins it to a neighbour.
    """

    first: int
    last: int
    visible_first: int
    visible_last: int

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1


Span = tuple[int, int]
"""first and last frame"""


def fades_between(shots: Sequence[Shot]) -> list[Span]:
    """First and last frame of each stretch in which two of the shots, which are in order, are visible at once."""
    visible = dict.fromkeys((shot.visible_first, shot.visible_last) for shot in shots)  # a shot's parts are visible as the whole is
    return [(after, before) for (_, before), (after, _) in pairwise(visible) if after <= before]


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One face through consecutive frames of one shot.

    frames: (N,) int64, every frame from first to last
    boxes: (N, 4) float32, row i is at frames[i]; left, top, right, bottom in pixels of the decoded picture
    seen: (N,) float32, the detector's score where the face was looked at and found, 0 where it was filled in
    embedding: (D,) float32, quality-weighted mean over the track's detections; NaN where none was computed
    quality: 0 to 1, of the best detection
    best: index into frames of the detection to show a person
    person: 0, 1, 2, …, the same for tracks that show the same face; in order of appearance
    frontality: 0 to 1, of the most frontal detection that has an embedding: 1 from the front, 0 a profile
    place: the same for tracks at one place of a picture that was cut away from and back to (see `tasks.returns`); -1 for none
    """

    frames: Ints
    boxes: Floats
    seen: Floats
    embedding: Floats
    quality: float
    best: int
    person: int
    frontality: float = 1.0
    place: int = -1

    @property
    def first(self) -> int:
        return int(self.frames[0])

    @property
    def last(self) -> int:
        return int(self.frames[-1])

    @property
    def first_seen(self) -> int:
        """The frame of the first detection; before it the track is a guess."""
        return int(self.frames[np.flatnonzero(self.seen)[0]])

    @property
    def last_seen(self) -> int:
        """The frame of the last detection; after it the track is a guess."""
        return int(self.frames[np.flatnonzero(self.seen)[-1]])

    def box_at(self, frame: int) -> FaceBox:
        """Raises IndexError where the track does not reach."""
        if frame < self.first:
            raise IndexError(f"frame {frame} is before the track's first, {self.first}")
        return FaceBox(*map(float, self.boxes[frame - self.first]))


def seen_together(tracks: Sequence[Track], fades: Sequence[Span] = ()) -> Ints:
    """(P, 2): the pairs of tracks, by their places, that were both seen between the first and last detection of either: two people.

    In `fades` two shots are seen at once, and somebody in both of them twice.
    """
    spans = np.array([(track.first_seen, track.last_seen) for track in tracks], np.int64).reshape(-1, 2)
    order = np.argsort(spans[:, 0], kind="stable")
    numbers = np.arange(len(tracks))
    after = np.searchsorted(spans[order, 0], spans[order, 1], side="right")
    one = np.repeat(numbers, after - numbers - 1)
    # Those that begin after it, up to the last one that begins before it ends.
    ends = np.cumsum(after - numbers - 1)
    other = np.arange(len(one)) - np.repeat(ends - (after - numbers - 1), after - numbers - 1) + one + 1
    pairs = np.stack([order[one], order[other]], axis=1)
    begins, stops = spans[pairs, 0].max(axis=1), spans[pairs, 1].min(axis=1)
    apart = np.ones(len(pairs), bool)
    for first, last in fades:
        apart &= (begins < first) | (stops > last)
    return np.asarray(pairs[apart], np.int64)


_PER_FRAME = ("frames", "boxes", "seen")


def tracks_to_bytes(tracks: Sequence[Track]) -> bytes:
    """Tracks as one archive: the per-frame arrays end to end, the per-track ones a row a track."""
    lengths = np.array([len(track.frames) for track in tracks], np.int64)
    columns: dict[str, npt.NDArray[np.generic]] = {"lengths": lengths}
    for field in fields(Track):
        values = [getattr(track, field.name) for track in tracks]
        columns[field.name] = _end_to_end(values) if field.name in _PER_FRAME else np.array(values)
    return arrays.pack(columns)


def tracks_from_bytes(content: bytes) -> list[Track]:
    """The inverse of `tracks_to_bytes`."""
    columns = arrays.unpack(content)
    borders = np.cumsum(columns.pop("lengths"))[:-1]
    if not len(columns["person"]):
        return []
    per_track: dict[str, Any] = {name: np.split(column, borders) if name in _PER_FRAME else column for name, column in columns.items()}
    return [
        Track(**{name: (value[i] if np.ndim(value[i]) else value[i].item()) for name, value in per_track.items()})
        for i in range(len(columns["person"]))
    ]


def _end_to_end(values: list[npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    return np.concatenate(values) if values else np.zeros(0)


NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """What gets blurred, frame by frame: the only thing that the rendering stage looks at. In order of frame.

    frames: (N,) int64
    boxes: (N, 4) float32, the faces' boxes (the blur decides how far beyond them it reaches)
    tracks: (N,) int64, whose face it is, NOBODY for none's: an anchor for what must stay steady from frame to frame
    """

    frames: Ints
    boxes: Floats
    tracks: Ints

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def num_frames(self) -> int:
        """How many frames have any cover."""
        return len(np.unique(self.frames))

    def within(self, first: int, last: int) -> Cover:
        """The cover of frames first to last, both included."""
        rows = slice(*(int(row) for row in np.searchsorted(self.frames, [first, last + 1])))
        return Cover(self.frames[rows], self.boxes[rows], self.tracks[rows])

    def at(self, frame: int) -> Cover:
        return self.within(frame, frame)

    @classmethod
    def concatenate(cls, parts: Sequence[Cover]) -> Cover:
        """The cover of consecutive stretches as one."""
        return cls(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)})

    @classmethod
    def together(cls, parts: Sequence[Cover]) -> Cover:
        """The cover of the same stretch, all of it."""
        every = cls.concatenate(parts)
        order = np.argsort(every.frames, kind="stable")
        return cls(every.frames[order], every.boxes[order], every.tracks[order])

    @classmethod
    def of_whole_pictures(cls, spans: Sequence[Span], width: int, height: int) -> Cover:
        """All of the picture in the frames of the spans: nobody's face. The boxes are so large that an oval in them holds the picture."""
        frames = np.concatenate([np.zeros(0, np.int64), *(np.arange(first, last + 1) for first, last in spans)])
        box = np.array([-width / 2, -height / 2, width * 3 / 2, height * 3 / 2], np.float32)
        return cls(frames, np.tile(box, (len(frames), 1)), np.full(len(frames), NOBODY))

    @classmethod
    def from_tracks(cls, tracks: Sequence[Track], numbers: Sequence[int]) -> Cover:
        """The cover of the tracks with these numbers (their places in `tracks`)."""
        frames = np.concatenate([tracks[n].frames for n in numbers]) if numbers else np.zeros(0, np.int64)
        boxes = np.concatenate([tracks[n].boxes for n in numbers]) if numbers else np.zeros((0, 4), np.float32)
        owners = np.repeat(np.array(numbers, np.int64), [len(tracks[n].frames) for n in numbers])
        order = np.lexsort((owners, frames))
        return cls(frames[order].astype(np.int64), boxes[order].astype(np.float32), owners[order])

    def to_bytes(self) -> bytes:
        return arrays.pack({field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def from_bytes(cls, content: bytes) -> Cover:
        return cls(**arrays.unpack(content))
