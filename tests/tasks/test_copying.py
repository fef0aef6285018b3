"""What has to be encoded: never less than every covered frame, and whole groups of pictures."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.copying import stretches_of
from tasks.segments import Segment
from tasks.tracks import Shot
from tasks.video.info import FrameIndex


def segment(first, last):
    return Segment(shots=(Shot(first=first, last=last, visible_first=first, visible_last=last),))


ONE, TWO = [segment(0, 29)], [segment(0, 14), segment(15, 29)]
TENS = [number // 10 for number in range(30)]


@pytest.mark.parametrize(
    ("segments", "groups", "covered", "copying", "expected"),
    [
        (ONE, TENS, [12], True, [[(10, 19)]]),
        (ONE, TENS, [12], False, [[(0, 29)]]),  # another container, say
        (ONE, TENS, [], True, [[]]),  # nobody is covered: nothing is encoded
        (ONE, TENS, [9, 20], True, [[(0, 9), (20, 29)]]),
        (ONE, [-1] * 30, [12], True, [[(0, 29)]]),  # no group can be copied
        (ONE, [0] * 10 + [-1] * 10 + [2] * 10, [], True, [[(10, 19)]]),
        (TWO, TENS, [12], True, [[(10, 14)], [(15, 19)]]),  # a group that two segments share, covered in the first
        (TWO, TENS, [17], True, [[(10, 14)], [(15, 19)]]),
        (TWO, TENS, [3], True, [[(0, 9)], []]),  # shared, and copied
        (ONE, list(range(30)), [3, 4, 9], True, [[(3, 4), (9, 9)]]),  # every frame a group: pictures in a folder
    ],
)
def test_what_is_encoded(segments, groups, covered, copying, expected):
    index = FrameIndex(np.arange(30), np.ones(30, bool), np.array(groups))
    found = stretches_of(segments, index, np.array(covered, np.int64), copying=copying)
    assert [[(stretch.first, stretch.last) for stretch in each] for each in found] == expected


@pytest.mark.parametrize(
    ("first", "stop", "groups"),
    [
        (0, 30, TENS),
        (0, 25, TENS[:20] + [-1] * 5),
        (0, 20, TENS[:20]),
        (5, 30, [-1] * 5 + TENS[10:]),
        (10, 30, TENS[10:]),
        (12, 17, [-1] * 5),
    ],
)
def test_a_group_that_is_cut_off_cannot_be_copied(first, stop, groups):
    index = FrameIndex(np.arange(30), np.ones(30, bool), np.array(TENS)).part(first, stop)
    assert index.groups.tolist() == groups
