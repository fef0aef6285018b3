"""Folders of pictures in and out: the same names, the same bytes where nothing is covered, and no two ways to read a name."""

from __future__ import annotations

import doctest
import io
import os
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.errors import BadOutput, BadVideo
from tasks.places import check_apart, source_of, target_of
from tasks.video import EncoderSettings, locations, planes
from tasks.video.forms import AsPictures, Rendered
from tasks.video.picture_folder import PictureFolder
from tasks.video.planes import as_planar, editable
from tasks.video.segments import Piece
from tasks.video.sources import Images
from tasks.video.target import this_machine
from tests.buckets import Bucket

from .drawing import Clip, decoded, draw
from .test_pictures import SIZE, drawn, picture_file

COVERED = (3, 4, 9)
NUM_FRAMES = 12
FINE = EncoderSettings(crf=10)


def fill(folder: Path, suffix: str = ".png", names: str = "img{:07d}", count: int = NUM_FRAMES, dirty: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / (names.format(number * 3 + 1) + suffix)  # with gaps between the numbers
        if dirty:
            path.write_bytes(picture_file(suffix))
        else:
            cv2.imwrite(str(path), drawn(number))
    return folder


def render(source_at: str, target_at: str, covered=COVERED, encoder=FINE) -> None:
    """As the stages do it: segments of what is needed, some frames black in the middle, joined and kept."""
    source = source_of(source_at)
    target = target_of(target_at, source)
    check_apart(source, target)
    target.check()
    info, index = source.probe(source.content_hash(), Images())
    target.check_fits(source, info, index, None)
    form = target.form
    folder = source if isinstance(source, PictureFolder) else None
    segments = []
    with target.whole() as written:
        for number, stretch in enumerate(filter(len, (range(len(index) // 2), range(len(index) // 2, len(index))))):
            segments.append(Piece(stretch[0], stretch[-1], Path(os.environ["SEGMENTS"]) / f"{number}"))
            only = isinstance(form, AsPictures) and form.only_covered
            wanted = [frame for frame in stretch if frame in covered] if only else list(stretch)
            frames = folder.some(info, index, wanted) if folder else source.frames(info, index, stretch[0], stretch[-1])
            pairs = (blacked(place, frame) if place in covered else Rendered(place, frame, as_planar(frame)) for place, frame in frames)
            if isinstance(form, AsPictures):
                form.write(pairs, info, folder if form.only_covered else None, segments[-1].path)
            else:
                form.write(pairs, info, encoder, segments[-1].path)
        written.join(segments, source, info, index, None)
        assert len(source_of(written.location).probe(written.content_hash(), Images())[1]) == len(index)
        written.keep()


def blacked(number, frame):
    picture = editable(as_planar(frame))
    for plane in planes(picture):
        plane.samples[16 // plane.vertical_step : 48 // plane.vertical_step, 16 // plane.horizontal_step : 48 // plane.horizontal_step] = 0
    return Rendered(number, frame, picture)


@pytest.fixture(autouse=True)
def segments(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "segments").mkdir()
    monkeypatch.setenv("SEGMENTS", str(tmp_path / "segments"))


def place(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[str, Bucket | None]:
    bucket: Bucket | None = request.getfixturevalue("bucket") if where == "s3" else None
    return (bucket.url("work") if bucket else str(tmp_path / "work")), bucket


def files(folder: str, bucket: Bucket | None) -> dict[str, bytes]:
    if bucket is None:
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    prefix = folder.removeprefix(bucket.url("")) + "/"
    return {key.removeprefix(prefix): bucket.get(key) for key in bucket.names() if key.startswith(prefix)}


@pytest.mark.parametrize(
    ("where", "suffix", "said"),
    [
        ("disk", ".png", ""),
        ("disk", ".png", "/img%07d.png"),  # as the thesis's users store frames
        ("disk", ".jpg", "/*.jpg"),
        ("disk", ".tiff", ""),
        ("disk", ".webp", ""),
        ("disk", ".bmp", ""),
        ("s3", ".png", ""),
        ("s3", ".jpg", "/*.jpg"),
    ],
)
def test_a_folder_becomes_a_folder(where: str, suffix: str, said: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    local = fill(tmp_path / "work" / "in", suffix)
    work, bucket = place(where, tmp_path, request)
    if bucket:
        bucket.put_folder("work/in", local)
    render(f"{work}/in{said}", f"{work}/out")
    before, after = files(f"{work}/in", bucket), files(f"{work}/out", bucket)
    assert list(before) == list(after) or set(before) == set(after)
    for number, name in enumerate(sorted(before)):
        if number not in COVERED:
            assert after[name] == before[name], f"{name} was not copied"
            continue
        one, other = (cv2.imdecode(np.frombuffer(each[name], np.uint8), -1).astype(int) for each in (before, after))
        assert np.abs(one - other)[20:44, 20:44].max() > 30
        assert np.abs(one - other)[60:].max() <= (0 if suffix in (".png", ".tiff", ".bmp") else 14)
    if bucket is None:
        assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["in", "out"], "something is left beside it"
    else:
        assert all(key.startswith(("work/in/", "work/out/")) for key in bucket.names())


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_copied_pictures_are_cleaned(suffix: str, tmp_path: Path) -> None:
    render(str(fill(tmp_path / "in", suffix, dirty=True, count=4)), str(tmp_path / "out"), covered=(1,))
    for path in (tmp_path / "out").iterdir():
        assert b"SECRET" not in path.read_bytes()
        assert np.asarray(Image.open(path)).shape == (SIZE[1], SIZE[0], 3)
    info, _ = source_of(str(tmp_path / "in")).probe(None, Images())
    assert info.dropped == ("metadata, thumbnails or further pictures in the files",)


@pytest.mark.parametrize("where", ["disk", "s3"])
def test_a_folder_becomes_a_video(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    local = fill(tmp_path / "work" / "in")
    work, bucket = place(where, tmp_path, request)
    if bucket:
        bucket.put_folder("work/in", local)
    render(f"{work}/in", f"{work}/out.mp4")
    if bucket:
        (tmp_path / "work" / "out.mp4").write_bytes(bucket.get("work/out.mp4"))
    frames = decoded(tmp_path / "work" / "out.mp4")
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(number, 25) for number in range(NUM_FRAMES)]
    assert (frames[0].format.name, frames[0].color_range, frames[0].colorspace) == ("yuv420p", 1, 1)
    for number, frame in enumerate(frames):
        before = drawn(number).astype(int)
        after = frame.to_ndarray(format="bgr24").astype(int)
        assert np.abs(before - after)[60:].mean() < 8, "colours changed"
        assert (np.abs(before - after)[20:44, 20:44].mean() > 40) == (number in COVERED)


def test_a_folder_becomes_a_video_without_any_loss(tmp_path: Path) -> None:
    render(str(fill(tmp_path / "in")), str(tmp_path / "out.mkv"), (), EncoderSettings(codec="ffv1"))
    for number, frame in enumerate(decoded(tmp_path / "out.mkv")):
        assert np.array_equal(frame.to_ndarray(format="bgr24"), drawn(number))


def test_another_rate_and_a_turn_come_through(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"x{number}.jpg").write_bytes(picture_file(".jpg", 6))
    source = source_of(f"{tmp_path}/x%d.jpg")
    info, index = source.probe(None, Images(frame_rate=Fraction(24000, 1001)))
    assert (info.frame_rate, info.rotation_degrees, index.pts.tolist()) == (Fraction(24000, 1001), 90, [0, 1, 2])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_a_video_becomes_a_folder(suffix: str, tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(width=90, height=70, num_frames=NUM_FRAMES, rotation_degrees=-90, colours=(1, 1, 1, 1)))
    render(str(path), f"{tmp_path}/out/x%03d{suffix}")
    names = sorted(each.name for each in (tmp_path / "out").iterdir())
    assert names == [f"x{number:03d}{suffix}" for number in range(NUM_FRAMES)]
    for number, (name, frame) in enumerate(zip(names, decoded(path), strict=True)):
        content = (tmp_path / "out" / name).read_bytes()
        picture = Image.open(io.BytesIO(content))
        assert picture.getexif().get(0x0112) == 6, "it would not be shown upright"
        after = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION).astype(int)
        before = frame.to_ndarray(format="bgr24", src_colorspace=1, src_color_range=1, dst_color_range=2).astype(int)
        after = after if after.shape == before.shape else np.rot90(after)  # OpenCV turns a TIFF, whatever it is told
        assert np.abs(before - after)[60:].mean() < 5, "colours changed"
        assert (np.abs(before - after)[20:44, 20:44].mean() > 30) == (number in COVERED)


def test_a_key_does_not_know_the_place_and_knows_names_and_content(tmp_path: Path) -> None:
    first, second = fill(tmp_path / "a"), fill(tmp_path / "elsewhere" / "b")
    hashes = {source_of(str(each)).content_hash() for each in (first, second, f"{first}/img%07d.png", f"{first}/*.png")}
    assert len(hashes) == 1
    next(iter(second.iterdir())).rename(second / "img9999999.png")
    assert source_of(str(second)).content_hash() not in hashes


def broken(tmp_path: Path, name: str) -> str:
    folder = fill(tmp_path / "in", count=4)
    match name:
        case "two kinds":
            cv2.imwrite(str(folder / "a.jpg"), drawn())
        case "cut off":
            (folder / "img0000004.png").write_bytes((folder / "img0000004.png").read_bytes()[:900])
        case "not what it says":
            (folder / "img0000004.png").write_bytes(b"GIF89a")
        case "empty":
            return str(fill(tmp_path / "none", count=0))
        case "no name fits":
            return f"{folder}/other%d.png"
        case "another kind":
            (folder / "x1.gif").write_bytes(b"GIF89a")
            return f"{folder}/x%d.gif"
        case "turned differently":
            for path, turn in zip(sorted(folder.iterdir()), (1, 6, 1, 1), strict=True):
                path.write_bytes(picture_file(".png", turn))
    return str(folder)


SAID = {
    "two kinds": "holds files of different kinds",
    "cut off": "img0000004.png ends early",
    "not what it says": "img0000004.png is not a PNG",
    "empty": "holds no pictures",
    "no name fits": "is the name of no file",
    "another kind": "of a kind that is not read",
    "turned differently": "img0000004.png is turned another way than img0000001.png",
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_wrong_with_a_folder_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadVideo) as caught:
        source_of(broken(tmp_path, name)).probe(None, Images())
    assert SAID[name] in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("in", "in", "is the input itself"),
        ("in/img%07d.png", "in", "is the input itself"),
        ("in", "in/img%07d.png", "is the input itself"),
        ("in", "out/x%d.png", "do not fit"),  # they keep their names
        ("in", "out/x%d.gif", "no kind of picture"),
        ("in", "out.gif", "is not named as"),
        ("in", "none/out", "is not a folder"),
        ("in", "full", "holds other things too, such as letter.txt"),
        ("clip.mp4", "out", "is not named as"),  # which kind of picture?
        ("clip.mp4", "full", "is a folder"),
        ("clip.mp4", "./clip.mp4", "is the input itself"),
        ("clip.mp4", "full/x%d.png", "holds other things too"),
    ],
)
def test_targets_that_are_none(source: str, target: str, said: str, tmp_path: Path) -> None:
    fill(tmp_path / "in", count=2)
    draw(tmp_path, Clip(num_frames=2))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("mine")
    found = source_of(f"{tmp_path}/{source}")

    def check() -> None:
        there = target_of(f"{tmp_path}/{target}", found)
        check_apart(found, there)
        there.check()

    with pytest.raises(BadOutput, match=said):
        check()


def test_a_folder_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    fill(tmp_path / "in", count=2)
    fill(tmp_path / "out", count=2)
    (tmp_path / f".out.unfinished-{this_machine()}-{2**22 + 1}-abc").mkdir()  # of a process that is gone
    before = files(str(tmp_path / "out"), None)
    target = target_of(str(tmp_path / "out"), source_of(str(tmp_path / "in")))

    def run() -> None:
        with target.whole() as written:
            written.folder.write("img0000001.png", b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert files(str(tmp_path / "out"), None) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "out", "segments"]


def test_examples_in_docstrings() -> None:
    assert doctest.testmod(locations).failed == 0
