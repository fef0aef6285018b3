"""From tracks to persons: clusters of tracks that show the same face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from tasks.faces import Ints
from tasks.matching import euclidean
from tasks.tracks import Track

_NEVER = 1e9  # mean distance with which no cluster is ever made


def group(tracks: Sequence[Track], same_person: float) -> list[Track]:
    """The tracks with their persons, numbered in order of appearance.

    Average-linkage clusters of embeddings nearer than `same_person`; two tracks seen at the same time are two persons, and a
    track without an embedding is a person of its own.
    """
    if len(tracks) < 2:
        return [replace(track, person=0) for track in tracks]
    embeddings = np.stack([track.embedding for track in tracks])
    distances = euclidean(embeddings, embeddings)
    distances[np.isnan(distances) | _seen_together(tracks)] = _NEVER
    np.fill_diagonal(distances, 0)
    clusters = fcluster(linkage(squareform(distances, checks=False), "average"), same_person, "distance")
    by_appearance = sorted(zip(tracks, clusters, strict=True), key=lambda pair: pair[0].first_seen)
    persons = {cluster: person for person, cluster in enumerate(dict.fromkeys(cluster for _, cluster in by_appearance))}
    return [replace(track, person=persons[cluster]) for track, cluster in zip(tracks, clusters, strict=True)]


def _seen_together(tracks: Sequence[Track]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """(N, N): whether two tracks were both seen between the first and last detection of either."""
    spans: Ints = np.array([(track.first_seen, track.last_seen) for track in tracks])
    overlap = np.minimum(spans[:, None, 1], spans[None, :, 1]) - np.maximum(spans[:, None, 0], spans[None, :, 0])
    return np.asarray(overlap >= 0)
