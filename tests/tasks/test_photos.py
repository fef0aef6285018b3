"""Photos of the people who may, or may not, be seen."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.detectors.centerface import CenterFace
from tasks.errors import BadPhoto
from tasks.finder import Finder
from tasks.named_people import NamedPerson
from tasks.photos import one_face, photo_files, photo_sha256, read_photo
from tasks.recognisers.dlib import DlibResNet
from tests.clips import reference_photo
from tests.tasks.scenes import scene
from tests.video.heics import RED_IS_BLUE, heic_file, with_size


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(CenterFace().load(), DlibResNet().load())


def tree(folder, names: str) -> None:
    for name in names.split():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if name.endswith("/") else path.write_bytes(b"x")


LAYOUTS = [
    ("anna.jpg", ["anna.jpg"], ["anna: anna.jpg"]),
    ("anna.jpg bert.PNG", ["bert.PNG", "anna.jpg"], ["bert: bert.PNG", "anna: anna.jpg"]),  # as they are given
    ("all/anna.jpg all/bert.webp", ["all"], ["anna: all/anna.jpg", "bert: all/bert.webp"]),  # a person each
    ("all/anna/1.jpg all/anna/2.jpg all/bert/1.jpg", ["all"], ["anna: all/anna/1.jpg", "anna: all/anna/2.jpg", "bert: all/bert/1.jpg"]),
    ("all/anna.jpg all/bert/1.jpg", ["all"], ["anna: all/anna.jpg", "bert: all/bert/1.jpg"]),  # both ways at once
    ("all/anna.jpg all/notes.txt all/.DS_Store", ["all"], ["anna: all/anna.jpg"]),  # what is no picture is passed over
    ("all/anna.HEIC all/bert.hif", ["all"], ["anna: all/anna.HEIC", "bert: all/bert.hif"]),  # as phones and cameras name them
    ("anna.jxl", ["anna.jxl"], ["anna: anna.jxl"]),  # named by itself it is tried
]


@pytest.mark.parametrize(("names", "given", "expected"), LAYOUTS)
def test_files_and_folders(tmp_path, names, given, expected) -> None:
    tree(tmp_path, names)
    files = photo_files([str(tmp_path / each) for each in given])
    assert [f"{name}: {path.relative_to(tmp_path)}" for name, path in files] == expected


@pytest.mark.parametrize(
    ("names", "given", "words"),
    [
        ("", "anna.jpg", ["is not there", "photo or a folder"]),
        ("all/", "all", ["holds no pictures", ".jpg"]),
        ("all/notes.txt", "all", ["holds no pictures"]),
        ("all/anna/", "all", ["holds no pictures"]),
    ],
)
def test_nothing_to_read(tmp_path, names, given, words) -> None:
    tree(tmp_path, names)
    with pytest.raises(BadPhoto) as caught:
        photo_files([str(tmp_path / given)])
    assert all(word in str(caught.value) for word in [given, *words])


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\xff\xd8\xff\xe0 cut short"])
def test_what_is_not_a_picture(tmp_path, content) -> None:
    (tmp_path / "anna.jpg").write_bytes(content)
    with pytest.raises(BadPhoto, match=r"anna\.jpg: is not a picture"):
        read_photo(tmp_path / "anna.jpg")


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])  # gone since it was listed; a folder by now
def test_what_cannot_be_read(tmp_path, make) -> None:
    make(tmp_path / "anna.jpg")
    with pytest.raises(BadPhoto, match="cannot be read"):
        read_photo(tmp_path / "anna.jpg")


def exif(jpeg: bytes, orientation: int) -> bytes:
    """The picture with a tag that says how to turn it."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + orientation.to_bytes(2, "big") + b"\x00\x00"
    body = b"Exif\x00\x00" + b"MM\x00*\x00\x00\x00\x08" + b"\x00\x01" + entry + bytes(4)
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (6, 1), (3, 2), (8, 3)])  # how often the stored picture was turned to the left
def test_a_photo_is_turned_upright(tmp_path, orientation, turns) -> None:
    photo = reference_photo("collins")
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(np.rot90(photo, turns)))
    (tmp_path / "anna.jpg").write_bytes(exif(jpeg.tobytes(), orientation))
    upright = read_photo(tmp_path / "anna.jpg")
    assert upright.shape == photo.shape
    assert np.abs(upright.astype(int) - photo).mean() < 6


def rgb(picture_bgr: np.ndarray, turns: int = 0) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(picture_bgr[..., ::-1], turns))


@pytest.mark.parametrize("name", ["anna.heic", "anna.jpg"])  # what a file is, its content says
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (6, 1), (3, 2), (8, 3)])
def test_a_phones_photo_is_turned_upright(tmp_path, name, orientation, turns) -> None:
    photo = reference_photo("collins")
    (tmp_path / name).write_bytes(heic_file(rgb(photo, turns), orientation))
    upright = read_photo(tmp_path / name)
    assert upright.shape == photo.shape
    assert np.abs(upright.astype(int) - photo).mean() < 6


def test_a_phones_photo_has_the_colours_that_its_profile_says(tmp_path) -> None:
    photo = reference_photo("collins")
    (tmp_path / "anna.heic").write_bytes(heic_file(photo, icc_profile=RED_IS_BLUE))  # a picture with red and blue exchanged
    assert np.abs(read_photo(tmp_path / "anna.heic").astype(int) - photo).mean() < 8


def test_a_phones_photo_is_the_same_person(finder, tmp_path) -> None:
    (tmp_path / "anna.heic").write_bytes(heic_file(rgb(scene("collins", 200)[0])))
    stored = one_face(finder, read_photo(tmp_path / "anna.heic"), tmp_path)
    assert np.linalg.norm(stored - one_face(finder, scene("collins", 200)[0], tmp_path)) < 0.2


HEIC = heic_file(np.full((70, 90, 3), 90, np.uint8))
BROKEN_HEIC = {
    "too large": (with_size(HEIC, 20_000, 20_000), "more than 100 million pixels"),  # by its header; nothing is decoded
    "smaller than it says": (with_size(HEIC, 2000, 2000), "cannot be decoded"),
    "cut off": (HEIC[: len(HEIC) // 2], "is damaged|cannot be decoded"),
    "only its first bytes": (HEIC[:40], "is damaged"),
    "avif by another name": (HEIC[:8] + b"avif" + HEIC[12:], "is not a picture that can be read"),
}


@pytest.mark.parametrize("name", BROKEN_HEIC)
def test_a_phones_photo_that_cannot_be_read(tmp_path, name) -> None:
    content, words = BROKEN_HEIC[name]
    (tmp_path / "anna.heic").write_bytes(content)
    with pytest.raises(BadPhoto, match=words) as caught:
        read_photo(tmp_path / "anna.heic")
    assert "\n" not in str(caught.value)


def test_a_photo_that_takes_minutes_by_design_is_refused(tmp_path) -> None:
    """A progressive JPEG whose last scan comes again and again."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((4000, 4000), np.uint8)).save(file, "jpeg", progressive=True)
    content = file.getvalue()
    (tmp_path / "anna.jpg").write_bytes(content[:-2] + content[content.rindex(b"\xff\xda") : -2] * 2000 + content[-2:])
    started = time.monotonic()
    with pytest.raises(BadPhoto, match=r"goes over its picture 20\d\d times"):
        read_photo(tmp_path / "anna.jpg")
    assert time.monotonic() - started < 2
    (tmp_path / "anna.jpg").write_bytes(content)
    assert read_photo(tmp_path / "anna.jpg").shape == (1600, 1600, 3)


def test_a_large_photo_is_made_smaller(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "anna.png"), np.zeros((3000, 4000, 3), np.uint8))
    assert read_photo(tmp_path / "anna.png").shape == (1200, 1600, 3)


def test_the_face_of_a_photo(finder, tmp_path) -> None:
    anna, other = (one_face(finder, reference_photo(who), tmp_path) for who in ("collins", "hopper"))
    same = one_face(finder, scene("collins", 200)[0], tmp_path)
    assert anna.shape == (128,)
    assert np.linalg.norm(anna - same) < 0.5 < np.linalg.norm(anna - other)


def two_faces(scale: int = 1) -> np.ndarray:
    """Faces 120 pixels wide at (200, 200) and (520, 200), times `scale`."""
    left, right = (
        scene(who, 120 * scale, (360 * scale, 400 * scale), (x * scale, 200 * scale))[0] for who, x in (("collins", 200), ("hopper", 160))
    )
    return np.hstack([left, right])


def test_several_faces_are_named_by_their_places(finder, tmp_path) -> None:
    with pytest.raises(BadPhoto, match="2 faces are on it") as caught:
        one_face(finder, two_faces(), tmp_path / "both.jpg")
    assert_places(str(caught.value), 1)


def test_places_are_those_of_the_photo(finder, tmp_path) -> None:
    path = tmp_path / "both.png"
    cv2.imwrite(str(path), two_faces(4))
    with pytest.raises(BadPhoto, match="2 faces are on it") as caught:
        one_face(finder, read_photo(path), path)
    assert_places(str(caught.value), 4)


def assert_places(message: str, scale: int) -> None:
    places = sorted((int(x), int(y)) for x, y in re.findall(r"one (\d+)% from the left and (\d+)% from the top", message))
    height, width = two_faces(scale).shape[:2]
    expected = np.array([(200, 200), (520, 200)]) * scale / [width, height] * 100
    assert np.abs(np.array(places) - expected).max() < 5


def test_a_small_bystander_is_not_meant(finder, tmp_path) -> None:
    main, _ = scene("collins", 200, (480, 480))
    small, _ = scene("hopper", 50, (160, 480))
    assert one_face(finder, np.hstack([main, small]), tmp_path).shape == (128,)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (np.full((400, 400, 3), 90, np.uint8), "no face is found"),
        (scene("hopper", 16, (200, 200))[0], "too small to be told|no face is found"),
    ],
)
def test_a_photo_that_tells_nothing(finder, tmp_path, picture, word) -> None:
    with pytest.raises(BadPhoto, match=word) as caught:
        one_face(finder, picture, tmp_path / "anna.jpg")
    assert "anna.jpg" in str(caught.value)
    assert "give a" in caught.value.fix


def test_a_photo_that_is_too_large_is_refused_before_it_is_decoded(tmp_path) -> None:
    """Its header says 20,000 x 20,000 pixels; its file is short."""
    small = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes()
    header = small[12:16] + struct.pack(">II", 20_000, 20_000) + small[24:29]
    bomb = tmp_path / "bomb.png"
    bomb.write_bytes(small[:12] + header + struct.pack(">I", zlib.crc32(header)) + small[33:])
    with pytest.raises(BadPhoto, match="more than 100 million pixels"):
        read_photo(bomb)


@pytest.mark.parametrize("name", ["an\u202egnp.ana", "an\u200bna", "an\x07na"])
def test_a_name_is_shown_as_it_is_written(name: str, tmp_path) -> None:
    """Neither turned round by a mark nor different from another one by what nobody sees."""
    (tmp_path / f"{name}.png").write_bytes(b"x")
    with pytest.raises(BadPhoto, match="invisible characters"):
        photo_files([str(tmp_path)])
    with pytest.raises(ValueError, match="invisible characters"):
        NamedPerson(name=name, at={"seconds": 1, "x": 1, "y": 1})


def test_a_photo_that_is_a_line_is_read(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "line.png"), np.zeros((1, 9000, 3), np.uint8))
    assert read_photo(tmp_path / "line.png").shape == (1, 1600, 3)


def test_a_file_larger_than_any_photo_is_not_even_hashed(tmp_path) -> None:
    with (tmp_path / "anna.jpg").open("wb") as file:
        file.truncate(40 << 30)
    with pytest.raises(BadPhoto, match="has 40960 MiB, more than any photo"):
        photo_sha256(tmp_path / "anna.jpg")
