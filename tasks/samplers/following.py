"""Faces between two looks: a mid-point checked, and then the mid-points beside it; a face followed to where it comes or goes.

All of it is done by looks near a place, which cost a fiftieth of a look at a whole picture.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import NamedTuple, Protocol

import numpy as np

from tasks.faces import Detections, Floats
from tasks.matching import intersection_over_union
from tasks.samplers.looks import Look, Reason, face_near


class Others(Protocol):
    """What else is known between two looks."""

    def __call__(self, frame: int) -> Floats:
        """(K, 4) where the other faces are at a frame."""

    def at_edge(self, box: Floats) -> bool:
        """Whether a face is so near to the picture's edge that it may go there."""


Steps = Generator[list[Look], list[Detections], None]

_SPAN_FRAMES = 8  # over which motion is measured
_WHOLE = -1  # of a look at the whole picture, which needs no place
_SLOW = 0.3  # face sizes a frame
_TRUSTED_FRAMES = 2  # how far away a face may have been last seen, for a look that does not find it to be believed
_NEAR, _PER_FRAME, _FAR = 0.75, 0.25, 3.0  # in face sizes: how far from where it is expected a face is looked for


class Seen(NamedTuple):
    """Where a face is at a frame."""

    frame: int
    box: Floats


class Checks(NamedTuple):
    """When a face between two looks is taken to be where it is expected."""

    hold_iou: float  # of the expected box with the one that is found
    steady_iou: float  # the same, from which a face moves evenly
    closest_frames: int  # looks that are no further apart are never checked
    restless_frames: int  # looks that are further apart always are, unless the face moves evenly,
    widest_frames: int  # or are further apart than this


def check_between(before: Seen, after: Seen, checks: Checks, others: Others, reason: Reason = "check") -> Steps:
    """Looks half-way between two looks that show one face, and on both sides of that where it is not as expected."""
    if after.frame - before.frame <= checks.closest_frames:
        return
    middle = (before.frame + after.frame) // 2
    expected = between(before, after, middle)
    (found,) = yield [Look(middle, reason, expected, _NEAR, others(middle))]
    if not len(found):
        yield from together(
            [follow(before, middle, others, "lost", middle - before.frame), follow(after, middle, others, "lost", after.frame - middle)]
        )
        return
    seen = Seen(middle, found.boxes[0])
    overlap = float(intersection_over_union(expected[None], found.boxes)[0, 0])
    holds = overlap >= checks.hold_iou
    unchecked = checks.widest_frames if overlap >= checks.steady_iou else checks.restless_frames
    if holds and after.frame - before.frame <= 2 * unchecked:
        return
    why: Reason = "check" if holds else "deviation"
    yield from together([check_between(before, seen, checks, others, why), check_between(seen, after, checks, others, why)])


def follow(start: Seen, gone: int, others: Others, reason: Reason, asked_from: int = -1) -> Steps:
    """Finds the last frame, going from `start` towards `gone`, that still shows the face.

    At the frame `gone` it was not found by a look that was `asked_from` frames away from where the face had been seen. A face that seems
    to go in the middle of the picture may only be too quick: there the whole picture is looked at before that is believed.
    """
    direction = 1 if gone > start.frame else -1
    way = [start]
    missed = {gone: asked_from}
    while True:
        here = way[-1].frame
        ahead = [frame for frame in missed if (frame - here) * direction > 0]
        if not ahead:
            return
        barrier = min(ahead, key=lambda frame: abs(frame - here))
        distance = abs(barrier - here)
        if distance == 1 and missed[barrier] <= _TRUSTED_FRAMES:
            # One that is lost between two looks that both have it is covered on the way between them, wherever it is.
            if missed[barrier] == _WHOLE or reason == "lost" or _is_slow(way) or others.at_edge(way[-1].box):
                return
            (found,) = yield [Look(barrier, "quick")]
            found = found[face_near(Look(barrier, "quick", _ahead(way, barrier), _FAR, others(barrier)), found.boxes, found.scores)]
            missed[barrier] = _WHOLE
            if len(found):
                way.append(Seen(barrier, found.boxes[0]))
                del missed[barrier]
            continue
        target = here + direction * max(1, distance // 2)
        reach = min(_NEAR + _PER_FRAME * abs(target - here), _FAR)
        (found,) = yield [Look(target, reason, _ahead(way, target), reach, others(target))]
        if len(found):
            way.append(Seen(target, found.boxes[0]))
            missed.pop(target, None)
        else:
            missed[target] = abs(target - here)


def _is_slow(way: Sequence[Seen]) -> bool:
    """Whether a face is known to move so little from frame to frame that a look near it does not miss it."""
    if len(way) < 2:
        return False
    (earlier, before), (later, after) = way[-2:]
    shift = np.abs((after[:2] + after[2:]) - (before[:2] + before[2:])).max() / 2
    return bool(shift <= _SLOW * abs(later - earlier) * float((after[2:] - after[:2]).min()))


def between(before: Seen, after: Seen, frame: int) -> Floats:
    """(4,) the box on the straight way."""
    share = (frame - before.frame) / (after.frame - before.frame)
    return np.asarray((1 - share) * before.box + share * after.box, np.float32)


def _ahead(way: Sequence[Seen], frame: int) -> Floats:
    """(4,) the box if the face goes on as it did, ever more slowly."""
    here = way[-1]
    earlier = [seen for seen in way[:-1] if abs(seen.frame - here.frame) <= _SPAN_FRAMES]
    if not earlier:
        return here.box
    elapsed = here.frame - earlier[0].frame
    motion = here.box - earlier[0].box
    share = 1 - np.exp(-abs((frame - here.frame) / elapsed))
    return np.asarray(here.box + np.tile((motion[:2] + motion[2:]) / 2, 2) * share, np.float32)


def together(steps: Sequence[Steps]) -> Steps:
    """Several at once: each round asks what all of them ask."""
    answers: dict[int, list[Detections] | None] = dict.fromkeys(range(len(steps)))
    while answers:
        asked: dict[int, list[Look]] = {}
        for number, answer in answers.items():
            try:
                asked[number] = next(steps[number]) if answer is None else steps[number].send(answer)
            except StopIteration:
                continue
        if not asked:
            return
        found = iter((yield [look for looks in asked.values() for look in looks]))
        answers = {number: [next(found) for _ in looks] for number, looks in asked.items()}
