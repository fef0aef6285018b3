"""What is no face after all: left out where that is safe, and where somebody said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from tasks.faces import Floats, Ints
from tasks.matching import geometric_cost, share_inside
from tasks.method import Settings
from tasks.moments import Moment, frame_from
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.parts import Part
from tasks.video.upright import boxes_to_decoded

_MOSTLY = 0.8  # of a box's area that is inside a region
_PART = 0.5  # of a box's area that is inside another face's
_SAME_PLACE = 1.5  # geometric cost up to which two tracks may be one face that comes and goes
_SEEN_WELL = 0.2  # quality from which a look shows a face


class Ignored(Settings):
    """A place at which pictures on walls, statues and the like are no faces, in pixels of the upright picture."""

    left: float = Field(ge=0)
    top: float = Field(ge=0)
    right: float = Field(gt=0)
    bottom: float = Field(gt=0)
    start: Moment | None = Field(None, description="from the first frame from this time (62.5, 1:02.5) on, or from this one (1500f)")
    end: Moment | None = Field(None, description="up to the first frame from this time on, or this one; without it")

    @model_validator(mode="after")
    def _some_place(self) -> Ignored:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("right has to be more than left, and bottom more than top")
        return self

    def box(self, info: VideoInfo) -> Floats:
        """(4,), in pixels of the decoded picture."""
        upright = np.array([[self.left, self.top, self.right, self.bottom]], np.float32)
        return np.asarray(boxes_to_decoded(upright, *info.turn)[0], np.float32)

    def holds(self, frames: Ints, info: VideoInfo, index: FrameIndex, part: Part | None = None) -> npt.NDArray[np.bool_]:
        """(N,) at which frames it is ignored, counted from the part's first."""
        whole, before = (index, 0) if part is None else (part.index, part.first)
        first = frame_from(self.start, info, whole) - before if self.start else 0
        stop = frame_from(self.end, info, whole) - before if self.end else len(index)
        return np.asarray((frames >= first) & (frames < stop))


class FalsePositives(Settings):
    """Which tracks are left out: no one that once scored as a face does or was seen well, unless it is shorter than `min_frames`.

    Or unless it is a part of another face, whose other part something is in front of.
    """

    sure_score: float = Field(0.55, ge=0, le=1, description="a track with a face that scores so much stays")
    most_looks: int = Field(1, ge=0, description="and one that was seen more often; 0 leaves nothing out")
    alone_seconds: float = Field(2.0, ge=0, description="and one where, so long before or after, another track is at the same place")
    min_frames: int = Field(
        1, ge=1, description="tracks seen over fewer frames are left out whatever they show: the thesis's rule; 1 for none"
    )

    def without(self, tracks: Sequence[Track], frame_rate: float) -> list[Track]:
        """The tracks that stay."""
        spans = np.array([(track.first_seen, track.last_seen) for track in tracks]).reshape(-1, 2)
        looks = np.array([np.count_nonzero(track.seen) for track in tracks])
        long_enough = spans[:, 1] - spans[:, 0] + 1 >= self.min_frames

        def is_none(number: int) -> bool:
            track = tracks[number]
            if looks[number] > self.most_looks or track.quality >= _SEEN_WELL:
                return False
            weak = bool(track.seen.max() < self.sure_score)
            return (weak and self._is_alone(number, tracks, spans, frame_rate)) or self._is_part(number, tracks, spans, looks)

        return [track for number, track in enumerate(tracks) if long_enough[number] and not is_none(number)]

    def _is_part(self, number: int, tracks: Sequence[Track], spans: Ints, looks: Ints) -> bool:
        """Whether most of it was inside a face that was seen more often, before and after, wherever it was seen."""
        first, last = spans[number]
        seen = tracks[number].seen > 0
        boxes, frames = tracks[number].boxes[seen], tracks[number].frames[seen]
        around = np.flatnonzero((spans[:, 0] < first) & (spans[:, 1] > last) & (looks > self.most_looks)).tolist()
        shares = (share_inside(boxes, tracks[n].boxes[frames - tracks[n].first]).diagonal() for n in around)
        return any(bool((share > _PART).all()) for share in shares)

    def _is_alone(self, number: int, tracks: Sequence[Track], spans: Ints, frame_rate: float) -> bool:
        """Whether no other track is near in place and time."""
        first, last = spans[number]
        window = round(self.alone_seconds * frame_rate)
        near = np.flatnonzero((spans[:, 0] <= last + window) & (spans[:, 1] >= first - window) & (np.arange(len(spans)) != number))
        here = tracks[number].boxes[first - tracks[number].first][None]
        others = [tracks[n].boxes[np.clip(first, *spans[n]) - tracks[n].first] for n in near.tolist()]
        return not others or float(geometric_cost(here, np.array(others)).min()) > _SAME_PLACE


def without_ignored(tracks: Sequence[Track], places: Callable[[Ints], Sequence[tuple[npt.NDArray[np.bool_], Floats]]]) -> list[Track]:
    """The tracks that were seen anywhere but at ignored places: somebody who walks past a statue came from elsewhere.

    `places` says of each place at which frames it is ignored, and its box.
    """
    return [track for track in tracks if not _is_ignored(track, places)]


def _is_ignored(track: Track, places: Callable[[Ints], Sequence[tuple[npt.NDArray[np.bool_], Floats]]]) -> bool:
    seen = track.seen > 0
    boxes = track.boxes[seen]
    there = np.zeros(len(boxes), bool)
    for when, place in places(track.frames[seen]):
        there |= when & (share_inside(boxes, place[None])[:, 0] >= _MOSTLY)
    return bool(there.all())
