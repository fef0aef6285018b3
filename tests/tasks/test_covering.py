"""Cover on frames."""

from __future__ import annotations

import av
import numpy as np

from tasks.blurs.ways import Solid
from tasks.covering import covered_frames
from tasks.tracks import Cover
from tasks.video.planes import planes
from tests.fakes import numbered_picture, square, still, track

TRACKS = [still(2, 4, square(60, 60, 20)), track(4, [square(140, 60, 20)])]
COVER = Cover.from_tracks(TRACKS, [0, 1])


def frames(pixel_format: str = "yuv420p"):
    made = [av.VideoFrame.from_ndarray(numbered_picture(number), "bgr24").reformat(format=pixel_format) for number in range(6)]
    for number, frame in enumerate(made):
        frame.pts = 100 + 7 * number
    return list(enumerate(made))


def test_frames_without_cover_are_the_same_object() -> None:
    given = frames("nv12")  # not even converted
    out = list(covered_frames(iter(given), COVER, Solid()))
    assert [frame.pts for frame in out] == [frame.pts for _, frame in given]
    assert [number for number, frame in given if out[number] is frame] == [0, 1, 5]


def test_only_the_faces_change() -> None:
    plain, out = frames(), list(covered_frames(iter(frames()), COVER, Solid(expand=0, shape="face")))
    for (number, before), after in zip(plain, out, strict=True):
        difference = planes(before)[0].samples != planes(after)[0].samples
        boxes = COVER.at(number).boxes
        assert difference.any() == bool(len(boxes))
        for left, top, right, bottom in boxes:
            assert difference[int(top) + 6 : int(bottom) - 6, int(left) + 6 : int(right) - 6].all()
            difference[int(top) - 2 : int(bottom) + 2, int(left) - 2 : int(right) + 2] = False
        assert not difference.any()


def test_packed_pictures_are_covered_too() -> None:
    out = list(covered_frames(iter(frames("nv12")), COVER, Solid()))
    assert out[3].format.name == "yuv420p"
    assert np.all(planes(out[3])[0].samples[52:68, 52:68] == 16)
