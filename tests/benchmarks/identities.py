"""Are tracks and people the true ones? Identity switches, IDF1 (Ristani et al., 2016) and HOTA (Luiten et al., 2021), by TrackEval."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from trackeval.metrics import CLEAR, HOTA, Identity

from tests.benchmarks.followed import OVERLAP, Followed, Present, rows_by_frame


@dataclass(frozen=True, slots=True)
class Identities:
    """Percentages; 100 is perfect. HOTA is the mean over overlaps from 0.05 to 0.95, so that it also measures how closely boxes fit."""

    switches: int
    idf1: float
    hota: float
    association: float
    """HOTA's part that does not ask whether faces were found (AssA)"""


def of_people(followed: Followed, present: list[Present]) -> Identities:
    """A person is one throughout the clip."""
    return _identities(followed, present, followed.persons.tolist(), [0] * len(present))


def of_tracks(followed: Followed, present: list[Present], cuts: Sequence[int]) -> Identities:
    """A person is another one in each shot, as a track never goes beyond its own."""
    return _identities(followed, present, followed.tracks.tolist(), [bisect_right(cuts, frame) for frame in range(len(present))])


def _identities(followed: Followed, present: list[Present], ids: list[int], shots: list[int]) -> Identities:
    true_ids = _Numbers()
    found_ids = _Numbers()
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": [], "num_timesteps": len(present)}
    for shot, (there, rows, overlaps) in zip(shots, rows_by_frame(followed, present), strict=True):
        _, first = np.unique([ids[row] for row in rows], return_index=True)  # TrackEval takes each once a frame
        data["gt_ids"].append(np.array([true_ids[shot, person] for person in there.people], int))
        data["tracker_ids"].append(np.array([found_ids[ids[row]] for row in rows[first]], int))
        data["similarity_scores"].append(overlaps[:, first].astype(float))
    data |= {"num_gt_ids": len(true_ids), "num_tracker_ids": len(found_ids)}
    data |= {"num_gt_dets": sum(map(len, data["gt_ids"])), "num_tracker_dets": sum(map(len, data["tracker_ids"]))}
    config = {"THRESHOLD": OVERLAP, "PRINT_CONFIG": False}
    clear, identity, hota = (metric.eval_sequence(data) for metric in (CLEAR(config), Identity(config), HOTA()))
    return Identities(
        switches=int(clear["IDSW"]),
        idf1=round(100 * float(identity["IDF1"]), 1),
        hota=round(100 * float(np.mean(hota["HOTA"])), 1),
        association=round(100 * float(np.mean(hota["AssA"])), 1),
    )


class _Numbers(dict[Any, int]):
    """0, 1, 2, … in order of asking."""

    def __missing__(self, name: Any) -> int:
        self[name] = len(self)
        return self[name]
