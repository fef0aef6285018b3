"""Stage: the faces on the photos of the people who may, or may not, be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks import arrays
from tasks.faces import Floats
from tasks.manifests import Photos
from tasks.photos import one_face, read_photo
from tasks.plan import FindFaces
from tasks.results import ObjectStore
from tasks.stage import stage


@stage("read_photos", apart=("paths",))
def read_photos(paths: Sequence[tuple[str, Path]], content_hashes: Sequence[tuple[str, str]], settings: FindFaces) -> Photos:
    """Photos as pairs of the person's name and the picture. Raises BadPhoto for a picture that does not show exactly one face."""
    by_name: dict[str, list[Floats]] = {}
    with settings.load() as finder:
        for name, path in paths:
            by_name.setdefault(name, []).append(one_face(finder, read_photo(path), path))
    packed = arrays.pack({name: np.stack(embeddings) for name, embeddings in by_name.items()})
    return Photos(embeddings_ref=ObjectStore().put("photos", packed))
