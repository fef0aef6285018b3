"""What a review video shows beside its faces."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tasks.blurs.ways import NoBlur, Solid
from tasks.choosing import Ruling, marks_of
from tasks.covering import covered_frames
from tasks.marks import Marks
from tasks.selectors.verdicts import Verdict
from tasks.tracks import Cover
from tasks.video.planes import planes
from tasks.video.upright import boxes_to_decoded
from tests.fakes import square, still

ANNA = Verdict("match", "anna", 0.3, "looks like anna", 0.997)
STRANGER = Verdict("no match", "anna", 0.71, "looks like nobody who was asked for")
LEFT, RIGHT = square(150, 180, 60), square(450, 180, 60)
TRACKS = [still(0, 5, LEFT, person=1), still(2, 9, RIGHT, person=0)]
RULINGS = [Ruling(np.zeros(6, np.bool_), False, ANNA), Ruling(np.ones(8, np.bool_), False, STRANGER)]


def test_they_say_who_it_is_and_why() -> None:
    """The person's number is the one in the report, not the track's."""
    marks = marks_of(TRACKS, RULINGS)
    assert [(mark.covered, mark.lines) for mark in marks.at(2)] == [
        (False, ["#1 kept", "looks like anna (99.7%)"]),
        (True, ["#0 blurred", "looks like nobody who was asked for"]),
    ]
    everyone = Verdict("no match", None, None, "everyone is blurred")
    nameless = marks_of(TRACKS[:1], [Ruling(np.ones(6, np.bool_), False, everyone)])
    assert nameless.at(0)[0].lines == ["#1 blurred", "everyone is blurred"]


def test_a_track_that_is_kept_for_a_time_says_so_then() -> None:
    covered = np.arange(2, 10) != 5
    marks = marks_of(TRACKS[1:], [Ruling(covered, False, STRANGER)])
    assert [[(mark.covered, mark.lines[0]) for mark in marks.at(frame)] for frame in (4, 5, 6)] == [
        [(True, "#0 blurred")],
        [(False, "#0 kept")],
        [(True, "#0 blurred")],
    ]


def test_a_stretch_is_kept_and_read_again() -> None:
    marks = Marks.from_bytes(marks_of(TRACKS, RULINGS).within(6, 9).to_bytes())
    assert [len(marks.at(frame)) for frame in (2, 5, 6, 9, 10)] == [0, 0, 1, 1, 0]
    assert marks.at(7)[0].lines[0] == "#0 blurred"


def drawn(pixel_format: str, rotation_degrees=0, blur=None, mirrored=False) -> tuple[list[np.ndarray], np.ndarray]:
    """The planes of a grey picture, 640x360 when upright, with a kept face at the left and a covered one at the right; and it, upright."""
    width, height = (360, 640) if rotation_degrees in (90, 270) else (640, 360)
    frame = av.VideoFrame(width, height, pixel_format)
    for plane in planes(frame):
        plane.samples[:] = 1 << (plane.bits - 1)
    upright = np.array([[face.left, face.top, face.right, face.bottom] for face in (LEFT, RIGHT)], np.float32)
    faces = Cover(np.zeros(2, np.int64), boxes_to_decoded(upright, width, height, rotation_degrees, mirrored), np.arange(2))
    marks = Marks(faces, np.arange(2), np.array([False, True]), np.array(["#1 kept\nlooks like anna", "#0 blurred"]))
    cover = Cover(faces.frames[1:], faces.boxes[1:], faces.tracks[1:])
    (after,) = covered_frames([(0, frame)], cover, blur or NoBlur(), rotation_degrees, marks, mirrored)
    turned = np.rot90(planes(after)[0].samples, -rotation_degrees // 90)
    return [plane.samples for plane in planes(after)], turned[:, ::-1] if mirrored else turned


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p16le", "gbrp", "gray"])
def test_kept_and_covered_faces_differ_in_colour_and_line(pixel_format) -> None:
    found, luma = drawn(pixel_format)
    dashed, solid = luma[210, 121:180], luma[210, 421:480]  # along the lower side of each box
    assert len(np.unique(solid)) == 1
    assert len(np.unique(dashed)) > 1
    grey = luma[300, 300]
    assert 0.3 < np.mean(dashed == grey) < 0.7
    if len(found) == 3:
        second = found[1]
        step = luma.shape[1] // second.shape[1], luma.shape[0] // second.shape[0]
        assert second[210 // step[1], 450 // step[0]] < grey  # orange has less blue than grey, sky blue has more
        assert second[210 // step[1], 120 // step[0] : 180 // step[0]].max() > grey


@pytest.mark.parametrize(("rotation_degrees", "mirrored"), [(90, False), (180, False), (270, False), (0, True), (90, True)])
def test_they_are_read_when_the_picture_is_upright(rotation_degrees, mirrored) -> None:
    """The same picture to a pixel, whichever way it is stored."""
    assert np.array_equal(drawn("gray", rotation_degrees, mirrored=mirrored)[1], drawn("gray")[1])


def test_nothing_else_is_touched() -> None:
    luma = drawn("gray")[1]
    away = np.ones(luma.shape, bool)
    away[100:230, 100:400] = away[100:230, 400:600] = False
    assert np.all(luma[away] == 128)
    inside = np.s_[160:200, 430:470]
    assert np.all(luma[inside] == 128)  # the blur `none` leaves the face alone
    assert np.all(drawn("gray", blur=Solid())[1][inside] == 16)  # over a blur, boxes are drawn as well


def test_frames_that_only_show_a_kept_face_are_marked_too() -> None:
    frame = av.VideoFrame(640, 360, "gray")
    planes(frame)[0].samples[:] = 128
    marks = marks_of(TRACKS, RULINGS)
    out = list(covered_frames([(0, frame)], Cover.from_tracks(TRACKS, [1]), Solid(), 0, marks))
    assert np.any(planes(out[0])[0].samples != 128)
