"""Stage: faces that the thesis's code found, in place of looking for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tasks.errors import BadSetting
from tasks.hashing import file_sha256
from tasks.manifests import SegmentFaces, Video
from tasks.plan import Recogniser
from tasks.recognisers.boundary import in_common_unit
from tasks.results import ObjectStore
from tasks.sequences import Sequences, read_sequences_file
from tasks.stage import stage


@stage("read_sequences", apart=())
def read_sequences(video: Video, sequences: Sequences, recogniser: Recogniser) -> SegmentFaces:
    """The file's embeddings are taken to be what the recogniser gives, before they are brought to the common unit. Raises BadSetting."""
    path = Path(sequences.path)
    found = read_sequences_file(path, video.info, video.part.first if video.part else 0, recogniser.dimensions)
    if file_sha256(path) != sequences.sha256:
        raise BadSetting(path, "was changed while it was read", fix="run again once it stays as it is")
    found = replace(found, embeddings=in_common_unit(found.embeddings, recogniser.boundary))
    return SegmentFaces(detections_ref=ObjectStore().put("detections", found.to_bytes()), num_looks=0, num_frames=video.info.num_frames)
