"""Who is who, as verdicts: what is inferred of all tracks and names at once, and how sure that has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.calibration import Numbers
from tasks.faces import Floats
from tasks.identification import Identified, identify
from tasks.selectors.verdicts import Entry, Evidence, Strictness, Verdict
from tasks.tracks import seen_together


class Bounds(NamedTuple):
    """Probabilities: from `sure` on a track shows who was asked for, up to `never` it does not, and between them nobody can tell."""

    sure: float
    never: float


BOUNDS: dict[Strictness, Bounds] = {
    # Whoever is kept by mistake is shown, which costs a hundred times what it does to blur somebody by mistake. On clips that the
    # calibration does not know, nobody else than the one on the photo comes beyond 0.82 (`python -m tests.benchmarks.calibration`).
    "safe": Bounds(0.98, 0.05),
    "balanced": Bounds(0.93, 0.15),
    "sharp": Bounds(0.85, 0.5),
}


class ByLikeness(Entry):
    """People told by their faces."""

    def compare(
        self, evidence: Evidence, references: Mapping[str, Floats], qualities: Mapping[str, float] = MappingProxyType({})
    ) -> list[Verdict]:
        """A verdict a track; `references` are embeddings, (K, D), by name, and `qualities` those of references that are no photos."""
        if not evidence.tracks:
            return []
        bounds = BOUNDS[evidence.strictness]
        found = identify(evidence.tracks, references, evidence.calibration, evidence.fades, qualities)
        names = list(found)
        probabilities = np.stack([found[name].probabilities for name in names])
        any_of_them = np.minimum(probabilities.sum(axis=0), 1.0)
        best = probabilities.argmax(axis=0)
        alone = _excluded(evidence, probabilities, bounds)
        verdicts = [
            _verdict(names[best[number]], found[names[best[number]]], number, float(any_of_them[number]), bounds)
            if not np.isnan(track.embedding).any()
            else Verdict("no match", None, None, "is seen together with everybody who was asked for")
            if alone[number]
            else Verdict("unsure", None, None, "the face is never seen well enough")
            for number, track in enumerate(evidence.tracks)
        ]
        return _nobody_twice(verdicts, evidence)


def _verdict(name: str, found: Identified, number: int, probability: float, bounds: Bounds) -> Verdict:
    distance, rival = round(float(found.distances[number]), 3), int(found.rivals[number])
    told = round(probability, 4)
    if probability >= bounds.sure:
        return Verdict("match", name, distance, f"looks like {name}", told)
    if probability <= bounds.never:
        return Verdict("no match", name, distance, "looks like nobody who was asked for", told)
    if rival >= 0:
        return Verdict("unsure", name, distance, f"cannot be told from person {rival}: both look like {name}", told, rival)
    return Verdict("unsure", name, distance, f"may be {name}", told)


def _nobody_twice(verdicts: list[Verdict], evidence: Evidence) -> list[Verdict]:
    """The verdicts, of which two about people who are seen together do not say that both are one."""
    once = list(verdicts)
    for one, other in seen_together(evidence.tracks, evidence.fades).tolist():
        for number, beside in ((one, other), (other, one)):
            if verdicts[number].answer == verdicts[beside].answer == "match" and verdicts[number].name == verdicts[beside].name:
                rival = evidence.tracks[beside].person
                reason = f"cannot be told from person {rival}: both look like {verdicts[number].name}"
                once[number] = replace(verdicts[number], answer="unsure", rival=rival, reason=reason)
    return once


def _excluded(evidence: Evidence, probabilities: Numbers, bounds: Bounds) -> npt.NDArray[np.bool_]:
    """Of each track whether somebody who surely is the one is seen at the same time, for each name."""
    sure = probabilities >= bounds.sure
    excluded = np.zeros_like(sure)
    for one, other in seen_together(evidence.tracks, evidence.fades):
        excluded[:, one] |= sure[:, other]
        excluded[:, other] |= sure[:, one]
    return np.asarray(excluded.all(axis=0))
