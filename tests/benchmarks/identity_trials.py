"""Who is kept and who is blurred where faces are told by a calibration: trials on labelled looks, without a picture being looked at.

"shots": each appearance is a track, and who is in one shot is seen together. "pieces": each appearance is cut into tracks of a few looks,
each in a shot of its own with whoever comes next; nearly nobody is seen together, so that only faces tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tasks.calibration import Calibration
from tasks.faces import Floats
from tasks.grouping import group
from tasks.plan import BuildTracks
from tasks.selectors.known_faces import KnownFaces
from tasks.selectors.verdicts import Answer, Evidence, Strictness
from tasks.tracks import Track
from tests.benchmarks.fitting import pooled
from tests.benchmarks.labelled_looks import Appearance, Looks
from tests.fakes import frame_index, still, video_info

Kind = Literal["shots", "pieces"]
_PIECE_LOOKS = 3
_SEEDS = range(4)
_SHOT_FRAMES = 24


@dataclass(frozen=True, slots=True)
class Trial:
    """A photo beside a clip: percentages of looks, or None where nobody was to be kept, or covered."""

    clip: str
    kind: Kind
    photo: str
    present: bool
    """whether the person on the photo is in the clip"""
    keep_leak: float | None
    keep_over_blur: float | None
    only_leak: float | None
    only_over_blur: float | None
    groups_per_person: float
    mixed_groups: int
    """persons that hold two people"""


def trials(clip: str, looks: Looks, calibration: Calibration, strictness: Strictness = "balanced") -> Iterator[Trial]:
    """One for each of the photos; the appearances are the clip's."""
    for kind, seed in [("shots", 0), *(("pieces", seed) for seed in _SEEDS)]:
        tracks, people, weights = _tracks(looks.appearances, kind == "pieces", seed)  # type: ignore[arg-type]
        tracks = group(tracks, BuildTracks().merge_log_ratio, calibration)
        groups: dict[int, set[str]] = {}
        for track, person in zip(tracks, people, strict=True):
            groups.setdefault(track.person, set()).add(person)
        names = np.array(people)
        for (of_clip, photo), (person, embedding) in looks.photos.items():
            present = bool((names == person).any())
            if present and of_clip != clip:
                continue
            answers = _answers(tracks, embedding, calibration, strictness)
            wanted, kept, untouched = names == person, answers == "match", answers == "no match"
            yield Trial(
                clip,
                kind,  # type: ignore[arg-type]
                f"{of_clip}/{photo}",
                present,
                _percent(kept[~wanted], weights[~wanted]),
                _percent(~kept[wanted], weights[wanted]),
                _percent(untouched[wanted], weights[wanted]),
                _percent(~untouched[~wanted], weights[~wanted]),
                len(groups) / len(set(people)),
                sum(len(each) > 1 for each in groups.values()),
            )


def _answers(tracks: Sequence[Track], photo: Floats, calibration: Calibration, strictness: Strictness) -> np.ndarray:
    info = video_info(num_frames=1 + max(track.last for track in tracks))
    evidence = Evidence(tracks, {"wanted": photo[None]}, info, frame_index(info), calibration=calibration, strictness=strictness)
    answers: list[Answer] = [verdict.answer for verdict in KnownFaces(photos=("wanted",)).pick(evidence)]
    return np.array(answers)


def _tracks(appearances: Sequence[Appearance], in_pieces: bool, seed: int) -> tuple[list[Track], list[str], Floats]:
    """Tracks, whom each shows, and of how many looks each is; hard appearances count nothing."""
    random = np.random.default_rng(seed)
    cut: list[tuple[int, Appearance, list[int]]] = []
    for each in appearances:
        count = len(each.qualities)
        if not in_pieces:
            cut.append((each.shot, each, list(range(count))))
            continue
        rows = random.permutation(count)
        cut += [(-1, each, part.tolist()) for part in np.array_split(rows, max(1, count // _PIECE_LOOKS))]
    if in_pieces:
        order = random.permutation(len(cut))
        cut = [(place, cut[number][1], cut[number][2]) for place, number in enumerate(order.tolist())]
    tracks, people, weights = [], [], []
    for shot, each, rows in cut:
        embedding, quality = pooled(each, np.array(rows))
        first = (_SHOT_FRAMES + 2) * shot
        track = still(first, first + _SHOT_FRAMES - 1, embedding=(0.0,), quality=quality)
        tracks.append(replace(track, embedding=embedding))
        people.append(each.person)
        weights.append(0.0 if each.hard else float(len(rows)))
    return tracks, people, np.array(weights, np.float32)


def _percent(wrong: np.ndarray, weights: Floats) -> float | None:
    return float(100 * weights[wrong].sum() / weights.sum()) if weights.sum() else None
