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

from tasks.faces import Floats, Ints
from tasks.matching import euclidean
from tasks.tracks import Track

_NEVER = 1e9  # mean distance with which no cluster is ever made
_CLEAR = 0.2  # quality from which a face says by itself who it is
_MOST_AT_ONCE = 2000  # tracks whose distances from each other are held in memory
_AT_ONCE = 100  # clusters whose distances to all others are computed at a time
_LOOKS = 5  # of a cluster's best tracks, which speak for it
_FEWEST_IMPOSTORS = 8  # pairs of which it is known that they are two people, before they say anything
_NEAREST_IMPOSTORS = 0.1  # share of them: some are one face that was followed twice, or a mirror
_BELOW_IMPOSTORS = 0.85
_LEAST = 0.6  # of what was asked for, however alike the people of a video are


def group(tracks: Sequence[Track], same_person: float) -> list[Track]:
    """The tracks with their persons, numbered in order of appearance, from the left where several appear at once.

    Average-linkage clusters of embeddings nearer than `same_person`, or nearer than a video's own people are to each other where that is
    less. Clear faces make the clusters, and poor ones join them. Two tracks seen at the same time are two persons, and so are clusters
    that hold two such; a track without an embedding is a person of its own.
    """
    if not tracks:
        return []
    embeddings = np.stack([track.embedding for track in tracks])
    qualities = np.array([track.quality for track in tracks])
    known = ~np.isnan(embeddings[:, 0])
    clear = known & (qualities >= _CLEAR)
    together = seen_together(tracks)
    clusters = _Clusters(embeddings, qualities, together, adapted(same_person, embeddings, together[clear[together].all(axis=1)]))
    groups = clusters.attach(clusters.made_of(np.flatnonzero(clear)), np.flatnonzero(known & ~clear))
    groups += [np.array([row]) for row in np.flatnonzero(~known)]

    persons = np.empty(len(tracks), np.int64)
    appears = [(track.first_seen, float(track.boxes[track.first_seen - track.first, 0])) for track in tracks]
    for person, rows in enumerate(sorted(groups, key=lambda rows: min(appears[row] for row in rows))):
        persons[rows] = person
    return [replace(track, person=person) for track, person in zip(tracks, persons.tolist(), strict=True)]


def adapted(same_person: float, embeddings: Floats, impostors: Ints) -> float:
    """`same_person`, or less in a video in which people of whom it is known that they are two, rows (P, 2), look more alike than that."""
    if len(impostors) < _FEWEST_IMPOSTORS:
        return same_person
    apart = np.linalg.norm(embeddings[impostors[:, 0]] - embeddings[impostors[:, 1]], axis=1)
    return float(np.clip(_BELOW_IMPOSTORS * np.quantile(apart, _NEAREST_IMPOSTORS), _LEAST * same_person, same_person))


def seen_together(tracks: Sequence[Track]) -> Ints:
    """(P, 2): the pairs of tracks, by their places, that were both seen between the first and last detection of either."""
    spans = np.array([(track.first_seen, track.last_seen) for track in tracks], np.int64).reshape(-1, 2)
    order = np.argsort(spans[:, 0], kind="stable")
    numbers = np.arange(len(tracks))
    after = np.searchsorted(spans[order, 0], spans[order, 1], side="right")
    one = np.repeat(numbers, after - numbers - 1)
    # Those that begin after it, up to the last one that begins before it ends.
    ends = np.cumsum(after - numbers - 1)
    other = np.arange(len(one)) - np.repeat(ends - (after - numbers - 1), after - numbers - 1) + one + 1
    return np.stack([order[one], order[other]], axis=1)


class _Clusters:
    """Makes clusters of N tracks, of which pairs, (P, 2), are two people; a cluster is the rows of its tracks."""

    def __init__(self, embeddings: Floats, qualities: Floats, apart: Ints, threshold: float) -> None:
        self._embeddings, self._qualities, self._apart, self._threshold = embeddings, qualities, apart, threshold

    def made_of(self, rows: Ints) -> list[Ints]:
        """Some at a time, and then what came of them: a day's tracks have more distances than there is memory."""
        parts = [rows[first : first + _MOST_AT_ONCE] for first in range(0, len(rows), _MOST_AT_ONCE)]
        found = [cluster for part in parts for cluster in self._merged([np.array([row]) for row in part])]
        return found if len(parts) < 2 else self._merged(found)

    def attach(self, clusters: list[Ints], rows: Ints) -> list[Ints]:
        """Each of some poor faces joins the cluster that it is nearest to, the nearest one first; the others are clusters of their own."""
        if not len(rows):
            return clusters
        cluster_of = np.full(len(self._embeddings), -1)
        for number, cluster in enumerate(clusters):
            cluster_of[cluster] = number
        neighbours: dict[int, list[int]] = {}
        for one, other in self._apart.tolist():
            neighbours.setdefault(one, []).append(other)
            neighbours.setdefault(other, []).append(one)
        distances = np.zeros((len(rows), 0))
        if clusters:
            distances = np.concatenate(list(self._distances([np.array([row]) for row in rows], clusters)))
        near, to = np.nonzero(distances <= self._threshold)
        for pair in np.argsort(distances[near, to], kind="stable"):
            row, number = int(rows[near[pair]]), int(to[pair])
            if cluster_of[row] < 0 and number not in cluster_of[neighbours.get(row, [])]:
                cluster_of[row] = number
        joined = [np.flatnonzero(cluster_of == number) for number in range(len(clusters))]
        return joined + self.made_of(rows[cluster_of[rows] < 0])

    def _merged(self, clusters: list[Ints]) -> list[Ints]:
        """Those that belong together put together, neighbourhood by neighbourhood: what no pair joins, no mean of pairs does."""
        return [cluster for near in self._neighbourhoods(clusters) for cluster in self._linked(near)]

    def _neighbourhoods(self, clusters: list[Ints]) -> list[list[Ints]]:
        """The clusters from which others are reached over distances within the threshold; all of them where they are few."""
        if len(clusters) <= _MOST_AT_ONCE:
            return [clusters]
        near = [np.zeros((2, 0), np.int64)]
        first = 0
        for rows in self._distances(clusters, clusters):
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
        distances = np.concatenate(list(self._distances(clusters, clusters)))
        number_of = np.full(len(self._embeddings), -1)
        for number, cluster in enumerate(clusters):
            number_of[cluster] = number
        apart = number_of[self._apart]
        apart = apart[(apart >= 0).all(axis=1)]
        distances[apart[:, 0], apart[:, 1]] = distances[apart[:, 1], apart[:, 0]] = _NEVER
        np.fill_diagonal(distances, 0)
        labels = fcluster(linkage(squareform(distances, checks=False), "average"), self._threshold, "distance")
        return [np.concatenate([clusters[number] for number in np.flatnonzero(labels == label)]) for label in np.unique(labels)]

    def _distances(self, clusters: Sequence[Ints], others: Sequence[Ints]) -> Iterator[npt.NDArray[np.float64]]:
        """(A, B) in rows, some at a time: the mean distance of those that speak for each."""
        other_rows, other_starts = self._speakers(others)
        other_counts = np.diff(np.append(other_starts, len(other_rows)))
        for first in range(0, len(clusters), _AT_ONCE):
            rows, starts = self._speakers(clusters[first : first + _AT_ONCE])
            distances = euclidean(self._embeddings[rows], self._embeddings[other_rows]).astype(np.float64)
            sums = np.add.reduceat(np.add.reduceat(distances, starts), other_starts, axis=1)
            yield np.asarray(sums / (np.diff(np.append(starts, len(rows)))[:, None] * other_counts))

    def _speakers(self, clusters: Iterable[Ints]) -> tuple[Ints, Ints]:
        """The rows of the best tracks of all clusters, and where each one's begin."""
        best = [cluster[np.argsort(-self._qualities[cluster], kind="stable")[:_LOOKS]] for cluster in clusters]
        return np.concatenate(best), np.cumsum([0, *(len(each) for each in best[:-1])])
