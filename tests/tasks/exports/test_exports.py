"""What other programs are told."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest

from tasks.blurs.ways import NoBlur, Pixelate, Round, Solid, Square
from tasks.choosing import Ruling, cover_of, decisions_of
from tasks.exports.appearances import Told, appearances, told
from tasks.exports.matte import write_matte
from tasks.exports.sequences import write_sequences
from tasks.exports.table import write_appearances, write_boxes
from tasks.exports.timeline import write_timeline
from tasks.selectors.verdicts import Evidence, Verdict
from tasks.tracks import Cover
from tasks.video.info import FrameIndex
from tasks.video.parts import Part
from tests.fakes import frame_index, square, still, video_info

INFO = video_info()
LEFT, RIGHT = square(150, 180, 60), square(450, 180, 60)
# Anna is seen from frame 10 to 39, one second of which is kept; the other one is covered throughout.
ANNA = still(5, 44, LEFT, seen=[10, 20, 39], embedding=(0.25, 1.0), person=0)
OTHER = still(30, 59, RIGHT, person=1)
KEPT = (ANNA.frames >= 25) & (ANNA.frames < 50)
LOOKS_LIKE = Verdict("match", "anna", 0.31, "looks like anna", probability=0.98)


def known(info=INFO, index=None, tracks=(ANNA, OTHER), part=None, damaged=()) -> Told:
    index = index or frame_index(info)
    evidence = Evidence(tracks, {}, info, index, part, names={0: "Anna"})
    rulings = [Ruling(~KEPT, False, LOOKS_LIKE), Ruling(np.ones(30, np.bool_), True, Verdict("unsure", None, None, "who knows"))]
    cover = [cover_of(tracks, rulings, covered=True), Cover.of_whole_pictures(damaged, info.width, info.height)]
    return told("video.mp4", evidence, decisions_of(evidence, rulings), Cover.together(cover))


def nobody() -> Told:
    return told("video.mp4", Evidence([], {}, INFO, frame_index(INFO)), [], Cover.from_tracks([], []))


def test_appearances_are_what_was_seen_and_part_where_the_cover_changes() -> None:
    assert [(each.person, each.first, each.last, each.covered) for each in appearances(known())] == [
        (0, 10, 24, True),
        (0, 25, 39, False),
        (1, 30, 59, True),
    ]


def test_who_is_kept_is_covered_in_pictures_that_are_covered_whole() -> None:
    assert [(each.person, each.first, each.last, each.covered) for each in appearances(known(damaged=[(30, 32)]))] == [
        (0, 10, 24, True),
        (0, 25, 29, False),
        (0, 30, 32, True),
        (1, 30, 59, True),
        (0, 33, 39, False),
    ]


# Tables


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_an_appearance(tmp_path) -> None:
    write_appearances(known(), tmp_path / "a.csv")
    first, _, other = rows_of(tmp_path / "a.csv")
    assert first | {"quality": ""} == {
        "person": "0", "name": "Anna", "most_like": "anna", "track": "0", "decision": "blurred", "first_frame": "10", "last_frame": "24",
        "first_seconds": "0.4", "end_seconds": "1.0", "quality": "", "distance": "0.31", "probability": "0.98", "unsure": "False",
        "reason": "looks like anna",
    }  # fmt: skip
    assert (other["name"], other["distance"], other["unsure"]) == ("", "", "True")


def test_the_last_appearance_ends_with_the_video(tmp_path) -> None:
    info = video_info(num_frames=60, duration_seconds=2.5)  # the last frame stays
    write_appearances(known(info), tmp_path / "a.csv")
    assert rows_of(tmp_path / "a.csv")[-1]["end_seconds"] == "2.5"


def test_a_row_a_box(tmp_path) -> None:
    info = video_info(rotation_degrees=90)
    write_boxes(known(info), tmp_path / "b.csv")
    rows = rows_of(tmp_path / "b.csv")
    assert len(rows) == 40 + 30
    assert [int(row["frame"]) for row in rows] == sorted(int(row["frame"]) for row in rows)
    # The decoded picture, 640x360, is turned clockwise: what is 180 from its top is 180 from the right of the upright one.
    assert [rows[0][side] for side in ("frame", "seen", "left", "top", "right", "bottom")] == [
        "5",
        "0.0",
        "150.0",
        "120.0",
        "210.0",
        "180.0",
    ]
    assert [row["decision"] for row in rows if row["frame"] == "30"] == ["kept", "blurred"]


# Timeline

TIMECODES = [
    (INFO, 0),
    (video_info(timecode="01:00:00:00"), 90_000),  # an hour at 25 frames/s
    (video_info(timecode="01:00:00:00", frame_rate=Fraction(13)), 0),  # no rate for timecode
]


@pytest.mark.parametrize(("info", "zero"), TIMECODES)
def test_a_marker_an_appearance(info, zero, tmp_path) -> None:
    rate = int(info.frame_rate)
    write_timeline(known(info), "/films/video.mp4", tmp_path / "t.otio")
    timeline = otio.adapters.read_from_file(str(tmp_path / "t.otio"))

    (clip,) = timeline.find_clips()
    assert clip.media_reference.target_url == "/films/video.mp4"
    assert [(marker.name, marker.color) for marker in clip.markers] == [
        ("Anna: blurred", "RED"),
        ("Anna: kept", "GREEN"),
        ("person 1: blurred", "RED"),
    ]
    ranges = [(int(marker.marked_range.start_time.value), int(marker.marked_range.duration.value)) for marker in clip.markers]
    assert ranges == [(zero + 10, 15), (zero + 25, 15), (zero + 30, 30)]
    assert clip.source_range.start_time == otio.opentime.RationalTime(zero, rate)
    assert clip.markers[0].metadata["veil"]["reason"] == "looks like anna"


def test_markers_of_a_video_of_changing_rate_are_where_it_is_seen(tmp_path) -> None:
    """The first 20 frames last twice as long as the others."""
    pts = np.cumsum([0, *[1024] * 20, *[512] * 79])
    write_timeline(known(index=FrameIndex(pts, pts % 2 == 0, np.zeros(100, np.int64))), "v.mp4", tmp_path / "t.otio")
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "t.otio")).find_clips()
    assert clip.markers[0].marked_range.start_time.value == 20
    assert clip.markers[0].marked_range.duration.value == 10 * 2 + 5


# A part: of 200 frames, the second hundred, whose first one is at 4 s.

WHOLE = video_info(num_frames=200, duration_seconds=8.0)
WHOLE_INDEX = frame_index(WHOLE, first_pts=512)
PART = {"index": WHOLE_INDEX.part(100, 200), "part": Part(100, WHOLE_INDEX, 8.0)}


def test_a_part_is_told_of_in_the_times_of_the_whole(tmp_path) -> None:
    write_appearances(known(**PART), tmp_path / "a.csv")
    first, *_, last = rows_of(tmp_path / "a.csv")
    assert [first[head] for head in ("first_frame", "last_frame", "first_seconds", "end_seconds")] == ["110", "124", "4.4", "5.0"]
    assert last["end_seconds"] == "6.4"

    write_timeline(known(**PART), "video.mp4", tmp_path / "t.otio")
    (clip,) = otio.adapters.read_from_file(str(tmp_path / "t.otio")).find_clips()
    assert (clip.source_range.start_time.value, clip.source_range.duration.value) == (100, 100)
    assert (clip.available_range().start_time.value, clip.available_range().duration.value) == (0, 200)
    assert (clip.markers[0].marked_range.start_time.value, clip.markers[0].metadata["veil"]["first_frame"]) == (110, 110)


def test_a_matte_of_a_part_begins_as_the_parts_video_does(tmp_path) -> None:
    pictures, times = matte_of(known(**PART), Solid(), tmp_path / "m.mov")
    assert len(pictures) == 100
    assert times[:2] == [Fraction(512, 12800), Fraction(1024, 12800)]


# Matte


def matte_of(of: Told, blur, path: Path) -> tuple[list[np.ndarray], list[Fraction]]:
    write_matte(of, blur, path)
    with av.open(str(path)) as container:
        assert len(container.streams) == 1
        frames = list(container.decode(video=0))
    return [frame.to_ndarray(format="gray") for frame in frames], [frame.pts * frame.time_base for frame in frames]


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_a_matte_has_the_sources_frames_and_times(suffix, tmp_path) -> None:
    info = video_info(num_frames=60, duration_seconds=60 * 1001 / 24000, frame_rate=Fraction(24000, 1001), time_base=Fraction(1, 24000))
    pictures, times = matte_of(known(info), Solid(), tmp_path / f"m{suffix}")
    exact = [Fraction(1001 * number, 24000) for number in range(60)]
    assert times == (exact if suffix == ".mov" else [Fraction(int(time * 1000 + Fraction(1, 2)), 1000) for time in exact])
    assert pictures[0].shape == (360, 640)


BLURS = [Pixelate(), Round(), Solid(), Square(), NoBlur()]


@pytest.mark.parametrize("blur", BLURS, ids=lambda blur: blur.method)
def test_a_matte_is_white_where_a_face_is_covered(blur, tmp_path) -> None:
    pictures, _ = matte_of(known(), blur, tmp_path / "m.mkv")
    left, right = (slice(150, 210), slice(120, 180)), (slice(150, 210), slice(420, 480))
    assert not pictures[4].any()
    assert pictures[20][left].min() == 255
    assert not pictures[20][right].any()
    assert not pictures[30][left].any(), "she is kept then"
    assert pictures[30][right].min() == 255
    assert pictures[20].mean() < 255 * 0.1


@pytest.mark.parametrize(
    ("rotation_degrees", "mirrored", "row", "column"), [(90, False, 150, 180), (180, False, 180, 490), (0, True, 180, 490)]
)
def test_a_matte_is_upright(rotation_degrees, mirrored, row, column, tmp_path) -> None:
    """The face is 150 from the left and 180 from the top of the decoded picture, 640x360."""
    pictures, _ = matte_of(known(video_info(rotation_degrees=rotation_degrees, mirrored=mirrored)), Solid(), tmp_path / "m.mkv")
    rows, columns = np.nonzero(pictures[20] == 255)
    assert columns.mean() == pytest.approx(column, abs=12)  # a head is covered further up than down
    assert rows.mean() == pytest.approx(row, abs=12)


# Sequences


def test_sequences_are_as_the_thesis_has_them(tmp_path) -> None:
    write_sequences([ANNA, OTHER], tmp_path / "s.json")
    anna, other = json.loads((tmp_path / "s.json").read_text())
    assert len(anna) == 40
    assert anna[0] == {"bbox": [120, 150, 180, 210, 5], "feat": []}  # filled in
    assert anna[5] == {"bbox": [120, 150, 180, 210, 10], "feat": [0.25, 1.0]}
    assert {len(each["feat"]) for each in other} == {0}  # seen, but not known


def test_a_video_of_nobody(tmp_path) -> None:
    write_appearances(nobody(), tmp_path / "a.csv")
    write_timeline(nobody(), "v.mp4", tmp_path / "t.otio")
    write_sequences([], tmp_path / "s.json")
    pictures, _ = matte_of(nobody(), Pixelate(), tmp_path / "m.mkv")
    assert rows_of(tmp_path / "a.csv") == []
    assert json.loads((tmp_path / "s.json").read_text()) == []
    assert len(pictures) == 100
    assert not np.any(pictures)
