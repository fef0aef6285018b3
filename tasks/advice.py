"""What would make people surer to tell: photos that belong together, and photos from the side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np

from tasks.calibration import Calibration
from tasks.choosing import Decision, Ruling
from tasks.faces import Floats
from tasks.tracks import Track

_TWO_PEOPLE = -2.0  # natural log of a ratio, below which two photos hardly show one person
_SIDE = 0.4  # frontality below which a face is seen from the side


def photos_apart(photos: Sequence[tuple[str, Path]], embeddings: Sequence[Floats], calibration: Calibration) -> list[str]:
    """A line for each photo that is unlike all others of its person. One of two is as likely the wrong one: both are named."""
    by_name: dict[str, list[int]] = {}
    for number, (name, _) in enumerate(photos):
        by_name.setdefault(name, []).append(number)
    lines = []
    for name, numbers in by_name.items():
        near = dict.fromkeys(numbers, 0)
        for one, other in combinations(numbers, 2):
            distance = float(np.linalg.norm(embeddings[one] - embeddings[other]))
            alike = bool(calibration.photo.log_ratio(distance, 0.0) > _TWO_PEOPLE)
            near[one] += alike
            near[other] += alike
        # By number: a photo may have another name when this is read again.
        apart = [str(place) for place, number in enumerate(numbers, 1) if not near[number]] if len(numbers) > 1 else []
        if apart:
            lines.append(f"the {len(numbers)} photos of {name} may not all show one person: look at number {', '.join(apart)}")
    return lines


def sides_wanted(tracks: Sequence[Track], rulings: Sequence[Ruling]) -> list[str]:
    """A line for each name about whom there is doubt only where somebody is seen from the side."""
    doubtful: dict[str, list[float]] = {}
    for track, ruling in zip(tracks, rulings, strict=True):
        if ruling.unsure and ruling.verdict.name and not np.isnan(track.embedding).any():
            doubtful.setdefault(ruling.verdict.name, []).append(track.frontality)
    return [
        f"who may be {name} is in doubt only where seen from the side: a photo of {name} from the side would help"
        for name, frontalities in doubtful.items()
        if max(frontalities) < _SIDE
    ]


def look_alikes(decisions: Sequence[Decision], called: Mapping[int, str]) -> list[str]:
    """A line for each two people whom nobody can tell apart by the photos."""
    by_person = {decision.person: decision for decision in decisions}
    lines = []
    for person, decision in sorted(by_person.items()):
        rival = by_person.get(-1 if decision.rival is None else decision.rival)
        if rival is None or not decision.unsure:
            continue
        one, other = (_numbered(each.person, called) for each in (decision, rival))
        if not rival.unsure and (rival.probability or 0) > (decision.probability or 0):
            lines.append(f"cannot tell {one} from {other}, who looks more like {decision.name}: {one} is blurred")
        elif rival.unsure and (rival.rival != person or person < rival.person):
            lines.append(f"cannot tell {one} from {other}: both look like {decision.name}, and both are blurred")
    return lines


def _numbered(person: int, called: Mapping[int, str]) -> str:
    return f"person {person}" + (f" ({called[person]})" if person in called else "")
