"""A recogniser's calibration, fitted on labelled looks: see `tasks.calibration` for what the numbers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tasks.calibration import Calibration, Likelihood, Profile, scaled_mean
from tasks.faces import Floats
from tests.benchmarks.labelled_looks import Appearance, Looks

CLEAR_QUALITY = 0.3
_SUBSETS = (2, 4)  # looks, of which a track may have no more
_DRAWS = 4
_UPPER = 1.282  # standard deviations up to which 90 % lie; beyond are those whom no recogniser tells
_FEWEST_OTHERS = 4
_LEAST_DEVIATION = 0.02
# How people lie who look alike, too few of whom are in any set of clips to fit that on: relatives and children of one age are set.
_ALIKE_AT = 0.46  # of the way from the same face to strangers'
_ALIKE_WIDTH = 0.16  # their deviation, of that way
_ALIKE_SHARES = {"photo": 0.01, "track": 0.05}  # of pairs: of anybody, and of people of one video
_PER_OCTAVE_ALIKE = 0.5  # of how the same face's distance grows

Numbers = npt.NDArray[np.float64]
_Row = tuple[bool, float, float, float, float]
"""whether two are one person, how far apart they are, the qualities of both, and what the pair counts"""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """(N,) each: whether two are one person, how far apart they are, octaves below clear, and what the pair counts."""

    same: npt.NDArray[np.bool_]
    distances: Numbers
    octaves: Numbers
    weights: Numbers


def fit(clips: Sequence[Looks]) -> Calibration:
    """The calibration that these clips speak for, each with all photos; looks at hard faces say what no recogniser can, and are left out.

    Raises ValueError where they hold no two appearances of one person.
    """
    clips = [Looks([each for each in looks.appearances if not each.hard], looks.photos) for looks in clips]
    octaves = Calibration(clear_quality=CLEAR_QUALITY, photo=_ANY, track=_ANY, profile=_STRAIGHT).octaves
    random = np.random.default_rng(2022)
    photo_rows: list[_Row] = []
    track_rows: list[_Row] = []
    for looks in clips:
        parts = [_subsets(each, random) for each in looks.appearances]
        photo_rows += _photo_rows(looks, parts)
        track_rows += _track_rows(looks, parts)
    photo, track = _pairs(photo_rows, octaves, of_both=False), _pairs(track_rows, octaves, of_both=True)
    if not (photo.same.any() and track.same.any()):
        raise ValueError("nobody is seen in two shots, or on a photo: there is nothing to fit on")
    return Calibration(
        clear_quality=CLEAR_QUALITY,
        photo=_likelihood(photo, _ALIKE_SHARES["photo"]),
        track=_likelihood(track, _ALIKE_SHARES["track"]),
        profile=_profile(clips),
    )


def pooled(appearance: Appearance, rows: npt.NDArray[np.intp] | slice = slice(None)) -> tuple[Floats, float]:
    """The embedding and the quality of some looks at one appearance, as a track has them."""
    embeddings, qualities = appearance.embeddings[rows], appearance.qualities[rows]
    good = qualities >= np.median(qualities)
    return scaled_mean(embeddings[good], qualities[good]), float(qualities.max())


def _subsets(appearance: Appearance, random: np.random.Generator) -> list[tuple[Floats, float]]:
    """The whole appearance, and tracks that had only a look or a few at it."""
    count = len(appearance.qualities)
    found = [pooled(appearance)]
    for size in _SUBSETS:
        if size < count:
            found += [pooled(appearance, np.sort(random.choice(count, size, replace=False))) for _ in range(_DRAWS)]
    return found


def _photo_rows(looks: Looks, parts: Sequence[Sequence[tuple[Floats, float]]]) -> list[_Row]:
    return [
        (person == each.person, float(np.linalg.norm(photo - embedding)), quality, 0.0, 1 / len(own))
        for person, photo in looks.photos.values()
        for each, own in zip(looks.appearances, parts, strict=True)
        for embedding, quality in own
    ]


def _track_rows(looks: Looks, parts: Sequence[Sequence[tuple[Floats, float]]]) -> list[_Row]:
    """Of two shots, or of two people."""
    rows: list[_Row] = []
    for number, (one, own) in enumerate(zip(looks.appearances, parts, strict=True)):
        for other, others in zip(looks.appearances[:number], parts[:number], strict=True):
            rows += [
                (one.person == other.person, float(np.linalg.norm(a - b)), quality, other_quality, 1 / (len(own) * len(others)))
                for a, quality in own[::2]
                for b, other_quality in others[::2]
            ]
    return rows


def _pairs(rows: Sequence[_Row], octaves: object, of_both: bool) -> Pairs:
    same, distances, qualities, others, weights = (np.array(column) for column in zip(*rows, strict=True))
    assert callable(octaves)
    below = octaves(qualities) + (octaves(others) if of_both else 0)
    return Pairs(same.astype(bool), distances.astype(np.float64), below, weights.astype(np.float64))


def _likelihood(pairs: Pairs, alike_share: float) -> Likelihood:
    """The middle of the same people's, and how far beyond it nine of ten reach: nearer ones are no surprise."""
    own = pairs.same
    same, same_slope = _median_line(pairs.octaves[own], pairs.distances[own], pairs.weights[own])
    beyond = pairs.distances[own] - (same + same_slope * pairs.octaves[own])
    deviation = max(_LEAST_DEVIATION, _quantile(beyond, pairs.weights[own], 0.9) / _UPPER)
    others, below, weights = pairs.distances[~own], pairs.octaves[~own], pairs.weights[~own]
    different, slope = _median_line(below, others, weights)
    residuals = others - (different + slope * below)
    clear = below < 1
    spread = _spread(residuals[clear], weights[clear])
    growth = (_spread(residuals[~clear], weights[~clear]) - spread) / max(float(np.average(below[~clear], weights=weights[~clear])), 1.0)
    between = different - same
    return Likelihood(
        same=same,
        same_per_octave=same_slope,
        same_deviation=deviation,
        different=different,
        different_per_octave=slope,
        different_deviation=spread,
        deviation_per_octave=max(growth, -spread / 8),
        alike=same + _ALIKE_AT * between,
        alike_per_octave=_PER_OCTAVE_ALIKE * same_slope,
        alike_deviation=_ALIKE_WIDTH * between,
        alike_share=alike_share,
    )


def _profile(clips: Sequence[Looks]) -> Profile:
    """Photos' distances from the others of a clip, by how far the person on them is from those."""
    rows = []
    for looks in clips:
        clear: dict[str, list[Floats]] = {}
        for each in looks.appearances:
            if each.qualities[0] >= CLEAR_QUALITY:
                clear.setdefault(each.person, []).append(pooled(each)[0])
        people = {person: np.mean(vectors, axis=0) for person, vectors in clear.items()}
        rows += [
            (np.linalg.norm(people[person] - other), np.linalg.norm(photo - other))
            for person, photo in looks.photos.values()
            for name, other in people.items()
            if name != person and person in people
        ]
    if len(rows) < _FEWEST_OTHERS:
        return _STRAIGHT
    between, found = np.array(rows).T
    slope, offset = np.polyfit(between, found, 1)
    return Profile(offset=float(offset), slope=float(slope), deviation=max(0.02, float(np.std(found - (offset + slope * between)))))


def _median_line(x: Numbers, y: Numbers, weights: Numbers) -> tuple[float, float]:
    """Offset and slope of the line with the least weighted absolute deviation (Koenker and Bassett 1978), by reweighted least squares."""
    design = np.stack([np.ones_like(x), x], axis=1)
    scale = weights.copy()
    line = np.zeros(2)
    for _ in range(60):
        root = np.sqrt(scale)
        line = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        scale = weights / np.maximum(np.abs(y - design @ line), 1e-3)
    return float(line[0]), float(line[1])


def _spread(values: Numbers, weights: Numbers) -> float:
    """Standard deviation as the middle half of the values has it."""
    if len(values) < 4:
        return _LEAST_DEVIATION
    return max(_LEAST_DEVIATION, (_quantile(values, weights, 0.75) - _quantile(values, weights, 0.25)) / 1.349)


def _quantile(values: Numbers, weights: Numbers, share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, share * reached[-1])])


_STRAIGHT = Profile(offset=0.0, slope=1.0, deviation=0.05)
_ANY = Likelihood(
    same=0.5,
    same_per_octave=0.05,
    same_deviation=0.07,
    different=0.85,
    different_per_octave=0.0,
    different_deviation=0.06,
    deviation_per_octave=0.0,
    alike=0.66,
    alike_per_octave=0.0,
    alike_deviation=0.06,
    alike_share=0.05,
)
