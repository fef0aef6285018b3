"""Counting in timecode, against arithmetic on clocks."""

from __future__ import annotations

import doctest
from fractions import Fraction

import pytest

from tasks.video import timecode as module
from tasks.video.timecode import timecode_after

NTSC = Fraction(30000, 1001)

ROWS = [
    ("00:00:00:00", 0, Fraction(25), "00:00:00:00"),
    ("10:00:00:00", 25 * 61, Fraction(25), "10:01:01:00"),
    ("10:00:00:00", 24, Fraction(24000, 1001), "10:00:01:00"),  # counts frames, not seconds
    ("23:59:59:24", 1, Fraction(25), "00:00:00:00"),  # midnight
    ("00:00:59;29", 1, NTSC, "00:01:00;02"),  # 00 and 01 are no frames of a minute
    ("00:01:00;02", -1, NTSC, "00:00:59;29"),
    ("00:09:59;29", 1, NTSC, "00:10:00;00"),  # but of a tenth one
    ("00:01:59;29", 1, NTSC, "00:02:00;02"),
    ("00:00:00;00", 17982, NTSC, "00:10:00;00"),  # ten minutes of them
    ("00:00:00;00", 107892, NTSC, "01:00:00;00"),  # an hour
    ("00:00:59;59", 1, NTSC * 2, "00:01:00;04"),  # twice the rate, twice the numbers
]


@pytest.mark.parametrize(("start", "num_frames", "rate", "expected"), ROWS)
def test_so_many_frames_later(start, num_frames, rate, expected):
    assert timecode_after(start, num_frames, rate) == expected
    assert timecode_after(expected, -num_frames, rate) == start


def test_every_frame_of_a_day_has_a_number_of_its_own():
    """Eleven minutes one by one: no number twice, and none that is dropped."""
    numbers = [timecode_after("00:00:00;00", count, NTSC) for count in range(11 * 1800)]
    assert len(set(numbers)) == len(numbers)
    assert not [each for each in numbers if each[6:8] == "00" and each[9:] in ("00", "01") and each[4] != "0"]


def test_what_is_none():
    with pytest.raises(ValueError, match="is no timecode"):
        timecode_after("1:2:3", 1, NTSC)


def test_examples_in_docstrings():
    assert doctest.testmod(module).failed == 0
