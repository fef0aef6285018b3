"""Pictures of any size: with a model that sees white squares exactly, every box can be computed."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest

from tasks.detectors import places
from tasks.detectors.sized import Sized, SizedDetector, tiles
from tasks.detectors.spares import Spares
from tasks.faces import Faces

IN_TILES = {"min_face_pixels": 16, "tile_pixels": 480}  # as 4K is looked at in tiles of 1920, at a quarter of the size


class SeesSquares(Sized):
    """Settings of a model that sees white squares of 16 pixels and more, up to half of what it is shown."""

    method: str = "squares"


class Squares:
    """That model; it remembers the sizes of the pictures that it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, int]] = []

    def __call__(self, picture_bgr) -> Faces:
        self.shown.append(picture_bgr.shape[1::-1])
        count, _, rows, _ = cv2.connectedComponentsWithStats((picture_bgr[..., 0] > 127).astype(np.uint8))
        corners = rows[1:count, :4].astype(np.float32)
        corners = corners[(corners[:, 2] >= 15) & (corners[:, 2] < 0.5 * max(picture_bgr.shape))]
        boxes = np.concatenate([corners[:, :2], corners[:, :2] + corners[:, 2:]], 1)
        return Faces(boxes, np.full(len(boxes), 0.9, np.float32), places.in_boxes(boxes))


def picture_of(width, height, *squares):
    """Black, with white squares (left, top, side)."""
    picture = np.zeros((height, width, 3), np.uint8)
    for left, top, side in squares:
        picture[max(top, 0) : top + side, max(left, 0) : left + side] = 255
    return picture


@pytest.mark.parametrize(
    ("size", "settings", "expected"),
    [
        ((1280, 720), {}, 960),  # reduced to the most
        ((3840, 2160), {}, 960),
        ((400, 300), {}, 640),  # enlarged to the least
        ((800, 600), {}, 800),  # as it is
        ((1280, 720), {"min_face_pixels": 16}, 1280),  # what the model just sees
        ((1280, 720), {"min_face_pixels": 32}, 640),  # larger faces need less
        ((1280, 720), {"min_face_pixels": 8}, 2560),  # smaller ones have to be enlarged
        ((3840, 2160), {"min_face_pixels": 16}, 3840),
        ((640, 360), {"min_face_pixels": 512}, 128),  # never to nothing
    ],
)
def test_the_smallest_face_decides_the_size(size, settings, expected) -> None:
    assert SizedDetector(SeesSquares(**settings), Squares()).long_side_pixels(*size) == expected


@pytest.mark.parametrize(
    ("size", "settings", "square"),
    [
        ((1280, 720), {}, (100, 200, 64)),
        ((320, 180), {}, (50, 60, 24)),  # enlarged
        ((1280, 720), {}, (0, 0, 64)),  # in a corner
        ((1280, 720), {}, (1216, 656, 64)),
        ((960, 540), IN_TILES, (250, 250, 17)),  # tiny, found in a tile
        ((960, 540), IN_TILES, (472, 262, 17)),  # in the middle, where tiles meet
        ((960, 540), IN_TILES, (300, 150, 300)),  # too large for a tile, found in the whole
        ((540, 960), IN_TILES, (523, 943, 17)),  # upright, in the corner of the last tile
    ],
)
def test_a_box_is_in_the_pictures_own_pixels(size, settings, square) -> None:
    left, top, side = square
    faces = SizedDetector(SeesSquares(**settings), Squares()).detect(picture_of(*size, square))
    scale = max(size) / SizedDetector(SeesSquares(**settings), Squares()).long_side_pixels(*size)
    assert len(faces) == 1
    # A square that touches the edge goes on in the margin: its box is cut back to the picture.
    np.testing.assert_allclose(faces.boxes[0], [left, top, left + side, top + side], atol=1.5 * max(1, scale))
    if left > 0 and top > 0 and left + side < size[0] and top + side < size[1]:
        np.testing.assert_allclose(faces.landmarks[0, 2], [left + side / 2, top + 0.55 * side], atol=1.5 * max(1, scale))


def test_many_tiny_squares_are_found_once_each() -> None:
    squares = [(x, y, 18) for x in range(5, 930, 97) for y in range(5, 510, 89)]
    faces = SizedDetector(SeesSquares(**IN_TILES), Squares()).detect(picture_of(960, 540, *squares))
    found = sorted((round(left / 97), round(top / 89)) for left, top, *_ in faces.boxes - 5)
    assert found == sorted((x // 97, y // 89) for x, y, _ in squares)


def test_a_close_up_is_seen_in_a_second_look() -> None:
    picture = picture_of(800, 800, (100, 100, 500))
    one = SizedDetector(SeesSquares(), Squares())
    assert len(one.detect(picture)) == 0
    squares = Squares()
    squares_at_most = SeesSquares(close_up_pixels=256)
    assert len(SizedDetector(squares_at_most, squares).detect(picture)) == 0
    assert [max(shown) for shown in squares.shown] == [832, 288]


def test_what_is_shown_has_a_margin_and_the_models_multiple() -> None:
    class InStepsOf32(SeesSquares):
        multiple = 32

    squares = Squares()
    SizedDetector(InStepsOf32(), squares).detect(picture_of(700, 333))
    assert squares.shown == [(736, 384)]  # 700 + 2 x 16 and 333 + 2 x 16, rounded up


def test_a_picture_of_the_right_size_is_shown_as_it_is() -> None:
    squares = Squares()
    detector = SizedDetector(SeesSquares(close_up_pixels=128), squares)
    for is_part, shown in ((False, [(232, 132), (160, 96)]), (True, [(208, 108)])):  # a part has a small margin, and no close-up
        squares.shown.clear()
        faces = detector.detect_at(picture_of(200, 100, (20, 20, 30)), is_part)
        assert squares.shown == shown
        np.testing.assert_allclose(faces.boxes[0], [20, 20, 50, 50], atol=0.01)


@pytest.mark.parametrize(
    ("width", "height", "side", "overlap", "count"),
    [
        (1920, 1080, 1920, 90, 1),  # fits
        (3840, 2160, 1920, 90, 6),  # two would have no overlap
        (3700, 1000, 1920, 90, 2),
        (5000, 1, 1000, 900, 9),  # no more overlap than half a tile
    ],
)
def test_tiles_cover_all_of_it_and_overlap(width, height, side, overlap, count) -> None:
    made = tiles(width, height, side, overlap)
    assert len(made) == count
    seen = np.zeros((height, width), np.uint8)
    for left, top, right, bottom in made:
        assert right - left <= side
        assert bottom - top <= side
        seen[top:bottom, left:right] += 1
    assert seen.min() == 1
    rows = sorted({(left, right) for left, _, right, _ in made})
    assert all(one[1] - other[0] >= min(overlap, side // 2) for one, other in itertools.pairwise(rows))


def test_estimated_places_turn_with_the_eyes() -> None:
    upright = places.from_eyes(np.array([[[10, 20], [30, 20]]], np.float32))[0]
    turned = places.from_eyes(np.array([[[20, 10], [20, 30]]], np.float32))[0]  # a quarter, clockwise: what was below is at the left
    np.testing.assert_allclose(upright[2], [20, 31.4], atol=0.01)
    np.testing.assert_allclose(turned[2], [20 - 11.4, 20], atol=0.01)


def test_the_pictures_left_side_comes_first() -> None:
    true = places.in_boxes(np.array([[0, 0, 100, 100]], np.float32))
    mirrored = true[:, [1, 0, 2, 4, 3]]
    np.testing.assert_array_equal(places.left_first(mirrored), true)
    np.testing.assert_array_equal(places.left_first(true), true)


def test_spares_are_lent_to_one_caller_at_a_time() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    spares = Spares(make)
    with spares.one() as first, spares.one() as second:
        assert first is not second
    with spares.one() as again:
        assert again in (first, second)
    assert len(made) == 2
