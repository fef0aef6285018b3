"""Pieces of chains put right: strays taken out, pieces that show two people cut, and all joined anew by what is known of both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.faces import Detections, Floats, Ints

_STRAY = 0.5  # in face widths, off the way between its neighbours
_STRAY_FRAMES = 12  # between these, at most
_FEWEST_LOOKS = 2  # at each side of a cut, and
_MOST_LOOKS = 16  # from which it is told
_TWO_PEOPLE = 0.9  # of `same_face`: distance of mean embeddings, which tell more than single ones
_BESIDE = 2.0  # geometric cost, within which another face may have been taken for this one
_SPAN_FRAMES = 12  # over which motion is measured at a piece's ends
_ONWARDS = 3.0  # times as far as was measured a piece goes on, in the end: both sides of a gap have to fit


class Likeness(NamedTuple):
    """What embeddings say of two faces; distances as in `Assignment`."""

    same_face: float
    other_face: float
    weight: float
    seen_well: float
    unknown: float


def without_strays(piece: Ints, detections: Detections) -> list[Ints]:
    """The piece without single detections that pull it aside and back, each of which becomes a piece of its own.

    Such a one is further off the way between its neighbours than these are from one another, and surer than neither of them: a false
    detection beside a face that was missed in that frame.
    """
    if len(piece) < 3:
        return [piece]
    frames, boxes, scores = detections.frames[piece], detections.boxes[piece], detections.scores[piece]
    share = ((frames[1:-1] - frames[:-2]) / (frames[2:] - frames[:-2]))[:, None].astype(np.float32)
    off = _costs(boxes[1:-1], (1 - share) * boxes[:-2] + share * boxes[2:])
    stray = (off > _STRAY) & (_costs(boxes[:-2], boxes[2:]) < off / 2) & (frames[2:] - frames[:-2] <= _STRAY_FRAMES)
    stray &= scores[1:-1] < np.minimum(scores[:-2], scores[2:])
    if not stray.any():
        return [piece]
    inner = np.flatnonzero(stray) + 1
    return [np.delete(piece, inner), *piece[inner][:, None]]


def cut_by_looks(pieces: Sequence[Ints], detections: Detections, likeness: Likeness) -> list[Ints]:
    """The pieces, those whose embeddings fall in two groups cut where one becomes the other."""
    found: list[Ints] = []
    waiting = list(pieces)
    while waiting:
        piece = waiting.pop()
        seen_well = np.flatnonzero((detections.qualities[piece] >= likeness.seen_well) & ~np.isnan(detections.embeddings[piece, 0]))
        looks = detections.embeddings[piece[seen_well]]
        if len(looks) >= 2 * _FEWEST_LOOKS and (change := _change(looks, _TWO_PEOPLE * likeness.same_face)):
            place = _where(piece, int(seen_well[change - 1]), int(seen_well[change]), pieces, detections)
            waiting += [piece[:place], piece[place:]]
        else:
            found.append(piece)
    return found


def _change(looks: Floats, apart: float) -> int:
    """How many of the looks, (N, D), are one person's before another's; 0 where all may be one's.

    The means of the nearest looks at both sides are compared: further away, somebody may have come back.
    """
    sums = np.concatenate([np.zeros_like(looks[:1]), np.cumsum(looks, axis=0)])
    here = np.arange(_FEWEST_LOOKS, len(looks) + 1 - _FEWEST_LOOKS)
    first, last = np.maximum(here - _MOST_LOOKS, 0), np.minimum(here + _MOST_LOOKS, len(looks))
    before = (sums[here] - sums[first]) / (here - first)[:, None]
    after = (sums[last] - sums[here]) / (last - here)[:, None]
    distances = np.linalg.norm(before - after, axis=1)
    best = int(np.argmax(distances))
    return int(here[best]) if distances[best] > apart else 0


def _where(piece: Ints, before: int, after: int, pieces: Sequence[Ints], detections: Detections) -> int:
    """The row of `piece`, after `before` and up to `after`, from which on it is another face.

    Where it is nearest to another face, for that is what it was taken for; else where it moves most.
    """
    frames, boxes = detections.frames[piece[before : after + 1]], detections.boxes[piece[before : after + 1]]
    nearest = np.full(len(frames), np.inf)
    for other in pieces:
        known = detections.frames[other]
        within = (frames >= known[0]) & (frames <= known[-1])
        if within.any() and not np.isin(other, piece).any():
            sides = [np.interp(frames[within], known, side) for side in detections.boxes[other].T]
            nearest[within] = np.minimum(nearest[within], _costs(boxes[within], np.stack(sides, 1).astype(np.float32)))
    if nearest[1:].min() < _BESIDE:
        return before + 1 + int(np.argmin(nearest[1:]))
    return before + 1 + int(np.argmax(_costs(boxes[:-1], boxes[1:])))


def untangled(chains: Sequence[Ints], detections: Detections, likeness: Likeness) -> list[Ints]:
    """The chains, of which those that go on at one place, look by look in turn, follow one another: there they are never seen at once.

    Looks that do not tell who they show may have been given to either; all after a moment are the second one's.
    """
    found = sorted(chains, key=lambda chain: int(detections.frames[chain[0]]))
    firsts = detections.frames[[chain[0] for chain in found]]
    for one in range(len(found)):
        last = detections.frames[found[one]].max(initial=-1)
        for other in range(one + 1, int(np.searchsorted(firsts, last, side="right"))):
            if len(found[one]) and len(found[other]):
                found[one], found[other] = _one_after_the_other(found[one], found[other], detections, likeness)
    return [chain for chain in found if len(chain)]


def _one_after_the_other(one: Ints, other: Ints, detections: Detections, likeness: Likeness) -> tuple[Ints, Ints]:
    """Two chains parted anew, where the second one begins while the first one goes on and they may have followed one another."""
    frames, later = detections.frames[one], detections.frames[other]
    if later[0] > frames[-1]:
        return one, other
    rows = np.concatenate([one[frames >= later[0]], other[later <= frames[-1]]])
    rows = rows[np.argsort(detections.frames[rows])]
    steps = np.diff(detections.frames[rows])
    if not steps.all() or _costs(detections.boxes[rows[:-1]], detections.boxes[rows[1:]]).max() > _STRAY:
        return one, other
    tells = (detections.qualities[rows] >= likeness.seen_well) & ~np.isnan(detections.embeddings[rows, 0])
    is_first = np.isin(rows, one)
    low = int(np.flatnonzero(tells & is_first).max(initial=-1)) + 1  # rows that are surely the first one's
    high = int(np.flatnonzero(tells & ~is_first).min(initial=len(rows)))
    looks, others = (detections.embeddings[rows[tells & side]] for side in (is_first, ~is_first))
    if low > high and not _two_people(looks, others, likeness):
        joined = np.concatenate([one, other])
        return joined[np.argsort(detections.frames[joined])], other[:0]
    if low > high or not tells.any():
        return one, other
    place = max(range(low, high + 1), key=lambda place: steps[place - 1] if 0 < place < len(rows) else 0)
    return np.concatenate([one[frames < later[0]], rows[:place]]), np.concatenate([rows[place:], other[later > frames[-1]]])


def _two_people(looks: Floats, others: Floats, likeness: Likeness) -> bool:
    """Whether looks, (N, D), and others are too unlike to be one person's."""
    return float(np.linalg.norm(looks.mean(0) - others.mean(0))) > _TWO_PEOPLE * likeness.same_face


class _Ends(NamedTuple):
    """One end of each of N pieces."""

    frames: Ints
    boxes: Floats
    motions: Floats  # (N, 4), outwards
    elapsed: Ints  # frames in which they were measured, 0 where they are not known

    @classmethod
    def of(cls, pieces: Sequence[Ints], detections: Detections, end: int) -> _Ends:
        """`end` is -1 for the last ones, 0 for the first ones."""
        outer = np.array([piece[end] for piece in pieces])
        frames = detections.frames[outer]
        near = [
            piece[np.flatnonzero(np.abs(detections.frames[piece] - frame) <= _SPAN_FRAMES)[0 if end else -1]]
            for piece, frame in zip(pieces, frames, strict=True)
        ]
        moved = detections.boxes[outer] - detections.boxes[near]
        return cls(frames, detections.boxes[outer], (moved + moved[:, [2, 3, 0, 1]]) / 2, np.abs(frames - detections.frames[near]))

    def at(self, rows: Ints, frames: Ints) -> Floats:
        """The boxes of some pieces at frames beyond their ends, which go on as they did there, slowly more slowly."""
        share = _ONWARDS * (1 - np.exp(-np.abs(frames - self.frames[rows]) / np.maximum(self.elapsed[rows], 1) / _ONWARDS))
        return np.asarray(self.boxes[rows] + self.motions[rows] * share[:, None], np.float32)


def join_all(
    pieces: Sequence[Ints], detections: Detections, likeness: Likeness, gate: float, max_gap_frames: int, few: int = 1
) -> list[Ints]:
    """All pieces joined to chains: first those that know how they move, then what fits on their ways, then what is left.

    Pieces of a few detections are taken apart where others have shown who was there: where one face follows another, they are of both.
    """
    moving = [piece for piece in pieces if len(piece) > few]
    chains = join(moving, detections, likeness, gate, max_gap_frames)
    single = np.array([row for piece in pieces if len(piece) <= few for row in piece], np.int64)
    chains, left = insert(chains, single, detections, likeness, min(gate, _STRAY))
    return join([*chains, *left[:, None]], detections, likeness, gate, max_gap_frames)


def insert(chains: Sequence[Ints], single: Ints, detections: Detections, likeness: Likeness, gate: float) -> tuple[list[Ints], Ints]:
    """The chains with single detections, (K,), on whose way these are, the nearest first; and those that are on none's."""
    looks, num_looks = _looks(chains, detections, likeness.seen_well)
    found: list[tuple[float, int, int]] = []
    frames = detections.frames[single]
    order = np.argsort(frames, kind="stable")
    for number, chain in enumerate(chains):
        known = detections.frames[chain]
        rows = single[order[slice(*np.searchsorted(frames[order], [known[0], known[-1]]))]]
        rows = rows[~np.isin(detections.frames[rows], known)]
        if len(rows):
            sides = [np.interp(detections.frames[rows], known, side) for side in detections.boxes[chain].T]
            costs = _costs(detections.boxes[rows], np.stack(sides, 1).astype(np.float32))
            unlike = np.linalg.norm(detections.embeddings[rows] - looks[number], axis=1) > likeness.other_face
            unlike &= (detections.qualities[rows] >= likeness.seen_well) & (num_looks[number] > 0)
            found += [(float(cost), number, int(row)) for cost, row in zip(costs[~unlike], rows[~unlike], strict=True) if cost <= gate]
    added: dict[int, dict[int, int]] = {}  # by chain, by frame
    used: set[int] = set()
    for _, number, row in sorted(found):
        if row not in used and (frame := int(detections.frames[row])) not in added.setdefault(number, {}):
            added[number][frame] = row
            used.add(row)
    longer = [np.sort(np.append(chain, [*added.get(number, {}).values()])).astype(np.int64) for number, chain in enumerate(chains)]
    return longer, np.array([row for row in single.tolist() if row not in used], np.int64)


def join(pieces: Sequence[Ints], detections: Detections, likeness: Likeness, gate: float, max_gap_frames: int) -> list[Ints]:
    """Pieces joined end to start where all that both know speaks for it, at the least cost in all."""
    if not pieces:
        return []
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    pieces = sorted(pieces, key=lambda piece: int(detections.frames[piece[0]]))
    starts, ends = _Ends.of(pieces, detections, 0), _Ends.of(pieces, detections, -1)
    low, high = (np.searchsorted(starts.frames, ends.frames + gap, side="right") for gap in (0, max_gap_frames))
    one = np.repeat(np.arange(len(pieces)), high - low)
    other = np.concatenate([np.arange(a, b) for a, b in zip(low, high, strict=True)]) if len(one) else one
    if not len(one):
        return pieces
    onwards = _costs(ends.at(one, starts.frames[other]), starts.boxes[other])
    back = _costs(starts.at(other, ends.frames[one]), ends.boxes[one])
    # What is known of motion at one side alone counts alone.
    known, known_too = ends.elapsed[one] > 0, starts.elapsed[other] > 0
    place = np.where(known == known_too, (onwards + back) / 2, np.where(known, onwards, back))
    embeddings, num_looks = _looks(pieces, detections, likeness.seen_well)
    distance = np.linalg.norm(embeddings[one] - embeddings[other], axis=1)
    fewest = np.minimum(num_looks[one], num_looks[other])
    apart = np.where(fewest >= _FEWEST_LOOKS, _TWO_PEOPLE * likeness.same_face, likeness.other_face)
    possible = (place <= gate) & ~((fewest > 0) & (distance > apart))
    unlike = np.where(np.isnan(distance), likeness.unknown, np.minimum(distance / likeness.same_face, 2))
    cost = 1 + place + likeness.weight * unlike
    alone = 10 + gate + 2 * likeness.weight  # dearer than any pair
    rows = np.concatenate([one[possible], np.arange(len(pieces))])
    columns = np.concatenate([other[possible], np.arange(len(pieces), 2 * len(pieces))])
    costs = np.concatenate([cost[possible], np.full(len(pieces), alone)])
    _, follower = min_weight_full_bipartite_matching(csr_array((costs, (rows, columns)), shape=(len(pieces), 2 * len(pieces))))
    joined: dict[int, list[Ints]] = {}
    for number, piece in enumerate(pieces):
        chain = joined.pop(number, [])
        chain.append(piece)
        joined[int(follower[number])] = chain
    return [np.concatenate(chain) for chain in joined.values()]


def _looks(pieces: Sequence[Ints], detections: Detections, seen_well: float) -> tuple[Floats, Ints]:
    """The mean embedding of each piece, weighted by quality, NaN where there is none; and of how many good looks it is."""
    embeddings = np.full((len(pieces), detections.embeddings.shape[1]), np.nan, np.float32)
    num_looks = np.zeros(len(pieces), np.int64)
    has_look = (detections.qualities > 0) & ~np.isnan(detections.embeddings[:, 0])
    for number, piece in enumerate(pieces):
        rows = piece[has_look[piece]]
        if len(rows):
            embeddings[number] = np.average(detections.embeddings[rows], axis=0, weights=detections.qualities[rows])
            num_looks[number] = np.count_nonzero(detections.qualities[rows] >= seen_well)
    return embeddings, num_looks


def _costs(boxes: Floats, others: Floats) -> Floats:
    """(N,) `geometric_cost` of each box and the other one in its row."""
    size, other_size = (np.sqrt(np.maximum(np.prod(each[:, 2:] - each[:, :2], axis=1), 1)) for each in (boxes, others))
    distance = np.linalg.norm(boxes[:, :2] + boxes[:, 2:] - others[:, :2] - others[:, 2:], axis=1) / 2
    return np.asarray(distance / ((size + other_size) / 2) + np.abs(np.log(size / other_size)), np.float32)
