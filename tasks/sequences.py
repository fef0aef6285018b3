"""Faces as the code of the thesis "Automatic blurring of specific faces in video" keeps them, read in: see `tasks.exports.sequences`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, FieldSerializationInfo, field_serializer

from tasks.detectors.places import in_boxes
from tasks.errors import BadSetting
from tasks.faces import Detections
from tasks.method import FOR_A_KEY, Settings
from tasks.text_files import read_json
from tasks.video.info import VideoInfo
from tasks.video.upright import boxes_to_upright, to_decoded

_MOST_BYTES = 1 << 28  # takes twenty times as much memory, at worst
_GOOD_FACE_PIXELS = 150  # narrower faces' embeddings are trusted less, as they are where they are computed here


class Sequences(Settings):
    """A file of them, by its content."""

    path: str
    sha256: str = Field("", description="of the file; filled in when work begins")

    @field_serializer("path")
    def _path(self, path: str, info: FieldSerializationInfo) -> str:
        return "" if info.context == FOR_A_KEY else path


def read_sequences_file(path: Path, info: VideoInfo, first_frame: int, dimensions: int) -> Detections:
    """All faces of a file, as detections of a video that begins with the frame `first_frame` of the one that the file is about.

    dimensions: how many numbers an embedding has; a `feat` may also be empty. Frames beyond either end of the video are left out.
    Raises BadSetting for a file that is not what it should be.
    """
    faces = [face for sequence in _sequences(path) for face in _faces(path, sequence, dimensions)]
    rows = sorted((frame - first_frame, box, feat) for box, frame, feat in faces if 0 <= frame - first_frame < info.num_frames)
    if not rows:
        raise BadSetting(path, f"has no face in the video's {info.num_frames} frames", fix="give the file that was made of this video")
    boxes = np.array([box for _, box, _ in rows], np.float32)
    embeddings = np.array([feat or [np.nan] * dimensions for *_, feat in rows], np.float32)
    upright = boxes_to_upright(boxes, *info.turn).astype(np.float32)
    known = ~np.isnan(embeddings[:, 0])
    return Detections(
        looked=np.arange(info.num_frames, dtype=np.int64),
        frames=np.array([frame for frame, *_ in rows], np.int64),
        boxes=boxes,
        scores=np.ones(len(rows), np.float32),
        landmarks=to_decoded(in_boxes(upright), *info.turn).astype(np.float32),
        embeddings=embeddings,
        qualities=np.where(known, np.clip((upright[:, 2] - upright[:, 0]) / _GOOD_FACE_PIXELS, 0.01, 1), 0).astype(np.float32),
    )


def _sequences(path: Path) -> list[Any]:
    said = read_json(path, _MOST_BYTES)
    if not isinstance(said, list) or not all(isinstance(each, list) for each in said):
        raise BadSetting(path, "is no list of lists", fix='write [[{"bbox": [x1, y1, x2, y2, frame], "feat": []}, ...], ...]')
    return said


def _faces(path: Path, sequence: list[Any], dimensions: int) -> list[tuple[list[float], int, list[float]]]:
    found = []
    for face in sequence:
        bbox, feat = (face.get("bbox"), face.get("feat", [])) if isinstance(face, dict) else (None, [])
        if not isinstance(bbox, list) or not _numbers(bbox, 5) or bbox[2] <= bbox[0] or bbox[3] <= bbox[1] or bbox[4] != int(bbox[4]):
            raise BadSetting(path, f"{str(face)[:60]} is no face", fix='write {"bbox": [x1, y1, x2, y2, frame], "feat": []}')
        if feat and not _numbers(feat, dimensions):
            problem = f"a feat is not the {dimensions} numbers that the recogniser gives"
            raise BadSetting(path, problem, fix="choose the recogniser that they are from (find_faces.recogniser), or leave them empty")
        found.append(([float(side) for side in bbox[:4]], int(bbox[4]), feat))
    return found


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 for value in values)
    )
