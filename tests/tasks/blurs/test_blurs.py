"""Faces made unrecognisable, and nothing else touched."""

from __future__ import annotations

from functools import cache

import av
import numpy as np
import pytest

from tasks.blurs.regions import expanded
from tasks.blurs.ways import Pixelate, Round, Solid, Square
from tasks.detectors.centerface import CenterFace
from tasks.recognisers.dlib import DlibResNet
from tasks.video.planes import planes
from tests.clips import reference_photo
from tests.fakes import FaceBox, square
from tests.tasks.scenes import scene

WEAKEST = [Pixelate(), Round(), Square(), Round(strength=0.12), Square(strength=0.12), Solid()]
ALL = [*WEAKEST, Pixelate(tiles=1), Solid(lightness=1), Round(strength=1, expand=0), Square(expand=2)]
FEATHER = 0.12  # of the radius, beyond the expanded box


def noise(pixel_format: str, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, pixel_format)
    random = np.random.default_rng(9)
    for plane in planes(frame):
        plane.samples[:] = random.integers(0, 1 << plane.bits, plane.samples.shape)
    return frame


def samples(frame: av.VideoFrame) -> list[np.ndarray]:
    return [plane.samples.copy() for plane in planes(frame)]


def covered(blur, frame: av.VideoFrame, face: FaceBox) -> av.VideoFrame:
    for plane in planes(frame):
        blur.cover(plane, face)
    return frame


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
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le", "yuv411p", "gray", "gbrp"])
def test_what_is_outside_stays_and_what_is_inside_changes(blur, pixel_format) -> None:
    for place, face in PLACES.items():
        frame = noise(pixel_format, 121, 91)  # odd sizes: chroma rounds up
        before = samples(frame)
        covered(blur, frame, face)
        reach = expanded(expanded(face, blur.expand), FEATHER / 2)
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


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le"])
@pytest.mark.parametrize("width", [8, 33, 77, 200.5])
@pytest.mark.parametrize("tiles", [1, 5, 8])
def test_there_are_never_more_tiles_than_asked_for(pixel_format, width, tiles) -> None:
    """Across the covered width, along a line through the middle of the face."""
    face = FaceBox(300.4 - width / 2, 250.6 - width * 0.65, 300.4 + width / 2, 250.6 + width * 0.65)
    frame, blur = noise(pixel_format, 601, 501), Pixelate(tiles=tiles)
    covered(blur, frame, face)
    box = expanded(face, blur.expand)
    for plane in planes(frame):
        x = (np.arange(plane.samples.shape[1]) + 0.5) * plane.horizontal_step
        line = plane.samples[round(250.6 / plane.vertical_step), (x > box.left) & (x < box.right)].astype(int)
        assert 1 + np.count_nonzero(np.diff(line)) <= tiles


def test_tiles_move_with_the_face() -> None:
    """So that tiles that stand still while the face moves behind them do not give it away, line by line."""
    one, other = noise("gray", 300, 200), noise("gray", 300, 200)
    planes(other)[0].samples[:] = np.roll(planes(one)[0].samples, 7, axis=1)
    covered(Pixelate(), one, square(100, 100, 60))
    covered(Pixelate(), other, square(107, 100, 60))
    assert np.array_equal(planes(one)[0].samples[50:150, 50:150], planes(other)[0].samples[50:150, 57:157])


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
def reference(person: str) -> np.ndarray:
    photo = reference_photo(person)
    return DlibResNet().load().embed(photo, CenterFace().load().detect(photo))[0][0]


@pytest.mark.parametrize("person", ["collins", "hopper"])
@pytest.mark.parametrize("width", [40, 80, 200, 400])
def test_nobody_is_recognised(person, width) -> None:
    """Neither by whoever knows where the face was, nor by looking again."""
    picture, _ = scene(person, width)
    detector, recogniser = CenterFace().load(), DlibResNet().load()
    face = detector.detect(picture)[np.array([0])]
    plain = np.linalg.norm(recogniser.embed(picture, face)[0][0] - reference(person))
    stranger = np.linalg.norm(reference("collins") - reference("hopper"))
    assert plain < 0.5 < stranger
    for blur in WEAKEST:
        frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
        blurred = covered(blur, frame, FaceBox(*map(float, face.boxes[0]))).to_ndarray(format="bgr24")
        again = [face] + ([detector.detect(blurred)] if blur in (Pixelate(), Round(strength=0.12)) else [])
        for each in again:
            distances = np.linalg.norm(recogniser.embed(blurred, each)[0] - reference(person), axis=1)
            assert not np.any(distances < stranger), (blur, distances)
