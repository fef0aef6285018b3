"""Gated minimum-cost matching of faces to what is known, look by look, forwards and backwards; what the two agree on is joined as a whole.

The matching is the thesis's, on costs without a scale; weak detections get their second chance as in ByteTrack (Zhang et al.,
arXiv:2110.06864); joining pieces by all that is known of them is hierarchical association (Huang et al., ECCV 2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from pydantic import Field

from tasks.faces import Detections, Floats, Ints
from tasks.linkers.joining import Likeness, cut_by_looks, join_all, untangled, without_strays
from tasks.linkers.stepping import Chain, predicted, stepped
from tasks.matching import euclidean, geometric_cost
from tasks.method import Method

_SEEN_WELL = 0.2  # quality from which an embedding may part what is at one place
_FEW = 3  # detections of pieces that do not stand against what cuts have shown
_UNKNOWN = 0.8  # appearance where either face has no embedding: neither like nor unlike


class Assignment(Method):
    """Minimum-cost matching on position, size, predicted motion and appearance, none of which depends on the picture's size."""

    method: Literal["assignment"] = "assignment"
    start_score: float = Field(0.45, ge=0, le=1, description="a face that scores less starts no track")
    gate: float = Field(1.3, gt=0, description="in face widths: a larger move between two looks is another face")
    max_gap_frames: int = Field(60, ge=1, description="a face that was not seen for longer is a new track")
    same_face: float = Field(0.6, gt=0, description="distance of embeddings at which two faces may as well be one person's as not")
    other_face: float = Field(
        0.75, gt=0, description="distance beyond which two faces that are seen well are two people, wherever they are"
    )
    appearance_weight: float = Field(0.5, ge=0, description="what that distance counts for, in face widths")

    def chains(self, detections: Detections) -> list[Ints]:
        """A late good look repairs an early bad one: a link that only one direction makes is made again with all that both sides know."""
        if not len(detections):
            return []
        forwards, backwards = (
            self._stepped(detections),
            [(len(detections) - 1 - chain)[::-1] for chain in self._stepped(_reversed(detections))],
        )
        pieces = _agreed(forwards, backwards, len(detections))
        pieces = [part for piece in pieces for part in without_strays(piece, detections)]
        likeness = Likeness(self.same_face, self.other_face, self.appearance_weight, _SEEN_WELL, _UNKNOWN)
        joined = join_all(pieces, detections, likeness, self.gate, self.max_gap_frames)
        joined = join_all(cut_by_looks(joined, detections, likeness), detections, likeness, self.gate, self.max_gap_frames, _FEW)
        joined = untangled(joined, detections, likeness)
        sure = [chain for chain in joined if detections.scores[chain].max() >= self.start_score]
        return sorted(sure, key=lambda chain: int(detections.frames[chain[0]]))

    def _stepped(self, detections: Detections) -> list[Ints]:
        def cost(chains: Sequence[Chain], rows: Ints, frame: int) -> Floats:
            place = geometric_cost(predicted(chains, frame), detections.boxes[rows])
            possible = place <= self.gate
            known = [number for number, chain in enumerate(chains) if chain.embedding is not None]
            unlike = np.full(place.shape, _UNKNOWN, np.float32)
            if known and not np.isnan(detections.embeddings[rows, 0]).all():
                distance = euclidean(np.stack([chains[number].embedding for number in known]), detections.embeddings[rows])  # type: ignore[misc]
                qualities = np.array([chains[number].quality for number in known])
                seen_well = np.minimum(qualities[:, None], detections.qualities[rows]) >= _SEEN_WELL
                possible[known] &= ~(seen_well & (distance > self.other_face))
                unlike[known] = np.where(np.isnan(distance), _UNKNOWN, np.minimum(distance / self.same_face, 2))
            return np.where(possible, place + self.appearance_weight * unlike, np.nan)

        return [np.array(chain.rows, np.int64) for chain in stepped(detections, cost, self.start_score, self.max_gap_frames)]


def _reversed(detections: Detections) -> Detections:
    """The same, with time running backwards."""
    turned = detections[slice(None, None, -1)]
    return replace(turned, looked=-detections.looked[::-1], frames=-turned.frames)


def _agreed(forwards: Sequence[Ints], backwards: Sequence[Ints], num_rows: int) -> list[Ints]:
    """Pieces of chains whose links both directions have made, or one of them and the other none that speaks against it."""
    (after, before), (after_too, before_too) = (_links(chains, num_rows) for chains in (forwards, backwards))
    follower = np.where(after == after_too, after, -1)
    for next_row, other_after, other_before in ((after, after_too, before_too), (after_too, after, before)):
        free = (next_row >= 0) & (other_after < 0)
        free[free] = other_before[next_row[free]] < 0
        follower[free] = next_row[free]
    is_first = np.zeros(num_rows, bool)
    is_first[[int(row) for chain in (*forwards, *backwards) for row in chain]] = True
    is_first[follower[follower >= 0]] = False
    pieces = []
    for row in np.flatnonzero(is_first).tolist():
        piece = [row]
        while (following := int(follower[piece[-1]])) >= 0:
            piece.append(following)
        pieces.append(np.array(piece, np.int64))
    return pieces


def _links(chains: Sequence[Ints], num_rows: int) -> tuple[Ints, Ints]:
    """For each row the one after it in its chain, and the one before it; -1 where there is none."""
    after, before = np.full(num_rows, -1, np.int64), np.full(num_rows, -1, np.int64)
    for chain in chains:
        after[chain[:-1]], before[chain[1:]] = chain[1:], chain[:-1]
    return after, before
