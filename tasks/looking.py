"""Looking at frames: a window of decoded frames moves forward once, and what the sampler asks for is detected inside it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field

import av
import numpy as np

from tasks.faces import Detections
from tasks.finder import Finder
from tasks.matching import intersection_over_union
from tasks.samplers.looks import Glances, Look, Looking, Request, Sampler, Stretch
from tasks.tracks import Shot
from tasks.video.info import VideoInfo

_WINDOW_BYTES = 192 << 20
_MOST_WINDOW_FRAMES = 129
_READ_AHEAD_FROM = 49  # frames that a sampler has at hand, two of its widest steps, before any are read ahead of it
_SAME_FACE = 0.5  # IoU from which two faces of one frame, found by two looks, are one


def window_frames(info: VideoInfo) -> int:
    """How many decoded frames are kept at once: as many as fit a fixed amount of memory."""
    frame_bytes = info.width * info.height * 2 * (2 if "p1" in info.pixel_format else 1)
    return int(np.clip(_WINDOW_BYTES // frame_bytes, 5, _MOST_WINDOW_FRAMES))


@dataclass
class _Run:
    """A shot that is being looked through."""

    looking: Looking
    request: Request
    started: dict[int, Future[Detections]] = field(default_factory=dict)

    def waits_for(self) -> list[tuple[int, Look]]:
        return [(number, look) for number, look in enumerate(self.request.looks) if number not in self.started]

    @property
    def is_answered(self) -> bool:
        return len(self.started) == len(self.request.looks) and all(future.done() for future in self.started.values())


def look(
    frames: Iterator[tuple[int, av.VideoFrame]],
    shots: Sequence[Shot],
    info: VideoInfo,
    sampler: Sampler,
    finder: Finder,
    glances: Glances | None = None,
) -> tuple[Detections, Counter[str]]:
    """What the sampler's looks find in consecutive shots, whose frames come one by one; and how many looks were taken for which reason.

    The looks of all shots inside the window are taken side by side, and decoding goes on meanwhile. `glances` are of the same frames.
    """
    capacity = window_frames(info)
    window: dict[int, av.VideoFrame] = {}
    waiting = deque(_stretch(shot, shots[0].first, info, min(capacity, max(_READ_AHEAD_FROM, capacity // 2)), glances) for shot in shots)
    runs: list[_Run] = []
    parts: list[Detections] = []
    reasons: Counter[str] = Counter()
    last, read_to = shots[-1].last, shots[0].first - 1
    while waiting or runs:
        while waiting and waiting[0].first <= read_to + 1:
            looking = sampler.looks(waiting.popleft())
            runs.append(_Run(looking, next(looking)))
        for run in list(runs):
            while run.is_answered:
                answer = [run.started[number].result() for number in range(len(run.request.looks))]
                parts += answer
                reasons.update(look.reason if look.near is None else f"{look.reason} near" for look in run.request.looks)
                try:
                    run.request, run.started = run.looking.send(answer), {}
                except StopIteration:
                    runs.remove(run)
                    break
            for number, each in run.waits_for() if run in runs else []:
                if each.frame in window:
                    run.started[number] = finder.start(each, window[each.frame], info)
        needed_from = min((run.request.keep_from for run in runs), default=read_to + 1)
        for frame in [frame for frame in window if frame < needed_from]:
            del window[frame]
        if read_to < last and read_to - needed_from + 1 < capacity:
            read_to, picture = next(frames)
            window[read_to] = picture
        elif runs:
            wait([future for run in runs for future in run.started.values() if not future.done()], return_when=FIRST_COMPLETED)
    return _once_a_face(Detections.concatenate(parts)), reasons


def look_at(frames: Sequence[tuple[int, av.VideoFrame]], info: VideoInfo, finder: Finder) -> Detections:
    """What is found in these frames; boxes in pixels of the decoded picture."""
    started = [finder.start(Look(number, "grid"), frame, info) for number, frame in frames]
    return Detections.concatenate(each.result() for each in started)


def _stretch(shot: Shot, offset: int, info: VideoInfo, most_frames: int, glances: Glances | None) -> Stretch:
    """A shot as samplers know it; `glances` begin at frame `offset`."""
    return Stretch(
        first=shot.first,
        last=shot.last,
        window_frames=most_frames,
        frame_rate=float(info.frame_rate),
        width=info.width,
        height=info.height,
        # A fade is divided in its middle: it reaches as far into a shot as the shot reaches beyond itself.
        edges=(2 * shot.first - shot.visible_first, 2 * shot.last - shot.visible_last),
        glances=None if glances is None else glances[shot.first - offset : shot.last + 1 - offset],
    )


def _once_a_face(found: Detections) -> Detections:
    """The better of two boxes of one frame that two looks gave to one face, and of all others each."""
    kept = np.ones(len(found), bool)
    for frame in np.unique(found.frames):
        rows = np.arange(len(found))[found.rows_at(int(frame))]
        same = intersection_over_union(found.boxes[rows], found.boxes[rows]) > _SAME_FACE
        better = (found.scores[rows][:, None] > found.scores[rows]) | (
            (found.scores[rows][:, None] == found.scores[rows]) & (rows[:, None] < rows)
        )
        kept[rows] = ~(same & better).any(0)
    return found[kept]
