"""The arithmetic of the benchmarks of detectors and recognisers."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.recognisers import equal_error
from tests.benchmarks.thesis import scores
from tests.benchmarks.turning import turned_scene


@pytest.mark.parametrize(
    ("same", "different", "expected", "error"),
    [
        ([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], 0.5, 0.0),  # apart: in the middle
        ([0.1, 0.2, 0.3, 0.8], [0.2, 0.7, 0.8, 0.9], 0.5, 0.25),  # one of four of each on the wrong side
        ([0.5] * 4, [0.5] * 4, 0.5, 0.0),  # the limit itself is on nobody's wrong side
    ],
)
def test_the_distance_that_divides(same, different, expected, error) -> None:
    threshold, found = equal_error(np.array(same), np.array(different))
    assert threshold == pytest.approx(expected)
    assert found == pytest.approx(error)


def test_the_table_of_the_thesis() -> None:
    # 8 of 10 hidden, 2 others hidden too, 20 left alone
    found = scores({"right_hidden": 8, "wrong_hidden": 2, "wrong_shown": 2, "right_shown": 20})
    assert found == pytest.approx({"accuracy": 28 / 32, "precision": 0.8, "recall": 0.8, "f1": 0.8})
    assert scores(dict.fromkeys(("right_hidden", "wrong_hidden", "wrong_shown", "right_shown"), 0))["f1"] == 0


def test_a_turned_face_is_narrower_and_to_the_side() -> None:
    boxes = [turned_scene("hopper", 100, (320, 320), yaw)[1] for yaw in (-60, 0, 60)]
    assert boxes[1].width == pytest.approx(100, abs=0.1)
    assert boxes[0].width == pytest.approx(boxes[2].width, abs=0.1)
    assert boxes[0].width < 75
    assert boxes[0].right < 160 + 50 < boxes[2].right  # it has moved to the side that it looks to
