"""Segments: the stretches in which a video is worked on, resumed and shared out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from tasks.method import Settings
from tasks.tracks import Shot


class Segment(Settings):
    """Consecutive shots, or parts of shots, in order."""

    shots: tuple[Shot, ...]

    @property
    def first(self) -> int:
        return self.shots[0].first

    @property
    def last(self) -> int:
        return self.shots[-1].last

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1


def cut_into_segments(shots: Sequence[Shot], most_frames: int) -> list[Segment]:
    """Runs of whole shots of at most `most_frames`; a longer shot is cut into equal parts that are segments of their own."""
    most_frames = max(1, most_frames)
    segments: list[list[Shot]] = [[]]
    for shot in shots:
        num_parts = -(-shot.num_frames // most_frames)
        if num_parts > 1:
            borders = [shot.first + shot.num_frames * part // num_parts for part in range(num_parts + 1)]
            segments += [[shot.model_copy(update={"first": a, "last": b - 1})] for a, b in itertools.pairwise(borders)]
            segments.append([])
        elif sum(each.num_frames for each in segments[-1]) + shot.num_frames <= most_frames:
            segments[-1].append(shot)
        else:
            segments.append([shot])
    return [Segment(shots=tuple(each)) for each in segments if each]
