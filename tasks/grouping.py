"""From tracks to persons: clusters of tracks that show the same face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

from tasks.calibration import Calibration, Numbers, nearer, scaled_mean
from tasks.faces import Floats, Ints
from tasks.matching import euclidean
from tasks.returns import SAME_PLACE_AGAIN, same_places
from tasks.tracks import Span, Track, seen_together

_NEVER = 1e9  # mean cost with which no cluster is ever made
_MOST_AT_ONCE = 2000  # tracks whose costs are held in memory
_AT_ONCE = 100  # clusters whose costs with all others are computed at a time
_OFTEN = 8  # tracks from which a person is likelier to be seen again than somebody new
_LOOKS = 5  # of a cluster's best tracks, which speak for it
_POOLED = 20  # of them, when all looks are taken together
_MOST_EVIDENCE = 12.0  # log ratio beyond which a pair of tracks says no more: one pair does not outweigh all others


def group(tracks: Sequence[Track], merge_log_ratio: float, calibration: Calibration, fades: Sequence[Span] = ()) -> list[Track]:
    """The tracks with their persons, numbered in order of appearance, from the left where several appear at once.

    Average-linkage clusters of tracks for which it is likelier by `merge_log_ratio`, the natural log of a ratio, that they show one person
    than that they show two; then clusters of which that holds by all looks taken together. Two tracks seen at the same time are two
    persons, but for `fades`, and so are clusters that hold two such; a track without an embedding is a person of its own.
    """
    if not tracks:
        return []
    embeddings = np.stack([track.embedding for track in tracks])
    qualities = np.array([track.quality for track in tracks])
    known = ~np.isnan(embeddings[:, 0])
    clusters = _Clusters(
        embeddings, qualities, seen_together(tracks, fades), calibration, _MOST_EVIDENCE - merge_log_ratio, same_places(tracks)
    )
    groups = clusters.gathered(clusters.made_of(np.flatnonzero(known))) if known.any() else []
    groups += [np.array([row]) for row in np.flatnonzero(~known)]

    persons = np.empty(len(tracks), np.int64)
    appears = [(track.first_seen, float(track.boxes[track.first_seen - track.first, 0])) for track in tracks]
    for person, rows in enumerate(sorted(groups, key=lambda rows: min(appears[row] for row in rows))):
        persons[rows] = person
    return [replace(track, person=person) for track, person in zip(tracks, persons.tolist(), strict=True)]


def _seen_often(ratios: Numbers, sizes: Ints, margin: float) -> Numbers:
    """The log ratios, (A, N), of some clusters and all: raised for who was seen often, and so is likelier to be seen again.

    As in a Chinese restaurant process (Aldous 1985); only where nobody else is left within a margin of it.
    """
    raised = ratios + np.log(np.maximum(sizes / _OFTEN, 1))
    rows, best = np.arange(len(ratios)), raised.argmax(axis=1)
    others = raised.copy()
    others[rows, best] = -np.inf
    alone = raised[rows, best] >= others.max(axis=1) + margin
    ratios = ratios.copy()
    ratios[rows[alone], best[alone]] = raised[rows[alone], best[alone]]
    return ratios


class _Clusters:
    """Makes clusters of N tracks, of which pairs, (P, 2), are two people; a cluster is the rows of its tracks."""

    def __init__(
        self, embeddings: Floats, qualities: Floats, apart: Ints, calibration: Calibration, threshold: float, places: Ints
    ) -> None:
        both_ways = np.concatenate([places, places[:, ::-1]])
        self._same_place = csr_array((np.ones(len(both_ways), bool), both_ways.T), shape=(len(embeddings),) * 2)
        self._embeddings, self._qualities, self._apart, self._threshold = embeddings, qualities, apart, threshold
        self._octaves, self._likelihood = calibration.octaves(qualities), calibration.track

    def made_of(self, rows: Ints) -> list[Ints]:
        """Some at a time, and then what came of them: a day's tracks have more distances than there is memory."""
        parts = [rows[first : first + _MOST_AT_ONCE] for first in range(0, len(rows), _MOST_AT_ONCE)]
        found = [cluster for part in parts for cluster in self._merged([np.array([row]) for row in part])]
        return found if len(parts) < 2 else self._merged(found)

    def gathered(self, clusters: list[Ints]) -> list[Ints]:
        """The clusters, with those put together that likely are one person by all that was seen of both, the likeliest first.

        A mean of several tracks is nearer to its person's other tracks than these are to one another, and no nearer to a brother's.
        """
        while len(clusters) > 1:
            taken: set[int] = set()
            for _, one, other in sorted(self._near(clusters)):
                if not {one, other} & taken:
                    taken |= {one, other}
                    clusters[one] = np.concatenate([clusters[one], clusters[other]])
                    clusters[other] = clusters[other][:0]
            if not taken:
                break
            clusters = [cluster for cluster in clusters if len(cluster)]
        return clusters

    def _near(self, clusters: Sequence[Ints]) -> list[tuple[float, int, int]]:
        """The pairs of clusters that are within the threshold: how far they are within it, below 0, and the places of both."""
        pooled = [self._pooled(cluster) for cluster in clusters]
        looks, octaves = np.stack([embedding for embedding, _ in pooled]), np.array([below for _, below in pooled])
        sizes = np.array([len(cluster) for cluster in clusters])
        counts = np.minimum(sizes, _POOLED)
        number_of = np.full(len(self._embeddings), -1)
        for number, cluster in enumerate(clusters):
            number_of[cluster] = number
        apart = number_of[self._apart]
        apart = apart[(apart >= 0).all(axis=1)]
        found: list[tuple[float, int, int]] = []
        for first in range(0, len(clusters), _AT_ONCE):
            rows = np.arange(first, min(first + _AT_ONCE, len(clusters)))
            ratios = self._likelihood.log_ratio(
                euclidean(looks[rows], looks), octaves[rows, None] + octaves, nearer(counts[rows, None], counts)
            )
            for one, other in (apart.T, apart.T[::-1]):
                here = (one >= first) & (one < first + _AT_ONCE)
                ratios[one[here] - first, other[here]] = -np.inf
            ratios[rows - first, rows] = -np.inf
            ratios = _seen_often(ratios, sizes, _MOST_EVIDENCE - self._threshold)
            for row, column in np.argwhere(_MOST_EVIDENCE - ratios <= self._threshold).tolist():
                found.append((-float(ratios[row, column]), first + row, column))
        return found

    def _pooled(self, cluster: Ints) -> tuple[Floats, float]:
        """The mean direction of those that speak for a cluster, and the octaves of the best of them."""
        best = cluster[np.argsort(-self._qualities[cluster], kind="stable")[:_POOLED]]
        return scaled_mean(self._embeddings[best], self._qualities[best]), float(self._octaves[best[0]])

    def _merged(self, clusters: list[Ints]) -> list[Ints]:
        """Those that belong together put together, neighbourhood by neighbourhood: what no pair joins, no mean of pairs does."""
        return [cluster for near in self._neighbourhoods(clusters) for cluster in self._linked(near)]

    def _neighbourhoods(self, clusters: list[Ints]) -> list[list[Ints]]:
        """The clusters from which others are reached over costs within the threshold; all of them where they are few."""
        if len(clusters) <= _MOST_AT_ONCE:
            return [clusters]
        near = [np.zeros((2, 0), np.int64)]
        first = 0
        for rows in self._costs(clusters, clusters):
            one, other = np.nonzero(rows <= self._threshold)
            near.append(np.stack([one + first, other]))
            first += len(rows)
        one, other = np.concatenate(near, axis=1)
        _, labels = connected_components(csr_array((np.ones(len(one), bool), (one, other)), shape=(len(clusters),) * 2), directed=False)
        found: dict[int, list[Ints]] = {}
        for label, cluster in zip(labels.tolist(), clusters, strict=True):
            found.setdefault(label, []).append(cluster)
        return list(found.values())

    def _linked(self, clusters: list[Ints]) -> list[Ints]:
        if len(clusters) < 2:
            return clusters
        costs = np.concatenate(list(self._costs(clusters, clusters)))
        number_of = np.full(len(self._embeddings), -1)
        for number, cluster in enumerate(clusters):
            number_of[cluster] = number
        apart = number_of[self._apart]
        apart = apart[(apart >= 0).all(axis=1)]
        costs[apart[:, 0], apart[:, 1]] = costs[apart[:, 1], apart[:, 0]] = _NEVER
        np.fill_diagonal(costs, 0)
        labels = fcluster(linkage(squareform(costs, checks=False), "average"), self._threshold, "distance")
        return [np.concatenate([clusters[number] for number in np.flatnonzero(labels == label)]) for label in np.unique(labels)]

    def _costs(self, clusters: Sequence[Ints], others: Sequence[Ints]) -> Iterator[npt.NDArray[np.float64]]:
        """(A, B) in rows, some at a time: how little speaks for their being one person, as a mean over those that speak for each."""
        other_rows, other_starts = self._speakers(others)
        other_counts = np.diff(np.append(other_starts, len(other_rows)))
        for first in range(0, len(clusters), _AT_ONCE):
            rows, starts = self._speakers(clusters[first : first + _AT_ONCE])
            distances = euclidean(self._embeddings[rows], self._embeddings[other_rows])
            ratios = self._likelihood.log_ratio(distances, self._octaves[rows][:, None] + self._octaves[other_rows])
            ratios += SAME_PLACE_AGAIN * self._same_place[rows][:, other_rows].toarray()
            costs = _MOST_EVIDENCE - np.clip(ratios, -_MOST_EVIDENCE, _MOST_EVIDENCE)
            sums = np.add.reduceat(np.add.reduceat(costs, starts), other_starts, axis=1)
            yield np.asarray(sums / (np.diff(np.append(starts, len(rows)))[:, None] * other_counts))

    def _speakers(self, clusters: Iterable[Ints]) -> tuple[Ints, Ints]:
        """The rows of the best tracks of all clusters, and where each one's begin."""
        best = [cluster[np.argsort(-self._qualities[cluster], kind="stable")[:_LOOKS]] for cluster in clusters]
        return np.concatenate(best), np.cumsum([0, *(len(each) for each in best[:-1])])
