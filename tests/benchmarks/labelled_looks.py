"""Looks at labelled faces, and at the photos beside them: what recognisers are measured and calibrated on."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import av
import numpy as np

from tasks.detectors.centerface import CenterFace
from tasks.faces import Floats
from tasks.matching import intersection_over_union
from tasks.photos import read_photo
from tasks.recognisers.faceres import FaceresRecogniser
from tests.benchmarks.labelled import LabelledClip

_EVERY_FRAMES = 6
_SAME_FACE = 0.4  # overlap of a face that is found with a labelled one


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """A person in one shot of a clip: embeddings (N, D) and qualities (N,) of the looks at them, the best first."""

    clip: str
    person: str
    shot: int
    hard: bool
    """whether most of the looks are at a face that is hard by its label"""
    embeddings: Floats
    qualities: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """All looks of some clips. People are named CLIP/PERSON, and those who are the same one alike."""

    appearances: list[Appearance]
    photos: dict[tuple[str, str], tuple[str, Floats]]
    """by clip and file name, the person on it and the embedding, (D,)"""

    def centred(self, mean: Floats, length: float) -> Looks:
        """The same without what all faces have in common, as long as `length`."""

        def moved(embeddings: Floats) -> Floats:
            rest = _unit(embeddings) - mean
            return np.asarray(length * _unit(rest), np.float32)

        return Looks(
            [replace(each, embeddings=moved(each.embeddings)) for each in self.appearances],
            {key: (person, moved(embedding)) for key, (person, embedding) in self.photos.items()},
        )

    def only(self, clip: str) -> Looks:
        """The appearances of one clip, and all photos."""
        return Looks([each for each in self.appearances if each.clip == clip], self.photos)

    def without(self, clip: str) -> Looks:
        return Looks(
            [each for each in self.appearances if each.clip != clip], {key: photo for key, photo in self.photos.items() if key[0] != clip}
        )


def looks_at(clips: Sequence[LabelledClip], settings: Any, same: Sequence[tuple[str, str]] = ()) -> Looks:
    """`same` are pairs CLIP/PERSON who are one person; people of one name in two clips are, too. faceres' mean is not taken away."""
    recogniser, detector = settings.load(), CenterFace().load()
    if isinstance(recogniser, FaceresRecogniser):
        recogniser = replace(recogniser, mean=np.zeros_like(recogniser.mean))
    name_of = _names(clips, same)
    appearances, photos = [], {}
    for clip in clips:
        cuts = clip.cuts()
        seen: dict[tuple[str, int], list[tuple[Floats, float, bool]]] = {}
        for frame, picture, labels in _labelled_frames(clip):
            faces = detector.detect(picture)
            embeddings, qualities = recogniser.embed(picture, faces)
            for label in labels:
                overlaps = intersection_over_union(np.array([label["box"]], np.float32), faces.boxes)[0]
                if len(overlaps) and overlaps.max() > _SAME_FACE and qualities[overlaps.argmax()] > 0:
                    row = overlaps.argmax()
                    key = name_of[clip.name, label["person"]], bisect_right(cuts, frame)
                    seen.setdefault(key, []).append((embeddings[row], float(qualities[row]), bool(label.get("hard"))))
        for (person, shot), looks in seen.items():
            order = sorted(looks, key=lambda look: -look[1])
            hard = sum(look[2] for look in order) > len(order) / 2
            vectors = np.stack([look[0] for look in order])
            appearances.append(Appearance(clip.name, person, shot, hard, vectors, np.array([look[1] for look in order], np.float32)))
        for person, path in clip.photos():
            picture = read_photo(path)
            faces = detector.detect(picture)
            main = int(np.argmax((faces.boxes[:, 2] - faces.boxes[:, 0]) * (faces.scores >= 0.5)))
            photos[clip.name, path.stem] = name_of[clip.name, person], recogniser.embed(picture, faces[main : main + 1])[0][0]
    return Looks(appearances, photos)


def mean_of(looks: Looks, clear_quality: float) -> Floats:
    """(D,), the mean of unit vectors, each person counted once."""
    by_person: dict[str, list[Floats]] = {}
    for each in looks.appearances:
        clear = each.qualities >= clear_quality
        if clear.any():
            by_person.setdefault(each.person, []).append(_unit(each.embeddings[clear]).mean(axis=0))
    return np.asarray(np.mean([np.mean(vectors, axis=0) for vectors in by_person.values()], axis=0), np.float32)


def _names(clips: Sequence[LabelledClip], same: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """By clip and person: the first clip's name for whoever bears one name in several clips, or is said to be the same."""
    names: dict[tuple[str, str], str] = {}
    first: dict[str, str] = {}
    for clip in clips:
        for person in sorted(clip.people()):
            names[clip.name, person] = first.setdefault(person, f"{clip.name}/{person}")
    for one, other in same:
        kept, gone = (names[tuple(each.split("/", 1))] for each in (one, other))  # type: ignore[index]
        names = {key: kept if name == gone else name for key, name in names.items()}
    return names


def _labelled_frames(clip: LabelledClip) -> Any:
    """(frame, picture BGR, labels) of one frame in so many."""
    rows = [json.loads(line) for line in (clip.folder / "gt.jsonl").read_text().splitlines()]
    with av.open(str(clip.video)) as container:
        for row, frame in zip(rows, container.decode(video=0), strict=False):
            if row["frame"] % _EVERY_FRAMES == 0 and row["faces"]:
                yield row["frame"], frame.to_ndarray(format="bgr24"), row["faces"]


def _unit(vectors: Floats) -> Floats:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float32)
