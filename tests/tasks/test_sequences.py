"""Sequences of the thesis's code, read in: what is taken from them, and what is answered to files that are something else."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import BadSetting
from tasks.exports.sequences import write_sequences
from tasks.recognisers.boundary import BOUNDARY, in_common_unit
from tasks.sequences import read_sequences_file
from tests.fakes import still, video_info


def file_of(folder: Path, said: object) -> Path:
    path = folder / "sequences.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said))
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """With a recogniser whose numbers are brought to the common unit: the file has them as it gives them."""
    boundary = 0.9
    tracks = [still(3, 7, embedding=(0.25, 1.0)), still(5, 6, embedding=(float("nan"),) * 2)]
    write_sequences(tracks, tmp_path / "s.json", boundary)
    found = read_sequences_file(tmp_path / "s.json", video_info(), 0, 2)
    assert found.frames.tolist() == [3, 4, 5, 5, 6, 6, 7]
    np.testing.assert_allclose(found.boxes[0], np.round(tracks[0].boxes[0]))
    np.testing.assert_allclose(in_common_unit(found.embeddings[:1], boundary), [[0.25, 1.0]], atol=1e-5)
    assert (found.qualities > 0).sum() == 5
    assert np.isnan(found.embeddings[found.qualities == 0]).all()
    assert boundary != BOUNDARY


def test_of_a_part_only_its_frames_are_taken(tmp_path: Path) -> None:
    path = file_of(tmp_path, [[{"bbox": [0, 0, 9, 9, frame]} for frame in (39, 40, 139, 140)]])
    assert read_sequences_file(path, video_info(), 40, 2).frames.tolist() == [0, 99]


def test_landmarks_are_where_an_upright_face_has_them(tmp_path: Path) -> None:
    """On its side, as the decoded picture of a turned video is: both eyes are on the side of the forehead."""
    path = file_of(tmp_path, [[{"bbox": [100, 100, 200, 180, 0], "feat": []}]])
    eyes = read_sequences_file(path, video_info(rotation_degrees=90), 0, 2).landmarks[0, :2]
    upright = read_sequences_file(path, video_info(), 0, 2).landmarks[0, :2]
    assert abs(upright[0, 1] - upright[1, 1]) < 1
    assert abs(eyes[0, 0] - eyes[1, 0]) < 1


FACE = {"bbox": [0, 0, 9, 9, 0], "feat": []}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),  # deeper than any reader goes
        ({"bbox": []}, "is no list of lists"),
        ([FACE], "is no list of lists"),
        ([[[0, 0, 9, 9, 0]]], "is no face"),
        ([[{"bbox": [0, 0, 9, 9], "feat": []}]], "is no face"),  # no frame
        ([[{"bbox": [9, 0, 0, 9, 0], "feat": []}]], "is no face"),  # inside out
        ([[{"bbox": [0, 0, 9, 9, 0.5], "feat": []}]], "is no face"),
        ([[{"bbox": [0, 0, 9, "9", 0], "feat": []}]], "is no face"),
        ('[[{"bbox": [0, 0, 9, NaN, 0]}]]', "is no face"),
        ([[FACE | {"feat": [1.0]}]], "a feat is not the 2 numbers"),
        ([], "has no face in the video's 100 frames"),
        ([[{"bbox": [0, 0, 9, 9, 100], "feat": []}]], "has no face in the video's 100 frames"),  # of another video
    ],
)
def test_what_is_something_else(tmp_path: Path, said: object, problem: str) -> None:
    with pytest.raises(BadSetting, match=problem):
        read_sequences_file(file_of(tmp_path, said), video_info(), 0, 2)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        read_sequences_file(tmp_path / "none.json", video_info(), 0, 2)
