"""The whole pipeline from and to where videos and pictures lie, on a real S3 server, with real models."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from flows import cli
from flows.find_people import find_people
from tests.buckets import Bucket
from tests.clips import Clip
from tests.flows.looking import HIDDEN, likeness, likenesses, sound_packets, whole
from tests.flows.running import keep, run_flow

NUM_FRAMES = 24
NUM_BEHIND = 8  # pictures of an empty wall, which nothing covers


@pytest.fixture(scope="module")
def frames(two_people_clip: Clip, no_faces_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of a clip as a user stores them, then some with nobody in them."""
    folder = tmp_path_factory.mktemp("pictures") / "frames"
    folder.mkdir()
    number = 0
    for clip, count in ((two_people_clip, NUM_FRAMES), (no_faces_clip, NUM_BEHIND)):
        with av.open(str(clip.video)) as container:
            for _, frame in zip(range(count), container.decode(video=0), strict=False):
                cv2.imwrite(str(folder / f"img{number:07d}.png"), frame.to_ndarray(format="bgr24"))
                number += 1
    return folder


def test_a_folder_goes_in_and_out(shared_store: Path, frames: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    run = run_flow(frames, tmp_path / "out", keep(two_people_clip.photo("collins")))

    names = sorted(path.name for path in frames.iterdir())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    assert run.report.num_frames == NUM_FRAMES + NUM_BEHIND
    copied = [name for name in names if (frames / name).read_bytes() == (tmp_path / "out" / name).read_bytes()]
    assert len(copied) == len(names) - run.report.num_covered_frames, "what is not covered is copied, byte for byte"
    assert set(names[-3:]) <= set(copied)
    for name, faces in zip(names, two_people_clip.truth.faces[:NUM_FRAMES], strict=False):
        before, after = (cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for folder in (frames, tmp_path / "out"))
        for face in whole(faces):
            same = likeness(before, after, face.full_box)
            assert same < HIDDEN if face.person == "hopper" else same > 0.9, (name, face.person, same)
    assert not run.report.findings


def test_the_same_folder_in_s3_is_known_already(
    shared_store: Path, frames: Path, bucket: Bucket, two_people_clip: Clip, tmp_path: Path
) -> None:
    local = run_flow(frames, tmp_path / "out", keep(two_people_clip.photo("collins")), overwrite=True)
    url = bucket.put_folder("in", frames)

    run = run_flow(url, bucket.url("out/img%07d.png"), keep(two_people_clip.photo("collins")))  # type: ignore[arg-type]

    assert all(known == parts for known, parts in run.known.values()), "results are found by content, wherever it lies"
    assert {key.removeprefix("out/"): bucket.get(key) for key in bucket.names() if key.startswith("out/")} == {
        path.name: path.read_bytes() for path in local.target.iterdir()
    }
    assert all(key.startswith(("in/", "out/")) for key in bucket.names())


@pytest.mark.parametrize("name", ["out.mp4", "out.ts"])
def test_a_video_goes_through_s3(name: str, shared_store: Path, bucket: Bucket, two_people_clip: Clip, tmp_path: Path) -> None:
    url = bucket.put("in.mp4", two_people_clip.video.read_bytes())

    words = ["blur", url, "-o", bucket.url(name), "--from", "0.5", "--to", "36f"]
    assert cli.main(words) == 0
    assert bucket.names() == sorted(["in.mp4", name])
    assert bucket.uploads() == []

    back = tmp_path / name
    back.write_bytes(bucket.get(name))
    with av.open(str(back)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 36 - 12  # frame 12 is the first after half a second
    if name == "out.mp4":
        whole_file = tmp_path / "whole.mp4"
        run_flow(two_people_clip.video, whole_file, {})
        assert max(values.max() for values in likenesses(two_people_clip.video, whole_file, two_people_clip.truth).values()) < HIDDEN
        assert {content for _, content in sound_packets(back)} < {content for _, content in sound_packets(two_people_clip.video)}


def test_people_of_a_video_in_s3(shared_store: Path, bucket: Bucket, two_people_clip: Clip, tmp_path: Path) -> None:
    url = bucket.put("films/a day.mp4", two_people_clip.video.read_bytes())
    there = find_people(url, tmp_path / "there")
    here = find_people(two_people_clip.video, tmp_path / "here")
    assert there.source == "a day.mp4"
    assert there.persons == here.persons
    assert np.array_equal(*(cv2.imread(str(tmp_path / each / there.persons[0].face)) for each in ("there", "here")))
