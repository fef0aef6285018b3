"""A picture alone, in and out; HEIC, which is read only; pictures that move, which are videos."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tasks.errors import BadOutput, BadVideo
from tasks.places import check_apart, source_of, target_of
from tasks.video import EncoderSettings
from tasks.video.moving_webp import MovingWebp
from tasks.video.picture_folder import PictureFolder
from tasks.video.pictures.kinds import KINDS, WRITTEN
from tasks.video.sources import Images, VideoFile
from tests.buckets import Bucket

from .drawing import Clip, decoded, draw
from .heics import heic_file
from .test_folders import fill, render, segments  # noqa: F401
from .test_pictures import drawn, picture_file, stored


def rgb(picture_bgr: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture_bgr[..., ::-1])


def moving(suffix: str, *durations_ms: int) -> bytes:
    file = io.BytesIO()
    first, *rest = [Image.fromarray(rgb(drawn(number))) for number in range(len(durations_ms))]
    lossless = {"lossless": True} if suffix == ".webp" else {}
    first.save(file, suffix[1:], save_all=True, append_images=rest, duration=list(durations_ms), **lossless)
    return file.getvalue()


@pytest.mark.parametrize("where", ["disk", "s3"])
@pytest.mark.parametrize("covered", [(), (0,)], ids=["as it is", "covered"])
@pytest.mark.parametrize(("suffix", "written"), [(suffix, suffix) for suffix in WRITTEN] + [(".jpg", ".jpeg"), (".tif", ".tiff")])
def test_a_picture_becomes_a_picture(suffix, written, covered, where, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    content = stored(suffix, drawn())
    (tmp_path / "work").mkdir()
    if where == "s3":
        bucket: Bucket = request.getfixturevalue("bucket")
        source, target = bucket.put(f"in/a day [1]{suffix}", content), bucket.url(f"out/b%d{written}")  # no patterns: there is such a file
    else:
        source, target = f"{tmp_path}/work/a day [1]{suffix}", f"{tmp_path}/work/b%d{written}"
        Path(source).write_bytes(content)
    render(source, target, covered)
    after = bucket.get(f"out/b%d{written}") if where == "s3" else Path(target).read_bytes()
    if covered:
        one, other = (cv2.imdecode(np.frombuffer(each, np.uint8), -1).astype(int) for each in (content, after))
        assert np.abs(one - other)[20:44, 20:44].max() > 30
        assert np.abs(one - other)[60:].max() <= (0 if suffix in (".png", ".tiff", ".tif", ".bmp") else 14)
    else:
        assert after == content
    if where == "s3":
        assert sorted(bucket.names()) == [f"in/a day [1]{suffix}", f"out/b%d{written}"]
        assert bucket.uploads() == []
    else:
        assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [f"a day [1]{suffix}", f"b%d{written}"]


@pytest.mark.parametrize("covered", [(), (0,)], ids=["as it is", "covered"])
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_nothing_but_the_picture_and_its_turn(suffix: str, covered, tmp_path: Path) -> None:
    (tmp_path / f"in{suffix}").write_bytes(picture_file(suffix, 6))
    render(f"{tmp_path}/in{suffix}", f"{tmp_path}/out{suffix}", covered)
    after = (tmp_path / f"out{suffix}").read_bytes()
    assert b"SECRET" not in after
    assert KINDS[suffix].header(after) == KINDS[suffix].header(picture_file(suffix, 6))
    info, _ = source_of(f"{tmp_path}/in{suffix}").probe(None, Images())
    assert (info.rotation_degrees, info.num_frames) == (90, 1)
    assert info.dropped == ("metadata, thumbnails or further pictures in the files",)


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "folder/"])
def test_a_picture_becomes_something_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(stored(".png", drawn()))
    render(f"{tmp_path}/in.png", f"{tmp_path}/{name}", (), EncoderSettings(crf=10))
    if name == "folder/":
        assert (tmp_path / "folder" / "in.png").read_bytes() == (tmp_path / "in.png").read_bytes()
    else:
        (frame,) = decoded(tmp_path / name)
        assert np.abs(frame.to_ndarray(format="bgr24").astype(int) - drawn()).mean() < 8


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("suffix", sorted(WRITTEN))
def test_heic_becomes_another_kind(suffix: str, orientation: int, tmp_path: Path) -> None:
    (tmp_path / "in.HEIC").write_bytes(heic_file(rgb(drawn()), orientation))
    render(f"{tmp_path}/in.HEIC", f"{tmp_path}/out{suffix}", ())
    content = (tmp_path / f"out{suffix}").read_bytes()
    assert b"SECRET" not in content
    after = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(np.rot90(drawn(), -1 if orientation == 6 else 0).astype(int) - after).mean() < 8


def test_a_folder_of_heic_becomes_numbered_pictures_or_a_video(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / "in" / f"IMG_{number + 8}.heic").write_bytes(heic_file(rgb(drawn(number))))
    render(f"{tmp_path}/in", f"{tmp_path}/out/x%02d.png", (1,))
    for number, path in enumerate(sorted((tmp_path / "out").iterdir())):
        assert path.name == f"x{number:02d}.png"
        difference = np.abs(cv2.imread(str(path)).astype(int) - drawn(number))
        assert difference[60:].mean() < 8
        assert (difference[20:44, 20:44].mean() > 40) == (number == 1)
    render(f"{tmp_path}/in", f"{tmp_path}/out.mp4", ())
    assert len(decoded(tmp_path / "out.mp4")) == 4


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("a.png", "a.png", "is the input itself"),
        ("a.png", "folder/../a.png", "is the input itself"),
        ("a.png", "link.png", "is the input itself"),
        ("alone/a.png", "alone", "is the input itself"),  # the folder would take the place of the one that the input is in
        ("alone/a.png", "alone/", "is the input itself"),
        ("a.png", "b.jpg", r"another kind of picture .*; end it in \.png"),
        ("a.png", "b.gif", r"end it in \.mp4.* or as the picture is"),
        ("a.png", "folder.png", "is a folder"),
        ("a.png", "none/b.png", "is not a folder"),
        ("a.heic", "b.heic", r"read, but not written.*; end it in \.png, \.jpg"),
        ("a.heic", "folder", r"read, but not written.*; .* such as out\.jpg"),
        ("heics", "folder", r"read, but not written.*; .* such as out/img%07d\.jpg"),
        ("heics", "heics/x%d.png", "is the input itself"),
        ("heics", "b.png", "is not named as"),
        ("clip.mp4", "b.png", "is not named as"),
        ("moving.webp", "moving.webp", "is not named as"),
    ],
)
def test_targets_that_are_none(source: str, target: str, said: str, tmp_path: Path) -> None:
    for name in ("a.png", "alone/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(stored(".png", drawn()))
    for name in ("folder", "folder.png", "heics"):
        (tmp_path / name).mkdir()
    for name in ("a.heic", "heics/1.heic"):
        (tmp_path / name).write_bytes(heic_file(rgb(drawn())))
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "moving.webp").write_bytes(moving(".webp", 40, 40))
    draw(tmp_path, Clip(num_frames=2))
    found = source_of(f"{tmp_path}/{source}")

    def check() -> None:
        there = target_of(f"{tmp_path}/{target}", found)
        check_apart(found, there)
        there.check()

    with pytest.raises(BadOutput, match=said) as caught:
        check()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x.png: is not a PNG"),
        (stored(".png", drawn())[:900], "x.png: ends early"),
        (stored(".jpg", drawn()), "x.png: is not a PNG"),
        (stored(".png", drawn())[:900] + b"?" + stored(".png", drawn())[901:], "x.png: is damaged"),
        (stored(".png", drawn()).replace(b"IHDR", b"none"), "x.png: has no picture"),
    ],
)
def test_what_is_wrong_with_a_picture_is_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(BadVideo) as caught:
        source_of(f"{tmp_path}/x.png").check()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_key_of_a_picture_is_its_content_and_no_folders(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", count=1)
    (name,) = [path.name for path in folder.iterdir()]
    (tmp_path / "b.png").write_bytes((folder / name).read_bytes())
    assert source_of(f"{folder}/{name}").content_hash() == source_of(f"{tmp_path}/b.png").content_hash()
    assert source_of(str(folder)).content_hash() != source_of(f"{folder}/{name}").content_hash()


@pytest.mark.parametrize(("suffix", "kind"), [(".png", VideoFile), (".gif", VideoFile), (".webp", MovingWebp)])
@pytest.mark.parametrize("where", ["disk", "s3"])
def test_a_picture_that_moves_is_a_video(suffix: str, kind: type, where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    content = moving(suffix, 40, 200, 80, 120)
    (tmp_path / f"in{suffix}").write_bytes(content)
    location = request.getfixturevalue("bucket").put(f"in{suffix}", content) if where == "s3" else f"{tmp_path}/in{suffix}"
    source = source_of(location)
    assert isinstance(source, kind)
    source.check()
    info, index = source.probe(None, Images())
    assert [float(pts * info.time_base) for pts in index.pts] == [0, 0.04, 0.24, 0.32]
    assert info.duration_seconds == pytest.approx(0.44 if suffix != ".gif" else info.duration_seconds)
    render(location, f"{tmp_path}/out.mp4", (2,))
    frames = decoded(tmp_path / "out.mp4")
    assert [float(frame.pts * frame.time_base) for frame in frames] == pytest.approx([0, 0.04, 0.24, 0.32])
    for number, frame in enumerate(frames):
        difference = np.abs(frame.to_ndarray(format="bgr24").astype(int) - drawn(number))
        assert difference[60:].mean() < 12
        assert (difference[20:44, 20:44].mean() > 40) == (number == 2)
    some = [(number, frame.pts) for number, frame in source.frames(info, index, 1, 2)]
    assert some == [(1, index.pts[1]), (2, index.pts[2])]


def test_what_is_transparent_in_a_moving_picture_is_not_shown(tmp_path: Path) -> None:
    first, second = (Image.fromarray(np.full((70, 90, 4), (200, number, 0, 0), np.uint8)) for number in (1, 9))
    second.paste((200, 200, 200, 255), (0, 0, 30, 30))
    first.save(tmp_path / "x.webp", save_all=True, append_images=[second], lossless=True, exact=True, duration=[0, 5])
    source = source_of(f"{tmp_path}/x.webp")
    info, index = source.probe(None, Images())
    assert info.dropped == ("transparency",)
    assert index.pts.tolist() == [0, 100], "as browsers show what has no time"
    pictures = [frame.to_ndarray() for _, frame in source.frames(info, index, 0, 1)]
    assert [int(picture[-5, -5].max()) for picture in pictures] == [0, 0]
    assert int(pictures[1][5, 5].min()) == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content[:200], "damaged, or ends early"),
        (lambda content: content[: len(content) * 2 // 3], "damaged, or ends early"),
        (lambda content: content[:24] + (15_999).to_bytes(3, "little") * 2 + content[30:], "16000x16000 pixels, more than 100 million"),
        (lambda content: content[:24] + (10_999).to_bytes(3, "little") * 2 + content[30:], "11000x11000 pixels, more than 100 million"),
    ],
)
def test_what_is_wrong_with_a_moving_webp_is_one_line(change, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.webp").write_bytes(change(moving(".webp", 40, 40, 40)))
    with pytest.raises(BadVideo, match=said) as caught:
        source_of(f"{tmp_path}/x.webp").probe(None, Images())
    assert "\n" not in str(caught.value)


def test_a_single_webp_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "x.webp").write_bytes(picture_file(".webp"))
    assert isinstance(source_of(f"{tmp_path}/x.webp"), PictureFolder)


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x.png").open("wb") as file:
        file.truncate((1 << 30) + 1)  # with nothing on the disk
    with pytest.raises(BadVideo, match="has 1073741825 bytes, more than any picture"):
        source_of(f"{tmp_path}/x.png").check()


def test_a_picture_that_is_gone_since_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(stored(".png", drawn()))
    source = source_of(f"{tmp_path}/x.png")
    (tmp_path / "x.png").unlink()
    with pytest.raises(BadVideo, match=r"x\.png: cannot be read"):
        source.check()
