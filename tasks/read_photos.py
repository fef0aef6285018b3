"""Stage: the faces on the photos of the people who may, or may not, be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks import arrays
from tasks.advice import photos_apart
from tasks.calibration import calibration_of
from tasks.faces import Floats
from tasks.first_reading import read_photo
from tasks.manifests import Photos
from tasks.photos import one_face
from tasks.plan import FindFaces
from tasks.results import ObjectStore
from tasks.stage import stage


@stage("read_photos", apart=("paths",))
def read_photos(paths: Sequence[tuple[str, Path]], content_hashes: Sequence[tuple[str, str]], settings: FindFaces) -> Photos:
    """Photos as pairs of the person's name and the picture. Raises BadPhoto for a picture that does not show exactly one face."""
    with settings.load() as finder:
        found = [one_face(finder, read_photo(path), path) for _, path in paths]
    by_name: dict[str, list[Floats]] = {}
    for (name, _), embedding in zip(paths, found, strict=True):
        by_name.setdefault(name, []).append(embedding)
    packed = arrays.pack({name: np.stack(embeddings) for name, embeddings in by_name.items()})
    notes = photos_apart(paths, found, calibration_of(settings.recogniser.method))
    return Photos(embeddings_ref=ObjectStore().put("photos", packed), notes=tuple(notes))
