"""What a distance between two faces is worth: how much likelier it is where they are one person's than where they are two people's.

The less well a face was seen, the further away from itself it is found; in "octaves" of quality below a clear one. Of two strangers the
distance hardly depends on that. A few pairs of people look alike: relatives, children of one age. How they lie is fitted on labelled
clips for each recogniser (`python -m tests.benchmarks.calibration`) and kept in `recognisers/calibration.toml`, in the unit of
`recognisers/boundary.py`. Likelihood ratios of recognisers: Ramos and Gonzalez-Rodriguez, "Reliable support: measuring calibration of
likelihood ratios", Forensic Science International 2013.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks.faces import Floats
from tasks.method import Settings

FILE = Path(__file__).parent / "recognisers" / "calibration.toml"
_ANY = "any"  # the table for recognisers that were not calibrated
_MOST_OCTAVES = 4.0
_MOST_ALIKE = 0.3  # of two people's
_LEAST_GAP = 0.03  # by which the same face is nearer than a stranger's, however badly both are seen

Numbers = npt.NDArray[np.float64]


class Likelihood(Settings):
    """Distances of two things, a photo and a track or two tracks, as normal distributions."""

    same: float
    """mean distance of one person's, where both are seen clearly,"""
    same_per_octave: float
    """how it grows with each octave of quality below that, and"""
    same_deviation: float
    different: float
    """the same of two people's"""
    different_per_octave: float
    different_deviation: float
    deviation_per_octave: float
    """how the deviation of two people's grows"""
    alike: float
    """the same of two people's who look alike,"""
    alike_per_octave: float
    alike_deviation: float
    alike_share: float
    """and how many of two people's those are, where both are seen clearly; twice as many with each octave below that"""

    def log_same(self, distances: npt.ArrayLike, octaves: npt.ArrayLike, nearer: npt.ArrayLike = 1.0) -> Numbers:
        """Log density where they are one person's: less than the mean is no less likely than the mean. For `nearer` see `nearer`."""
        scale = np.asarray(nearer, np.float64)
        mean = self._same(octaves) * scale
        return _log_normal(np.maximum(distances, mean), mean, self.same_deviation * scale)

    def log_ratio(self, distances: npt.ArrayLike, octaves: npt.ArrayLike, nearer: npt.ArrayLike = 1.0) -> Numbers:
        """Natural log of how much likelier distances are where they are one person's than where they are two people's."""
        different = _log_normal(np.minimum(distances, self._different(octaves)), self._different(octaves), self._deviation(octaves))
        alike = self.log_alike(distances, octaves)
        return self.log_same(distances, octaves, nearer) - _mixed(different, alike, self.share(octaves))

    def share(self, octaves: npt.ArrayLike) -> Numbers:
        """Of people who look alike, the more the less well they are seen."""
        return np.minimum(self.alike_share * 2.0 ** np.asarray(octaves, np.float64), _MOST_ALIKE)

    def log_alike(self, distances: npt.ArrayLike, octaves: npt.ArrayLike) -> Numbers:
        """Log density where they are two people's who look alike."""
        return _log_normal(distances, self.alike + self.alike_per_octave * np.asarray(octaves, np.float64), self.alike_deviation)

    def _different(self, octaves: npt.ArrayLike) -> Numbers:
        return self.different + self.different_per_octave * np.asarray(octaves, np.float64)

    def _deviation(self, octaves: npt.ArrayLike) -> Numbers:
        return self.different_deviation + self.deviation_per_octave * np.asarray(octaves, np.float64)

    def _same(self, octaves: npt.ArrayLike) -> Numbers:
        return np.minimum(self.same + self.same_per_octave * np.asarray(octaves, np.float64), self._different(octaves) - _LEAST_GAP)


class Profile(Settings):
    """How far a photo is from the other people of a video, given how far the person on it is from them: a line, and how near to it."""

    offset: float
    slope: float
    deviation: float

    def log_density(self, distances: npt.ArrayLike, of_person: npt.ArrayLike, octaves: npt.ArrayLike, people: Likelihood) -> Numbers:
        """Log density of the distances, with as many surprises as there are people who look alike."""
        expected = self.offset + self.slope * np.asarray(of_person, np.float64)
        near = _log_normal(np.minimum(distances, expected), expected, self.deviation)
        return _mixed(near, people.log_alike(distances, octaves), people.share(octaves))


class Calibration(Settings):
    """All that was measured of a recogniser."""

    clear_quality: float
    """from which a face is as good as it gets"""
    photo: Likelihood
    """of a photo and a person's tracks"""
    track: Likelihood
    """of two tracks"""
    profile: Profile

    def octaves(self, qualities: npt.ArrayLike) -> Numbers:
        """How often a quality is half of a clear one; 0 for clear ones, and no more than is known of."""
        return np.clip(np.log2(self.clear_quality / np.maximum(qualities, 1e-6)), 0, _MOST_OCTAVES)


def nearer(one: npt.ArrayLike, other: npt.ArrayLike) -> Numbers:
    """By how much means of so many tracks of one person are nearer to each other than two tracks are: what differs averages out."""
    return np.sqrt((1 / np.asarray(one, np.float64) + 1 / np.asarray(other, np.float64)) / 2)


@cache
def calibration_of(recogniser: str) -> Calibration:
    """That of the recogniser with this name, or where it has none that of any."""
    tables = tomllib.loads(FILE.read_text("utf-8"))
    return Calibration(**(tables.get(recogniser) or tables[_ANY]))


def scaled_mean(embeddings: Floats, weights: Floats) -> Floats:
    """The weighted mean direction of embeddings (N, D), as long as they are: a plain mean is shorter, and so nearer to everybody."""
    mean = np.average(embeddings.astype(np.float64), axis=0, weights=weights)
    lengths = np.sqrt(np.square(embeddings.astype(np.float64)).sum(axis=1))
    # Summed by NumPy itself: what a BLAS sums differs in its last bits from processor to processor, and so would all keys after it.
    return np.asarray(mean * (np.average(lengths, weights=weights) / max(float(np.sqrt(np.square(mean).sum())), 1e-9)), np.float32)


def _log_normal(values: npt.ArrayLike, mean: npt.ArrayLike, deviation: npt.ArrayLike) -> Numbers:
    spread = np.asarray(deviation, np.float64)
    return np.asarray(-0.5 * ((np.asarray(values) - mean) / spread) ** 2 - np.log(spread * np.sqrt(2 * np.pi)), np.float64)


def _mixed(log_many: Numbers, log_few: Numbers, share_few: Numbers) -> Numbers:
    return np.asarray(np.logaddexp(np.log1p(-share_few) + log_many, np.log(share_few) + log_few), np.float64)
