"""Shot finders against the truth, and what TransNetV2's gate saves."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

from tasks.shot_finders.content import Content
from tasks.shot_finders.transitions import Thumbnail, Transition
from tasks.shot_finders.transnetv2 import TransNetV2
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.thumbnails import thumbnail
from tests.benchmarks.finding_faces import Row, true_transitions
from tests.benchmarks.labelled import LabelledClip


def measure_shots(clip: LabelledClip) -> Iterator[Row]:
    """A row a finder. Cuts count to the frame; a fade counts that is found as one, and overlaps with the true one."""
    true = true_transitions(clip)
    for settings in (TransNetV2(), Content()):
        finder = settings.load()
        started = time.perf_counter()
        found = finder.transitions(iter(_thumbnails(clip, finder.thumbnail_size)))
        seconds = time.perf_counter() - started
        cuts = _f1([each for each in true if each.is_cut], [each for each in found if each.is_cut])
        fades = _f1([each for each in true if not each.is_cut], [each for each in found if not each.is_cut])
        covered = [_covered(each, found) for each in true if not each.is_cut]
        yield {
            "part": "shots",
            "clip": clip.name,
            "finder": settings.method,
            "num_cuts": sum(each.is_cut for each in true),
            "cuts_f1": cuts,
            "num_fades": len(covered),
            "fades_f1": fades,
            "mean_share_of_fade_covered": sum(covered) / len(covered) if covered else None,
            "seconds": seconds,
        }


def measure_gate(clip: LabelledClip) -> Row:
    """The network's time and boundaries with its gate and without."""
    thumbnails = _thumbnails(clip, (48, 27))
    found: dict[bool, list[Transition]] = {}
    seconds: dict[bool, float] = {}
    num_shown: dict[bool, int] = {}
    for gated in (True, False):
        settings = TransNetV2() if gated else TransNetV2(still=0)
        finder = settings.load()
        counting = _Counting(finder.session)
        started = time.perf_counter()
        found[gated] = type(finder)(settings, counting).transitions(iter(thumbnails))
        seconds[gated], num_shown[gated] = time.perf_counter() - started, counting.num_frames
    return {
        "part": "gate",
        "clip": clip.name,
        "num_frames": len(thumbnails),
        "seconds_with": seconds[True],
        "seconds_without": seconds[False],
        "saved": 1 - seconds[True] / seconds[False],
        "saved_frames": 1 - num_shown[True] / num_shown[False],
        "num_changed": len(set(found[True]) ^ set(found[False])),
    }


class _Counting:
    """A session that counts the frames it is shown."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.num_frames = 0

    def run(self, names: Sequence[str], feeds: dict[str, Any]) -> Any:
        self.num_frames += feeds["frames"].shape[1]
        return self._session.run(names, feeds)


def _f1(true: Sequence[Transition], found: Sequence[Transition]) -> float | None:
    """None where there is nothing to find and nothing found."""
    if not true and not found:
        return None
    free = list(found)
    num_right = 0
    for each in true:
        match = next((one for one in free if one.first <= each.last and each.first <= one.last), None)
        if match is not None:
            free.remove(match)
            num_right += 1
    return 2 * num_right / (len(true) + len(found))


def _covered(fade: Transition, found: Sequence[Transition]) -> float:
    """The share of a fade's frames that the best transition has."""
    length = fade.last - fade.first + 1
    return max((max(0, min(fade.last, each.last) - max(fade.first, each.first) + 1) / length for each in found), default=0.0)


def _thumbnails(clip: LabelledClip, size: tuple[int, int]) -> list[Thumbnail]:
    info, index = probe_file(clip.video)
    return [thumbnail(frame, size) for _, frame in read_frames(clip.video, info, index, 0, info.num_frames - 1)]
