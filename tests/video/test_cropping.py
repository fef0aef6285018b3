"""Parts of decoded pictures."""

from __future__ import annotations

import av
import numpy as np
import pytest

from tasks.video.cropping import Part, cut_out, part_around
from tasks.video.upright import upright_bgr

PARTS = [
    ((100, 100, 140, 180), 0.0, Part(96, 96, 144, 184)),  # to multiples of eight, outwards
    ((100, 100, 140, 180), 1.0, Part(56, 16, 184, 264)),  # a width to each side, a height above and below
    ((-30, -30, 10, 10), 0.0, Part(0, 0, 16, 16)),  # inside the picture
    ((600, 340, 700, 400), 0.0, Part(600, 336, 642, 362)),  # up to its end, which is no multiple
    ((700, 400, 720, 420), 0.0, Part(640, 360, 642, 362)),  # beyond it: the nearest there is
    ((50, 50, 50, 50), 0.0, Part(48, 48, 56, 56)),  # never nothing
]


@pytest.mark.parametrize(("box", "reach", "part"), PARTS)
def test_what_holds_a_box(box, reach, part) -> None:
    assert part_around(np.array(box, np.float32), reach, 642, 362) == part


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "gray", "gbrp", "nv12", "rgb24", "yuv411p"])
@pytest.mark.parametrize("part", [Part(0, 0, 96, 64), Part(16, 8, 56, 48), Part(88, 56, 96, 64)], ids=str)
def test_a_part_looks_as_it_does_in_the_whole(pixel_format, part) -> None:
    rows, columns = np.mgrid[0:64, 0:96]
    picture = np.stack([2 * columns, 3 * rows, columns + rows], 2).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format=pixel_format)
    frame.colorspace = 1
    whole, piece = upright_bgr(frame, 0), upright_bgr(cut_out(frame, part), 0)
    expected = whole[part.top : part.bottom, part.left : part.right].astype(int)
    assert piece.shape == expected.shape
    # Chroma at a part's edge has no neighbour beyond it.
    assert np.abs(piece[2:-2, 2:-2].astype(int) - expected[2:-2, 2:-2]).max() <= 5
