"""The whole pipeline on one picture, with real models: what a photo that goes online needs."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from flows import cli
from tests.buckets import Bucket
from tests.clips import Clip
from tests.flows.looking import HIDDEN, likeness, whole
from tests.video.heics import heic_file

FRAME = 4


@pytest.fixture(scope="module")
def picture(two_people_clip: Clip) -> np.ndarray:
    """Both people."""
    with av.open(str(two_people_clip.video)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == FRAME:
                return frame.to_ndarray(format="bgr24")
    raise AssertionError


def hidden(clip: Clip, before: np.ndarray, after: Path | bytes) -> set[str]:
    content = after if isinstance(after, bytes) else after.read_bytes()
    grey = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    faces = whole(clip.truth.faces[FRAME])
    assert {face.person for face in faces} == {"collins", "hopper"}
    of = {face.person: likeness(cv2.cvtColor(before, cv2.COLOR_BGR2GRAY), grey, face.full_box) for face in faces}
    assert all(value < HIDDEN or value > 0.9 for value in of.values()), of
    return {person for person, value in of.items() if value < HIDDEN}


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff", ".bmp"])
def test_a_picture_goes_in_and_out(suffix: str, picture, shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    cv2.imwrite(str(source), picture)
    assert cli.main(["blur", str(source), "-o", str(target), "--report", str(tmp_path / "report.json")]) == 0
    assert hidden(two_people_clip, picture, target) == {"collins", "hopper"}
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["num_frames"], report["num_covered_frames"], report["findings"]) == (1, 1, [])
    assert report["num_checked_frames"] == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, target.name, "report.json"])


def test_a_phones_photo_of_her_keeps_her_in_a_phones_photo(
    picture, shared_store: Path, two_people_clip: Clip, tmp_path: Path, capfd
) -> None:
    photo = cv2.imread(str(two_people_clip.photo("collins")))
    (tmp_path / "IMG_1.HEIC").write_bytes(heic_file(np.ascontiguousarray(np.rot90(picture[..., ::-1])), orientation=6))
    (tmp_path / "Eileen.heic").write_bytes(heic_file(np.ascontiguousarray(photo[..., ::-1])))
    words = ["blur", str(tmp_path / "IMG_1.HEIC"), "--keep", str(tmp_path / "Eileen.heic"), "-o"]
    assert cli.main([*words, str(tmp_path / "out.heic")]) == 2
    assert "is read, but not written (.heic); end it in .png, .jpg" in capfd.readouterr().err
    assert cli.main([*words, str(tmp_path / "out.jpg")]) == 0
    assert hidden(two_people_clip, picture, tmp_path / "out.jpg") == {"hopper"}


def test_overwriting_is_asked_for_and_the_same_is_known(picture, shared_store: Path, tmp_path: Path, capfd) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.png"
    cv2.imwrite(str(source), picture)
    target.write_bytes(b"mine")
    assert cli.main(["blur", str(source), "-o", str(target)]) == 2
    assert f"{target}: exists already" in capfd.readouterr().err
    assert target.read_bytes() == b"mine"
    assert cli.main(["blur", str(source), "-o", str(target), "--overwrite"]) == 0
    written = target.read_bytes()
    assert written != b"mine"
    assert cli.main(["blur", str(source), "-o", str(target)]) == 0, "the same job is done already"
    assert target.read_bytes() == written


def test_a_picture_without_cover_is_the_same_file(shared_store: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.jpg"), np.full((360, 640, 3), 90, np.uint8))
    assert cli.main(["blur", str(tmp_path / "in.jpg"), "-o", str(tmp_path / "out.jpg")]) == 0
    assert (tmp_path / "out.jpg").read_bytes() == (tmp_path / "in.jpg").read_bytes()


def test_a_picture_goes_through_s3(picture, shared_store: Path, bucket: Bucket, two_people_clip: Clip) -> None:
    url = bucket.put("in.png", cv2.imencode(".png", picture)[1].tobytes())
    assert cli.main(["blur", url, "-o", bucket.url("out.png")]) == 0
    assert hidden(two_people_clip, picture, bucket.get("out.png")) == {"collins", "hopper"}
    assert bucket.names() == ["in.png", "out.png"]
    assert bucket.uploads() == []


def test_who_is_on_a_picture_and_where(picture, shared_store: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    assert cli.main(["people", str(tmp_path / "in.png"), "-o", str(tmp_path / "people")]) == 0
    assert len(json.loads((tmp_path / "people" / "people.json").read_text())["persons"]) == 2
    for name in ("who.csv", "who.otio", "matte.mkv"):
        assert cli.main(["export", str(tmp_path / "in.png"), "-o", str(tmp_path / name)]) == 0
        assert (tmp_path / name).stat().st_size > 0


def test_a_picture_that_was_a_source_is_forgotten_as_one(picture, empty_store: Path, prefect_server: str, tmp_path: Path, capfd) -> None:
    """And not only taken for a photo of somebody of that name."""
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    assert cli.main(["blur", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png")]) == 0
    assert any(empty_store.rglob("jobs/*"))
    capfd.readouterr()
    assert cli.main(["forget", str(tmp_path / "in.png"), "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["videos"]) == 1
    assert not any(empty_store.rglob("jobs/*"))
