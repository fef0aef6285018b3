"""Which of a video's people are on photos: one inference over all tracks and all names, in place of thresholds on single tracks.

A name is at most one person, and people who are seen at once are two (the constraints of Kalogeiton and Zisserman, "Constrained Video
Face Clustering using 1NN Relations", BMVC 2020). Who else is in the video sets its own level, as cohorts do in speaker recognition
(Auckenthaler et al., "Score Normalization for Text-Independent Speaker Verification Systems", 2000): a photo of one of them is as far
from the others as that person is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from tasks.calibration import Calibration, Numbers, scaled_mean
from tasks.faces import Floats, Ints
from tasks.matching import euclidean
from tasks.returns import SAME_PLACE_AGAIN, same_places
from tasks.tracks import Span, Track, seen_together

_IN_VIDEO = 0.8  # probability that somebody who was asked for is in the video at all
_SEEN_AT_ALL = 0.04  # quality of the best look at somebody who counts as one of those whom a name may mean
_LEAVES = -1.0  # log odds, before anything is known of it, that a track of a person is somebody's whom nobody knows
_PLAUSIBLE = 1e-4  # probability below which nothing more is asked
_RIVAL = 0.05  # probability from which somebody else may be the one
_PHOTO_QUALITY = 0.5  # of a photo's face, as a look at its person
_SPEAKERS = 5  # tracks, the best of a person, that speak for it

Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Identified:
    """What is known of a name's being one of the people of a video.

    probabilities: (N,) of each track that it shows the person with this name
    distances: (N,) of its face from the nearest photo; NaN where it has none
    rivals: (N,) the person, by its number, who is likeliest to be the one of all others; -1 where nobody else may be
    """

    probabilities: Numbers
    distances: Floats
    rivals: Ints


def identify(
    tracks: Sequence[Track],
    references: Mapping[str, Floats],
    calibration: Calibration,
    fades: Sequence[Span] = (),
    qualities: Mapping[str, float] = MappingProxyType({}),
) -> dict[str, Identified]:
    """For each name what its references, (K, D) embeddings, say of the tracks.

    Two shots are seen at once in `fades`. `qualities` are of references that are no photos, by name: tracks that were pointed at.
    """
    people = _People(tracks, calibration, fades)
    likeness = {
        name: _Likeness(people, embeddings, qualities.get(name, _PHOTO_QUALITY), calibration) for name, embeddings in references.items()
    }
    # A person who is more like another name is that one.
    claims = {name: each.log_ratios for name, each in likeness.items()}
    total = logsumexp(np.stack(list(claims.values())), axis=0) if claims else np.zeros(0)
    return {name: _identified(people, each, np.exp(claims[name] - total)) for name, each in likeness.items()}


class _People:
    """The persons of a video who were seen well enough to say anything, K of N tracks."""

    def __init__(self, tracks: Sequence[Track], calibration: Calibration, fades: Sequence[Span]) -> None:
        self.tracks, self.calibration = tracks, calibration
        self.embeddings = np.stack([track.embedding for track in tracks])
        self.qualities = np.array([track.quality for track in tracks])
        persons = np.array([track.person for track in tracks])
        known = np.flatnonzero(~np.isnan(self.embeddings).any(axis=1))
        self.numbers = np.unique(persons[known])
        self.members = [known[persons[known] == number] for number in self.numbers]
        self.own = [self.pooled(rows) for rows in self.members]
        self.looks = np.stack([embedding for embedding, _ in self.own]) if self.own else np.zeros((0, self.embeddings.shape[1]), np.float32)
        self.octaves = calibration.octaves([quality for _, quality in self.own])
        self.person_of = np.full(len(tracks), -1)
        for person, rows in enumerate(self.members):
            self.person_of[rows] = person
        self.together = seen_together(tracks, fades)
        self.apart = np.zeros((len(self.members),) * 2, bool)
        pairs = self.person_of[self.together]
        pairs = pairs[(pairs >= 0).all(axis=1)]
        self.apart[pairs[:, 0], pairs[:, 1]] = self.apart[pairs[:, 1], pairs[:, 0]] = True
        np.fill_diagonal(self.apart, False)
        self.places = same_places(tracks)
        self.same_place = np.zeros(self.apart.shape)
        pairs = self.person_of[self.places]
        pairs = pairs[(pairs >= 0).all(axis=1)]
        self.same_place[pairs[:, 0], pairs[:, 1]] = self.same_place[pairs[:, 1], pairs[:, 0]] = SAME_PLACE_AGAIN
        count = sum(quality >= _SEEN_AT_ALL for _, quality in self.own)
        self.log_one = -np.log(max(1, count))
        self.distances = euclidean(self.looks, self.looks)
        octaves = self.octaves[:, None] + self.octaves
        self.between = calibration.track.log_ratio(self.distances, octaves) + self.same_place + self.log_one

    def pooled(self, rows: Ints) -> tuple[Floats, float]:
        """The embedding and the quality of some tracks taken as one person."""
        best = rows[np.argsort(-self.qualities[rows], kind="stable")[:_SPEAKERS]]
        return scaled_mean(self.embeddings[best], self.qualities[best]), float(self.qualities[best[0]])

    def stays_with(self, row: int, others: Ints) -> float:
        """What it says that a track is where another one was before a cut away."""
        return SAME_PLACE_AGAIN if np.isin(_paired_with(self.places, row), others).any() else 0.0

    def same(self, embedding: Floats, octaves: float) -> Numbers:
        """(K,) log ratios of a look at somebody being each of the persons."""
        return self.calibration.track.log_ratio(euclidean(embedding[None], self.looks)[0], self.octaves + octaves)


class _Likeness:
    """How like a name's photos the persons of a video are."""

    def __init__(self, people: _People, references: Floats, quality: float, calibration: Calibration) -> None:
        self.references, self.quality, self.calibration = references, quality, calibration
        self.octaves = people.octaves + float(calibration.octaves(quality))
        self.distances = np.nanmin(euclidean(references, people.looks), axis=0) if len(people.looks) else np.zeros(0)
        self.log_ratios = calibration.photo.log_ratio(self.distances, self.octaves)
        tracks = euclidean(references, people.embeddings)
        self.of_tracks = np.where(np.isnan(tracks).all(axis=0), np.nan, np.nanmin(np.where(np.isnan(tracks), np.inf, tracks), axis=0))

    def and_photos(self, embedding: Floats, quality: float) -> tuple[Floats, float]:
        """Somebody's embedding, and the octaves of its quality, with the photos taken as further looks at them."""
        looks = np.concatenate([embedding[None], self.references])
        weights = np.array([quality, *[self.quality] * len(self.references)])
        return scaled_mean(looks, weights), float(self.calibration.octaves(weights.max()))

    def beaten_by(self, people: _People) -> Numbers:
        """(K, K): log of how much likelier it is that the person of a column is on the photo than that the one of the row is.

        Either way the photo is as far from the other one as they are from each other.
        """
        calibration = people.calibration
        log_same = calibration.photo.log_same(self.distances, self.octaves)
        as_other = calibration.profile.log_density(self.distances[None, :], people.distances, people.octaves[None, :], calibration.photo)
        for_row = log_same[:, None] + as_other
        return np.asarray(for_row.T - for_row, np.float64)


def _identified(people: _People, likeness: _Likeness, share: Numbers) -> Identified:
    count = len(people.members)
    probabilities, rivals = np.zeros(len(people.tracks)), np.full(len(people.tracks), -1)
    if not count:
        return Identified(probabilities, likeness.of_tracks.astype(np.float32), rivals)
    prior = np.log(_IN_VIDEO / (1 - _IN_VIDEO)) + people.log_one
    beaten = likeness.beaten_by(people)
    np.fill_diagonal(beaten, -np.inf)
    against = logsumexp(np.concatenate([beaten, -(likeness.log_ratios + prior)[:, None]], axis=1), axis=1)
    core = share / (1 + np.exp(np.minimum(against, 700)))
    same = np.eye(count)
    for plausible in np.flatnonzero(core > _PLAUSIBLE).tolist():
        same[:, plausible] = _same_as(people, likeness, plausible)
    of_person = np.minimum(same @ core, 1.0)
    for person, rows in enumerate(people.members):
        for row in rows.tolist() if of_person[person] > _PLAUSIBLE else ():
            probabilities[row] = of_person[person] * _belongs(people, likeness, person, row)
        others = np.where(np.arange(count) == person, 0, of_person)
        if others.max() >= _RIVAL:
            rivals[rows] = people.numbers[others.argmax()]
    return Identified(probabilities, likeness.of_tracks.astype(np.float32), rivals)


def _same_as(people: _People, likeness: _Likeness, person: int) -> Numbers:
    """(K,): of each person, how likely it is the same as one of whom it is taken for granted that she is on the photos."""
    log_ratios = people.same(*likeness.and_photos(*people.own[person])) + people.same_place[person] + people.log_one
    # Each may be any of the others as well, who is not seen together with them, or somebody whom nobody knows.
    others = np.where(people.apart, -np.inf, people.between)
    np.fill_diagonal(others, -np.inf)
    others[:, person] = -np.inf
    total = np.logaddexp(logsumexp(others, axis=1), np.logaddexp(0.0, log_ratios))
    same = np.where(people.apart[person], 0.0, np.exp(log_ratios - total))
    same[person] = 1.0
    return np.asarray(same, np.float64)


def _belongs(people: _People, likeness: _Likeness, person: int, row: int) -> float:
    """How likely a track is its person's, by the other tracks of that person and the photos: a group may hold two people."""
    rest = people.members[person][people.members[person] != row]
    if not len(rest):
        return 1.0
    octaves = float(people.calibration.octaves(people.qualities[row]))
    embedding, rest_octaves = likeness.and_photos(*people.pooled(rest))
    distance = float(np.linalg.norm(people.embeddings[row] - embedding))
    log_ratio = float(people.calibration.track.log_ratio(distance, octaves + rest_octaves)) + people.stays_with(row, rest)
    free = np.arange(len(people.members)) != person
    beside = people.person_of[_paired_with(people.together, row)]
    free[beside[beside >= 0]] = False
    others = people.same(people.embeddings[row], octaves)[free] + people.log_one
    return _share(log_ratio, [_LEAVES, *others])


def _paired_with(pairs: Ints, row: int) -> Ints:
    return np.concatenate([pairs[pairs[:, 0] == row, 1], pairs[pairs[:, 1] == row, 0]])


def _share(log_one: float, log_others: Sequence[float]) -> float:
    return float(np.exp(log_one - logsumexp([log_one, *log_others])))
