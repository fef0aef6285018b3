"""Faces made unrecognisable, and nothing else touched."""

from __future__ import annotations

from functools import cache
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tasks.blurs.regions import CoveredFace, expanded
from tasks.blurs.ways import NoBlur, Pixelate, Round, Solid, Square
from tasks.calibration import calibration_of
from tasks.detectors.centerface import CenterFace
from tasks.errors import BadSetting
from tasks.plan import make_plan
from tasks.recognisers.dlib import DlibResNet
from tasks.recognisers.faceres import Faceres
from tasks.video.planes import planes
from tests.clips import reference_photo
from tests.fakes import FaceBox, square
from tests.tasks.scenes import scene

WEAKEST = [Pixelate(), Pixelate(tiles=5, expand=0), Round(strength=0.12), Round(strength=0.12, expand=0), Square(strength=0.12, expand=0)]
ALL = [
    Pixelate(),
    Pixelate(shape="face"),
    Pixelate(tiles=1),
    Pixelate(tiles=5, expand=0),
    Round(),
    Round(strength=1, expand=0),
    Square(),
    Square(expand=2),
    Solid(),
    Solid(lightness=1),
]
HAIR = 0.2  # of a face's height, above the forehead
FEATHER = 0.12  # of the radius, beyond the expanded box


def noise(pixel_format: str, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pixel_format)
    random = np.random.default_rng(9)
    for plane in planes(frame):
        plane.samples[:] = random.integers(0, 1 << plane.bits, plane.samples.shape)
    return frame


def samples(frame: av.VideoFrame) -> list[np.ndarray]:
    return [plane.samples.copy() for plane in planes(frame)]


def covered(blur, frame: av.VideoFrame, face: FaceBox, steady: FaceBox | None = None, rotation_degrees=0) -> av.VideoFrame:
    blur.cover(planes(frame), CoveredFace(face, steady or face, rotation_degrees))
    return frame


def reach_of(blur, face: FaceBox) -> FaceBox:
    """The rectangle beyond which nothing may change."""
    box = expanded(face, blur.expand)
    if getattr(blur, "shape", "face") == "head":
        box = FaceBox(box.left, box.top - HAIR * face.height, box.right, box.bottom)
    return expanded(box, FEATHER / 2)


PLACES = {
    "inside": square(60, 50, 30),
    "a pixel": square(60.5, 50.5, 1),
    "tall": FaceBox(50.3, 20.7, 66.2, 61.9),
    "left edge": square(0, 50, 30),
    "right edge": square(121, 50, 30),
    "top edge": square(60, 0, 30),
    "bottom edge": square(60, 91, 30),
    "top left": square(-3, -3, 30),
    "bottom right": square(124, 94, 30),
    "a sliver inside": square(-18.9, 50, 30),
    "larger than the picture": square(60, 50, 400),
    "outside, left": square(-200, 50, 30),
    "outside, right": square(400, 50, 30),
    "outside, above": square(60, -200, 30),
    "outside, below": square(60, 400, 30),
}


@pytest.mark.parametrize("blur", ALL, ids=str)
@pytest.mark.parametrize(
    "pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p16le", "yuv411p", "gray", "gray10le", "gbrp", "gbrp12le"]
)
def test_what_is_outside_stays_and_what_is_inside_changes(blur, pixel_format) -> None:
    for place, face in PLACES.items():
        frame = noise(pixel_format, 121, 91)  # odd sizes: chroma rounds up
        before = samples(frame)
        covered(blur, frame, face)
        reach = reach_of(blur, face)
        for plane, was in zip(planes(frame), before, strict=True):
            # a sample stands for the pixels from x to x + step
            x, y = np.arange(was.shape[1]) * plane.horizontal_step, np.arange(was.shape[0]) * plane.vertical_step
            columns = (x + plane.horizontal_step > reach.left) & (x < reach.right)
            rows = (y + plane.vertical_step > reach.top) & (y < reach.bottom)
            near = rows[:, None] & columns[None]
            assert np.array_equal(plane.samples[~near], was[~near]), (place, plane.name)
            assert plane.samples.max() < 1 << plane.bits
            inside = (rows[:, None] & columns[None])[: was.shape[0]] & _within(face, x, y, plane)
            if inside.sum() > 30:
                assert np.mean(plane.samples[inside] != was[inside]) > 0.8, (place, plane.name)
                assert (
                    np.diff(plane.samples.astype(int), axis=1)[inside[:, 1:]].std()
                    < 0.7 * np.diff(was.astype(int), axis=1)[inside[:, 1:]].std()
                )


def _within(face: FaceBox, x, y, plane) -> np.ndarray:
    """Samples wholly inside the ellipse of the face itself."""
    across = (x + plane.horizontal_step / 2 - (face.left + face.right) / 2) / (face.width / 2)
    down = (y + plane.vertical_step / 2 - (face.top + face.bottom) / 2) / (face.height / 2)
    return across[None] ** 2 + down[:, None] ** 2 < 0.8


@pytest.mark.parametrize("blur", [Pixelate(), Round(), Solid()], ids=str)
def test_the_corners_of_the_face_are_covered_too(blur) -> None:
    """An ellipse around the box, not inside it: corners are at 0.707 / (0.5 + expand) of its radius."""
    frame, face = noise("gray", 200, 200), square(100, 100, 60)
    before = samples(frame)[0]
    after = samples(covered(blur, frame, face))[0]
    for rows, columns in [(slice(70, 74), slice(70, 74)), (slice(126, 130), slice(126, 130)), (slice(70, 74), slice(126, 130))]:
        assert np.ptp(after[rows, columns].astype(int)) < 0.5 * np.ptp(before[rows, columns].astype(int))


@pytest.mark.parametrize(
    ("rotation_degrees", "above"),
    [
        (0, (100, 40)),
        (90, (40, 100)),  # turned clockwise to be upright: the head is at the left
        (180, (100, 160)),
        (270, (160, 100)),
    ],
)
def test_a_head_is_covered_with_its_hair(rotation_degrees, above) -> None:
    """Half a face above the forehead: covered as a head, not as a face; as far below the chin: never."""
    face, plain = square(100, 100, 60), noise("gray", 200, 200)
    for shape in ("head", "face"):
        frame = covered(Pixelate(shape=shape), noise("gray", 200, 200), face, rotation_degrees=rotation_degrees)
        changed = planes(frame)[0].samples != planes(plain)[0].samples
        x, y = above
        assert changed[y - 1 : y + 2, x - 1 : x + 2].any() == (shape == "head")
        assert not changed[200 - y - 2 : 200 - y + 1, 200 - x - 2 : 200 - x + 1].any()


@pytest.mark.parametrize("pixel_format", ["yuv420p16le", "gray16le"])
@pytest.mark.parametrize(
    ("width", "tiles", "tile_pixels"),
    [
        (200.5, 8, 44.11),  # 1.1 times an eighth of 1.6 widths
        (77, 8, 16.94),
        (60, 8, 13.2),
        (50, 8, 12),  # raised: 11 pixels would be too few
        (24, 5, 12),
        (200.5, 5, 70.58),
        (200.5, 1, 352.88),
    ],
)
def test_tiles_are_as_large_as_they_should_be(pixel_format, width, tiles, tile_pixels) -> None:
    """The mean of a tile of a slope is where its middle is: flat parts, at 50 levels a pixel, are a tile's width apart."""
    face = FaceBox(300.4 - width / 2, 250.6 - width / 2, 300.4 + width / 2, 250.6 + width / 2)
    frame, blur = noise(pixel_format, 601, 501), Pixelate(tiles=tiles)
    for plane in planes(frame):
        x = (np.arange(plane.samples.shape[1]) + 0.5) * plane.horizontal_step
        plane.samples[:] = np.rint(50 * x)
    covered(blur, frame, face)
    for plane in planes(frame):
        x = (np.arange(plane.samples.shape[1]) + 0.5) * plane.horizontal_step
        line = plane.samples[round(250.6 / plane.vertical_step), np.abs(x - 300.4) < 0.75 * width].astype(int)
        means = np.unique(line[:-1][np.diff(line) == 0])
        assert 0 < len(means) <= tiles
        assert np.diff(means) == pytest.approx(50 * tile_pixels, abs=25)


def test_tiles_move_with_the_face() -> None:
    """So that tiles that stand still while the face moves behind them do not give it away, line by line."""
    one, other = noise("gray", 300, 200), noise("gray", 300, 200)
    planes(other)[0].samples[:] = np.roll(planes(one)[0].samples, 8, axis=1)
    covered(Pixelate(), one, square(100, 100, 60))
    covered(Pixelate(), other, square(108, 100, 60))
    assert np.array_equal(planes(one)[0].samples[50:150, 50:150], planes(other)[0].samples[50:150, 58:158])


def texture(width: int, height: int) -> np.ndarray:
    """(H, W) uint8, as rough as skin and hair."""
    random = np.random.default_rng(4)
    picture = sum(
        cv2.resize(random.normal(0, strength, (height // cell + 2, width // cell + 2)), (width, height), interpolation=cv2.INTER_CUBIC)
        for cell, strength in ((3, 10), (12, 20), (40, 30))
    )
    return np.clip(128 + picture, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("box_pixels", "anchor_pixels", "growth"),
    [
        (0.0, 0.0, 0.0),  # nothing moves, nothing changes
        (0.3, 0.3, 0.0),  # an anchor that is off by a third of a pixel
        (3.0, 0.3, 0.0),  # a box that trembles ten times as much: only its anchor counts
        (0.0, 0.0, 0.002),  # boxes that grow where the face does not
    ],
)
def test_tiles_do_not_swim_on_a_face_that_is_still(box_pixels, anchor_pixels, growth) -> None:
    """A grid that moves by a share of a tile: each tile loses that share of its samples, and gains as much."""
    random, picture, previous = np.random.default_rng(5), texture(300, 300), None
    places, changes = random.normal(150, anchor_pixels, (20, 2)), []
    for number, place in enumerate(places):
        size = 100 * (1 + growth * number)
        frame = av.VideoFrame.from_ndarray(picture, "gray")
        covered(Pixelate(), frame, square(*(place + random.normal(0, box_pixels, 2)), size), square(*place, size))
        now = planes(frame)[0].samples[100:200, 100:200].astype(float)  # well inside of the cover
        changes.append(0 if previous is None else np.abs(now - previous).mean())
        previous = now
    moved_pixels = np.abs(np.diff(places, axis=0)).mean(axis=0).sum() + 50 * growth * 2
    assert np.mean(changes) <= 2 * picture.std() * moved_pixels / 22


WEAK = [
    ({"method": "pixelate", "tiles": 9}, "9 tiles would let a face be recognised: with expand=0.3, at most 8"),
    ({"method": "pixelate", "tiles": 8, "expand": 0}, "with expand=0, at most 5"),  # a fifth of a face, wherever the cover ends
    ({"method": "round", "strength": 0.11}, "greater than or equal to 0.12"),
    ({"method": "square", "strength": 0.05}, "greater than or equal to 0.12"),
    ({"method": "none"}, "the blur none shows the faces, and is for review: add --show boxes"),
]


@pytest.mark.parametrize(("blur", "said"), WEAK)
def test_what_would_be_too_weak_is_refused(blur, said) -> None:
    with pytest.raises(BadSetting, match=said):
        make_plan({"blur_faces": {"blur": blur}})


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv411p", "gray16le"])
@pytest.mark.parametrize("blur", [Pixelate(), Pixelate(expand=2, tiles=25), Round(), Square()], ids=str)
def test_what_has_no_detail_stays_as_it_is(blur, pixel_format) -> None:
    """Wherever the face is, and however little of a tile is inside the picture."""
    for place in PLACES.values():
        frame = noise(pixel_format, 121, 91)
        for plane in planes(frame):
            plane.samples[:] = 77
        covered(blur, frame, place)
        assert all(np.all(plane.samples == 77) for plane in planes(frame)), place


def test_a_wide_cover_may_have_more_tiles() -> None:
    assert Pixelate(tiles=15, expand=1).tiles == 15


def test_no_blur_leaves_the_picture_alone() -> None:
    frame = noise("yuv420p", 60, 60)
    before = samples(frame)
    after = samples(covered(NoBlur(), frame, square(30, 30, 20)))
    assert all(np.array_equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(("lightness", "bits", "expected"), [(0, 8, 16), (1, 8, 235), (0, 10, 64), (1, 10, 943)])
def test_solid_is_one_colour(lightness, bits, expected) -> None:
    frame = covered(Solid(lightness=lightness), noise("yuv420p" if bits == 8 else "yuv420p10le", 120, 120), square(60, 60, 50))
    luma, *chroma = planes(frame)
    assert set(np.unique(luma.samples[40:80, 40:80])) == {expected}
    assert all(set(np.unique(plane.samples[20:40, 20:40])) == {1 << (bits - 1)} for plane in chroma)


@pytest.mark.parametrize(
    "pixel_format",
    [
        "yuv420p",
        "yuv444p",
        pytest.param(
            "yuv422p",
        ),
        pytest.param("yuv411p"),
    ],
)
@pytest.mark.parametrize("blur", [Square(), Round()], ids=str)
def test_colour_is_blurred_as_far_down_as_across(pixel_format, blur) -> None:
    """Of a red pixel block in grey, how many pixels wide and high it becomes."""
    frame = noise(pixel_format, 240, 240)
    for plane in planes(frame):
        plane.samples[:] = 0
    plane = planes(frame)[1]
    plane.samples[112 // plane.vertical_step : 128 // plane.vertical_step, 112 // plane.horizontal_step : 128 // plane.horizontal_step] = (
        255
    )
    covered(blur, frame, square(120, 120, 100))
    bright = plane.samples.astype(float)

    def spread(profile: np.ndarray, step: int) -> float:
        x = (np.arange(len(profile)) + 0.5) * step
        middle = (x * profile).sum() / profile.sum()
        return float(np.sqrt(((x - middle) ** 2 * profile).sum() / profile.sum()))

    assert spread(bright.sum(1), plane.vertical_step) == pytest.approx(spread(bright.sum(0), plane.horizontal_step), rel=0.15)


# the real test: is anybody recognised?


@cache
def reference(person: str, recogniser: Any) -> np.ndarray:
    photo = reference_photo(person)
    return recogniser.load().embed(photo, CenterFace().load().detect(photo))[0][0]


@pytest.mark.parametrize("settings", [Faceres(), DlibResNet()], ids=lambda settings: settings.method)
@pytest.mark.parametrize("person", ["collins", "hopper"])
@pytest.mark.parametrize("width", [24, 48, 96, 200, 400])
def test_nobody_is_recognised(person, width, settings) -> None:
    """With the weakest settings that are allowed: neither by whoever knows where the face was, nor by looking again."""
    picture, _ = scene(person, width, size=(max(640, 2 * width),) * 2)
    detector, recogniser = CenterFace().load(), settings.load()
    face = detector.detect(picture)[np.array([0])]
    embeddings, qualities = recogniser.embed(picture, face)
    known = np.stack([embeddings[0], reference(person, settings)])
    calibration = calibration_of(settings.method)
    assert calibration.photo.log_ratio(np.linalg.norm(known[0] - known[1]), calibration.octaves(qualities[0])) > 3
    for blur in WEAKEST:
        frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
        blurred = covered(blur, frame, FaceBox(*map(float, face.boxes[0]))).to_ndarray(format="bgr24")
        for each in (face, detector.detect(blurred)):
            embeddings, qualities = recogniser.embed(blurred, each)
            told = qualities > 0
            distances = np.linalg.norm(embeddings[told, None] - known, axis=2)
            ratios = calibration.photo.log_ratio(distances, calibration.octaves(qualities[told])[:, None])
            assert not np.any(ratios > np.log(99)), (blur, distances, qualities)
