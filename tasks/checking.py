"""Looking at what was really written: is any face left that should be covered?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import av
import numpy as np

from tasks.faces import Detections, Floats
from tasks.finder import Finder
from tasks.looking import look_at
from tasks.matching import euclidean, intersection_over_union, share_inside
from tasks.method import Settings
from tasks.tracks import NOBODY, Cover, Track
from tasks.video.info import VideoInfo

_BATCH_FRAMES = 8  # looked at together
_SAME_PLACE = 0.2  # IoU of a face that is found with one that was decided about
_CLEAR = 0.2  # quality of a face that is seen well enough to be recognised at all
_MOSTLY_INSIDE = 0.6  # of a found face's area under a cover: the covered face itself, seen in part


class Finding(Settings):
    """A face in the finished video that should not be there."""

    kind: Literal["uncovered", "recognisable"]
    frame: int
    left: float
    top: float
    right: float
    bottom: float
    score: float
    distance: float | None = None
    """of its embedding from the covered track's; None for an uncovered face"""


def frames_to_check(num_frames: int, every_frames: int) -> range:
    """One frame of so many, in their middle; at least one, however short the video is.

    >>> list(frames_to_check(30, 12)), list(frames_to_check(5, 12)), list(frames_to_check(1, 12))
    ([6, 18], [2], [0])
    """
    return range(min(every_frames // 2, (num_frames - 1) // 2), num_frames, every_frames)


def check(
    frames: Iterable[tuple[int, av.VideoFrame]],
    info: VideoInfo,
    cover: Cover,
    kept: Cover,
    tracks: list[Track],
    finder: Finder,
    limits: tuple[float, float],
) -> tuple[list[Finding], Detections | None]:
    """Findings, and the uncovered faces as detections to go on with.

    `cover` are the boxes that were blurred and `kept` those that were left visible; `limits` are the score from which a face outside both
    counts, and the distance of embeddings up to which a covered face is still recognisable.
    """
    findings: list[Finding] = []
    missed: list[Detections] = []
    min_score, same_face = limits
    remaining = iter(frames)
    for batch in iter(lambda: list(itertools.islice(remaining, _BATCH_FRAMES)), []):
        found_in_batch = look_at(batch, info, finder)
        for number, _ in batch:
            found = found_in_batch[found_in_batch.rows_at(number)]
            blurred, visible = cover.at(number), kept.at(number)
            under = _overlaps(found.boxes, blurred.boxes)
            stray = ~under.any(1) & ~_overlaps(found.boxes, visible.boxes).any(1) & (found.scores >= min_score)
            findings += [_finding("uncovered", found, int(row), None) for row in np.flatnonzero(stray)]
            missed.append(found[stray])
            for row in np.flatnonzero(under.any(1) & (found.qualities >= _CLEAR)):
                owners = [tracks[owner].embedding for owner in blurred.tracks[under[row]] if owner != NOBODY]
                if not owners:
                    continue
                distance = float(np.fmin.reduce(euclidean(found.embeddings[row][None], np.stack(owners))[0]))
                if distance <= same_face:
                    findings.append(_finding("recognisable", found, int(row), distance))
    return findings, _only_with_faces(missed)


def _overlaps(boxes: Floats, others: Floats) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(N, M): whether a found box is at the place of another one, or mostly inside it."""
    return np.asarray((intersection_over_union(boxes, others) > _SAME_PLACE) | (share_inside(boxes, others) > _MOSTLY_INSIDE))


def _finding(kind: Literal["uncovered", "recognisable"], found: Detections, row: int, distance: float | None) -> Finding:
    left, top, right, bottom = (round(float(side), 1) for side in found.boxes[row])
    score = round(float(found.scores[row]), 3)
    return Finding(kind=kind, frame=int(found.frames[row]), left=left, top=top, right=right, bottom=bottom, score=score, distance=distance)


def _only_with_faces(missed: list[Detections]) -> Detections | None:
    with_faces = [replace(each, looked=np.unique(each.frames)) for each in missed if len(each)]
    return Detections.concatenate(with_faces) if with_faces else None
