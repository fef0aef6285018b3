"""A frame's own samples, and nothing but what is meant to change."""

from __future__ import annotations

import av
import numpy as np
import pytest
from av.video.format import VideoFormat

from tasks.video import as_planar, editable, planes, probe_file, read_frames
from tasks.video.planes import planar_format

from .drawing import Clip, draw, picture

FORMATS = [
    ("yuv420p", "yuv", (2, 2), 8),  # nearly everything
    ("yuvj420p", "yuv", (2, 2), 8),  # full range by name
    ("yuv422p", "yuv", (2, 1), 8),
    ("yuv444p", "yuv", (1, 1), 8),
    ("yuv411p", "yuv", (4, 1), 8),  # DV
    ("yuv420p10le", "yuv", (2, 2), 10),
    ("yuv422p12le", "yuv", (2, 1), 12),
    ("yuv444p10le", "yuv", (1, 1), 10),
    ("gray", "y", (1, 1), 8),
    ("gray10le", "y", (1, 1), 10),
    ("gbrp", "gbr", (1, 1), 8),  # lossless screen recordings
    ("gbrp10le", "gbr", (1, 1), 10),
]


@pytest.mark.parametrize(("pixel_format", "names", "steps", "bits"), FORMATS)
@pytest.mark.parametrize(("width", "height"), [(96, 64), (37, 21)])  # odd sizes: chroma rounds up, lines are padded
def test_planes_are_views_of_the_frame(pixel_format, names, steps, bits, width, height):
    frame = av.VideoFrame(width, height, pixel_format)
    found = planes(frame)
    assert "".join(plane.name for plane in found) == names
    for plane in found:
        step_x, step_y = steps if plane.name in "uv" else (1, 1)
        assert (plane.horizontal_step, plane.vertical_step, plane.bits) == (step_x, step_y, bits)
        assert plane.samples.shape == (-(-height // step_y), -(-width // step_x))
        assert plane.samples.dtype == (np.uint8 if bits == 8 else np.uint16)
        plane.samples[:] = 7
    assert all(np.all(plane.samples == 7) for plane in planes(frame))


@pytest.mark.parametrize(
    ("packed", "planar"),
    [
        ("nv12", "yuv420p"),  # hardware decoders
        ("yuyv422", "yuv422p"),  # webcams
        ("uyvy422", "yuv422p"),
        ("rgb24", "gbrp"),
        ("bgra", "gbrp"),  # gif
        ("gray", "gray"),
        ("p010le", "yuv420p10le"),
    ],
)
def test_packed_pictures_move_into_planes_without_loss(packed, planar):
    frame = picture(5, 96, 64, planar).reformat(format=packed)
    frame.pts = 77
    moved = as_planar(frame)
    assert moved.format.name == planar
    assert moved.pts == 77
    back = moved.reformat(format=packed)
    for one, other in zip(frame.planes, back.planes, strict=True):
        assert bytes(one) == bytes(other)


def test_every_pixel_format_has_a_planar_one():
    for name in ("pal8", "rgb48le", "ya8", "monob", "yuva420p", "yuv420p10be", "nv24", "y210le", "xyz12le", "rgb565le", "bayer_bggr8"):
        assert VideoFormat(planar_format(name)).name


def test_planes_of_a_packed_picture_are_refused():
    with pytest.raises(ValueError, match="as_planar"):
        planes(av.VideoFrame(16, 16, "rgb24"))


def test_editing_changes_the_region_and_no_other_frame(tmp_path):
    path = draw(tmp_path, Clip(num_frames=30, options={"g": "30", "bf": "2"}))  # every frame is predicted from others
    info, index = probe_file(path)
    plain = [[plane.samples.copy() for plane in planes(frame)] for _, frame in read_frames(path, info, index, 0, 29)]
    for number, frame in read_frames(path, info, index, 0, 29):
        before = (frame.pts, frame.time_base, frame.color_range, frame.colorspace)
        changed = editable(frame)
        assert (changed.pts, changed.time_base, changed.color_range, changed.colorspace) == before
        for plane, reference in zip(planes(changed), plain[number], strict=True):
            rows, columns = slice(8 // plane.vertical_step, 24 // plane.vertical_step), slice(0, 16 // plane.horizontal_step)
            plane.samples[rows, columns] = 255 - reference[rows, columns]
            outside = np.ones(reference.shape, bool)
            outside[rows, columns] = False
            assert np.array_equal(plane.samples[outside], reference[outside]), number
