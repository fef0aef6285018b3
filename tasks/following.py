"""Faces followed on the pictures: from where a detector saw them, to where they leave the picture or are lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import av
import numpy as np

from tasks.faces import Detections, Floats, Ints
from tasks.flow_tracker import Grey, moved
from tasks.matching import intersection_over_union, share_inside
from tasks.samplers.looks import Look
from tasks.tracks import Shot
from tasks.trails import Start, Trail

_LONG_SIDE = 960  # pixels, of the pictures on which faces are followed
_INSIDE = 0.3  # share of a box inside the picture, below which there is nothing to follow
_REACH = 1.2  # of a face's size, round where it should be
_TAKEN = 0.5  # IoU with another face that is seen there: it is that one which is followed,
_PART_OF_IT = 0.6  # or a part of it, of which so much is inside the other one


class Wanted(NamedTuple):
    """A face to be followed, and how far: `until` is the last frame that may be its."""

    start: Start
    until: int
    chain: int
    """its place in `Neighbours`"""
    shot: int = 0
    """which `Neighbours`"""


class Neighbours:
    """Where the faces of one shot are between their first and last detection."""

    def __init__(self, detections: Detections, chains: Sequence[Ints]) -> None:
        self._known = [(detections.frames[chain], detections.boxes[chain]) for chain in chains]

    def at(self, frame: int, but: int) -> Floats:
        """(K, 4), all but those of one chain."""
        boxes = [
            [np.interp(frame, frames, side) for side in boxes.T]
            for number, (frames, boxes) in enumerate(self._known)
            if number != but and frames[0] <= frame <= frames[-1]
        ]
        return np.array(boxes, np.float32).reshape(-1, 4)


def wanted_in(detections: Detections, chains: Sequence[Ints], shot: Shot, most_frames: int, longest_gap_frames: int) -> list[Wanted]:
    """What has to be followed in a shot: each chain beyond its ends and into its long gaps.

    Up to the middle of a fade: beyond it, the other picture is the stronger one. A face that is seen only while the shot fades may be the
    other picture's, and is followed no further than the fade.
    """
    found = []
    faded_in, fading_out = 2 * shot.first - shot.visible_first, 2 * shot.last - shot.visible_last
    for number, chain in enumerate(chains):
        frames, boxes = detections.frames[chain], detections.boxes[chain]
        for before, after in zip([None, *range(len(chain))], [*range(len(chain)), None], strict=True):
            first, last = int(frames[before or 0]), int(frames[-1 if after is None else after])
            if before is None:
                first = fading_out if frames[0] > fading_out else shot.first - 1
            if after is None:
                last = faded_in if frames[-1] < faded_in else shot.last + 1
            if before is not None and after is not None and last - first <= longest_gap_frames:
                continue
            if before is not None:
                found.append(Wanted(Start.of(first, 1, boxes[before]), min(last - 1, first + most_frames), number))
            if after is not None:
                found.append(Wanted(Start.of(last, -1, boxes[after]), max(first + 1, last - most_frames), number))
    return [each for each in found if (each.until - each.start.frame) * each.start.direction > 0]


def looks_again(
    detections: Detections, chains: Sequence[Ints], neighbours: Neighbours, longest_gap_frames: int, every_frames: int
) -> Iterator[Look]:
    """Looks round where faces should be, into each long gap."""
    for number, chain in enumerate(chains):
        frames, boxes = detections.frames[chain], detections.boxes[chain]
        for row in np.flatnonzero(np.diff(frames) > longest_gap_frames).tolist():
            first, last = int(frames[row]), int(frames[row + 1])
            for frame in range(first + every_frames, last, every_frames):
                share = (frame - first) / (last - first)
                expected = ((1 - share) * boxes[row] + share * boxes[row + 1]).astype(np.float32)
                yield Look(frame, "again", expected, _REACH, neighbours.at(frame, number))


def stretches_of(wanted: Iterable[Wanted], least_apart: int) -> list[tuple[int, int]]:
    """First and last of the frames that are needed; those that are nearer than `least_apart` are read in one go.

    >>> a, b = Start(10, 1, (0, 0, 1, 1)), Start(50, -1, (0, 0, 1, 1))
    >>> stretches_of([Wanted(a, 20, 0), Wanted(b, 40, 0)], 12), stretches_of([Wanted(a, 20, 0), Wanted(b, 40, 0)], 25)
    ([(10, 20), (40, 50)], [(10, 50)])
    """
    stretches: list[tuple[int, int]] = []
    for first, last in sorted((min(each.start.frame, each.until), max(each.start.frame, each.until)) for each in wanted):
        if stretches and first - stretches[-1][1] < least_apart:
            stretches[-1] = stretches[-1][0], max(last, stretches[-1][1])
        else:
            stretches.append((first, last))
    return stretches


def follow_through(
    frames: Iterable[tuple[int, av.VideoFrame]], wanted: Sequence[Wanted], neighbours: Callable[[Wanted, int], Floats]
) -> Iterator[Trail]:
    """The trails of faces, all of whose frames come one by one, in order.

    Those that are followed back are when their start has come, on pictures that were kept so long. `neighbours` says where other faces
    are at a frame.
    """
    onwards: dict[int, list[Wanted]] = {}
    back: dict[int, list[Wanted]] = {}
    for each in wanted:
        (onwards if each.start.direction > 0 else back).setdefault(each.start.frame, []).append(each)
    most_kept = max((each.start.frame - each.until for each in wanted), default=0)
    kept: deque[tuple[int, Grey]] = deque(maxlen=max(1, most_kept) + 1)
    running: list[_Way] = []
    for number, frame in frames:
        picture, scale = _grey(frame)
        if kept and kept[-1][0] != number - 1:
            kept.clear()
        for way in running:
            way.go(kept[-1][1], picture, number, neighbours)
        yield from (way.trail() for way in running if way.is_over)
        running = [way for way in running if not way.is_over]
        kept.append((number, picture))
        running += [_Way(each, scale) for each in onwards.pop(number, ())]
        for each in back.pop(number, ()):
            way = _Way(each, scale)
            for (_, later), (earlier_number, earlier) in zip(reversed(kept), list(reversed(kept))[1:], strict=False):
                if way.is_over:
                    break
                way.go(later, earlier, earlier_number, neighbours)
            yield way.trail()
    yield from (way.trail() for way in running)


class _Way:
    """A face on its way; its boxes are in pixels of the small pictures."""

    def __init__(self, wanted: Wanted, scale: float) -> None:
        self.wanted, self.scale = wanted, scale
        self.is_over = False
        self._boxes = [np.array(wanted.start.box, np.float32) * scale]

    def go(self, before: Grey, after: Grey, number: int, neighbours: Callable[[Wanted, int], Floats]) -> None:
        box = moved(before, after, self._boxes[-1])
        if box is None or _is_outside(box, after.shape) or _is_taken(box, neighbours(self.wanted, number) * self.scale):
            self.is_over = True
            return
        self._boxes.append(box)
        self.is_over = number == self.wanted.until

    def trail(self) -> Trail:
        boxes = np.array(self._boxes[1:], np.float32).reshape(-1, 4) / self.scale
        return Trail(self.wanted.start, boxes.astype(np.float32))


def _is_outside(box: Floats, shape: tuple[int, ...]) -> bool:
    picture = np.array([[0, 0, shape[1], shape[0]]], np.float32)
    return bool(share_inside(box[None], picture)[0, 0] < _INSIDE)


def _is_taken(box: Floats, others: Floats) -> bool:
    it = box[None]
    return bool(np.any((intersection_over_union(it, others) > _TAKEN) | (share_inside(it, others) > _PART_OF_IT)))


def _grey(frame: av.VideoFrame) -> tuple[Grey, float]:
    """A small grey picture of a frame, and its pixels per pixel of the frame."""
    scale = min(1.0, _LONG_SIDE / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    return frame.reformat(width=width, height=height, format="gray8").to_ndarray().astype(np.uint8, copy=False), scale
