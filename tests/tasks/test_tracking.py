"""Chains to tracks: filled in, led in and out, steadied, and never less than what was seen."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.interpolators.scipy_family import CubicSpline, Linear, Nearest, Pchip, Polynomial
from tasks.linkers.assignment import Assignment
from tasks.plan import Ways
from tasks.smoothers.filters import MovingAverage, NoSmoothing, SavitzkyGolay
from tasks.smoothers.kalman import Kalman
from tasks.smoothers.sequence_model import SequenceModel
from tasks.smoothers.spline import Spline
from tasks.tracking import NO_TRAILS, Extension, tracks_of_shot
from tasks.tracks import Shot
from tasks.trails import Start
from tests.fakes import FaceBox, FaceScript, Seen, found, square

EXTENSION = Extension(lead_frames=6, leaving_frames=25, most_unseen_frames=12, width=640, height=360)
SHOT = Shot(first=0, last=99, visible_first=0, visible_last=99)
INTERPOLATORS = [Pchip(), Linear(), Nearest(), CubicSpline(), Polynomial()]
SMOOTHERS = [MovingAverage(), SavitzkyGolay(), Kalman(), Spline(), SequenceModel(), NoSmoothing()]


def tracks(script: FaceScript, shot=SHOT, extension=EXTENSION, interpolator=INTERPOLATORS[0], smoother=SMOOTHERS[0], trails=NO_TRAILS):
    return tracks_of_shot(found(script), shot, extension, Ways(Assignment(), interpolator, smoother), trails)


def one_track(script: FaceScript, **others):
    (track,) = tracks(script, **others)
    return track


def still_face(first: int, last: int, box=square(300, 180, 40)) -> FaceScript:  # noqa: B008
    return {frame: [box] for frame in range(first, last + 1, 4)}


LEADS = [
    (still_face(40, 60), SHOT, (34, 66)),  # a lead on both sides
    (still_face(4, 96), SHOT, (0, 99)),  # cut short by the video's ends
    (still_face(40, 60), Shot(first=38, last=62, visible_first=38, visible_last=62), (38, 62)),  # by cuts
    (still_face(40, 60), Shot(first=38, last=62, visible_first=33, visible_last=65), (33, 65)),  # a fade: as far as the shot is visible
    (still_face(0, 60), Shot(first=0, last=60, visible_first=0, visible_last=95), (0, 95)),  # and however long it is
    (still_face(50, 50), SHOT, (38, 62)),  # a single look: until the look before it and after it, one of twelve, it may have been there
    ({40: [square(300, 180, 40)], 50: [square(300, 180, 40)]}, SHOT, (30, 60)),  # two of them, ten frames apart
]


@pytest.mark.parametrize(("script", "shot", "expected"), LEADS)
def test_a_track_begins_before_and_ends_after_what_was_seen(script, shot, expected) -> None:
    track = one_track(script, shot=shot)
    assert (track.first, track.last) == expected
    assert np.array_equal(track.frames, np.arange(expected[0], expected[1] + 1))
    assert set(track.frames[track.seen > 0].tolist()) == set(script)
    assert track.frames[track.best] in script


def test_without_a_lead_a_track_is_what_was_seen() -> None:
    track = one_track(still_face(40, 60), extension=Extension(0, 0, 0, 640, 360))
    assert (track.first, track.last) == (40, 60)


# Speeds of a face of 40 pixels that stands near the middle of an edge at frame 40, going out; its size is what it moves in 10 frames.
LEAVING = {
    "left": (square(20, 180, 40), (-4, 0)),
    "right": (square(620, 180, 40), (4, 0)),
    "top": (square(300, 20, 40), (0, -4)),
    "bottom": (square(300, 340, 40), (0, 4)),
}


@pytest.mark.parametrize(("box", "speed"), LEAVING.values(), ids=LEAVING.keys())
def test_a_face_that_leaves_is_covered_until_it_is_gone(box, speed) -> None:
    def at(frame: int) -> FaceBox:
        x, y = speed[0] * (frame - 40), speed[1] * (frame - 40)
        return FaceBox(box.left + x, box.top + y, box.right + x, box.bottom + y)

    out = one_track({frame: [at(frame)] for frame in range(20, 41, 4)})
    back = one_track({frame: [at(80 - frame)] for frame in range(40, 61, 4)})
    # From frame 40 on it is 20 pixels from gone on each side of its centre, at 4 pixels a frame: in the picture until frame 49.
    assert out.last >= 49
    assert back.first <= 31
    assert out.last - 40 <= EXTENSION.leaving_frames
    for frame in range(41, 50):
        left, top, right, bottom = out.boxes[frame - out.first]
        true = at(frame)
        assert left <= true.left + 1
        assert top <= true.top + 1
        assert right >= true.right - 1
        assert bottom >= true.bottom - 1


def trail(frame: int, direction: int, boxes) -> dict[Start, np.ndarray]:
    """A trail from where the still face was seen at a frame."""
    sides = np.array([(box.left, box.top, box.right, box.bottom) for box in boxes], np.float32)
    return {Start.of(frame, direction, np.array([280, 160, 320, 200], np.float32)): sides}


def test_a_track_goes_on_where_its_face_was_followed() -> None:
    onwards = trail(60, 1, [square(300 + 2 * n, 180, 40) for n in range(1, 11)])
    back = trail(40, -1, [square(300, 180 - n, 40) for n in range(1, 6)])
    track = one_track(still_face(40, 60), trails=onwards | back | trail(52, 1, [square(300, 180, 40)] * 3 + [square(0, 0, 9)] * 9))
    assert (track.first, track.last) == (35 - 6, 70 + 6), "and a lead beyond that"
    assert (track.first_seen, track.last_seen) == (40, 60)
    assert abs(track.box_at(70).left + track.box_at(70).right - 640) < 4
    assert track.box_at(58).left == pytest.approx(280), "no further than to where it was seen"
    assert track.box_at(76).left + track.box_at(76).right > 645, "it goes on as it was followed"


def test_a_face_that_was_followed_into_a_gap_is_covered_there() -> None:
    """Followed from both sides it goes up and comes down again; the straight way between its two looks does not."""
    up = [square(300, 180 - 3 * min(n, 30 - n), 40) for n in range(31)]
    script = {0: [up[0]], 30: [up[30]]}
    track = one_track(script, trails=trail(0, 1, up[1:18]) | trail(30, -1, up[13:30][::-1]))
    assert [track.box_at(n).top <= up[n].top for n in range(31)] == [True] * 31
    assert [track.box_at(n).bottom >= up[n].bottom for n in range(31)] == [True] * 31
    assert one_track(script).box_at(15).top > up[15].top


def test_where_doubt_grows_the_cover_grows() -> None:
    script = {0: [square(300, 180, 40)], 40: [square(300, 180, 40)]}
    widths = [one_track(script).box_at(frame).width for frame in (0, 6, 12, 20, 28, 34, 40)]
    assert widths == pytest.approx([40, 40, 49.6, 60, 49.6, 40, 40], abs=1)
    followed = one_track(script, trails=trail(0, 1, [square(300, 180, 40)] * 39))
    assert 40 < followed.box_at(20).width < widths[3], "less where it was followed"


def test_a_face_that_moves_inwards_has_only_a_lead() -> None:
    script = {frame: [square(20 + 4 * (frame - 40), 180, 40)] for frame in range(40, 61, 4)}
    assert one_track(script).last == 66


@pytest.mark.parametrize("interpolator", INTERPOLATORS, ids=str)
@pytest.mark.parametrize("smoother", SMOOTHERS, ids=str)
def test_smoothing_never_uncovers(interpolator, smoother) -> None:
    for seed in range(12):
        random = np.random.default_rng(seed)
        frames = np.unique(random.integers(0, 100, 14))
        places = np.array([320, 180]) + np.cumsum(random.normal(0, 9, (len(frames), 2)), axis=0)
        script = {int(frame): [square(x, y, random.uniform(30, 60))] for frame, (x, y) in zip(frames, places, strict=True)}
        raw, smooth = (
            tracks(script, interpolator=interpolator, smoother=NoSmoothing()),
            tracks(script, interpolator=interpolator, smoother=smoother),
        )
        for one, other in zip(raw, smooth, strict=True):
            assert np.array_equal(one.frames, other.frames)
            assert np.all(other.boxes[:, :2] <= one.boxes[:, :2])
            assert np.all(other.boxes[:, 2:] >= one.boxes[:, 2:])
        for frame, (seen,) in script.items():
            assert any(
                track.first <= frame <= track.last
                and np.all(
                    track.boxes[frame - track.first] * [1, 1, -1, -1] <= np.array([seen.left, seen.top, -seen.right, -seen.bottom]) + 1e-3
                )
                for track in smooth
            ), "what was seen is covered"


@pytest.mark.parametrize("interpolator", [*INTERPOLATORS, Polynomial(degree=5)], ids=str)
def test_what_is_filled_in_stays_in_the_picture(interpolator) -> None:
    """A face that stops short at the picture's corner, and is nearer for a moment: splines swing beyond both."""
    looks = {0: (40, 34, 36), 10: (20, 20, 30), 11: (20, 20, 30), 20: (22, 21, 36), 21: (20, 20, 30), 40: (20, 20, 30)}
    track = one_track({frame: [square(*each)] for frame, each in looks.items()}, interpolator=interpolator, smoother=NoSmoothing())
    assert (track.boxes[:, 2:] - track.boxes[:, :2]).min() >= 29.9
    assert track.boxes[:, :2].min() >= -25, "at the edge boxes reach half a face beyond it"


def test_a_jerk_is_smoothed() -> None:
    """The thesis's smoothing changed nothing; here the side that a jerk jumps over is covered before and after it."""
    script = {frame: [square(300 if frame < 50 else 310, 180, 40)] for frame in range(100)}
    track = one_track(script)
    assert track.boxes[49, 2] > 320
    assert track.boxes[50, 0] < 290


EDGES = [
    (FaceBox(0, 150, 40, 190), [-20, 150, 40, 190]),  # at the left: half a face beyond it
    (FaceBox(600, 150, 640, 190), [600, 150, 660, 190]),
    (FaceBox(300, 0, 340, 40), [300, -20, 340, 40]),
    (FaceBox(300, 320, 340, 360), [300, 320, 340, 380]),
    (FaceBox(1, 1, 41, 41), [-20, -20, 41, 41]),  # nearly at it, and in a corner
    (FaceBox(4, 150, 44, 190), [4, 150, 44, 190]),  # not at it
]


@pytest.mark.parametrize(("box", "expected"), EDGES)
def test_boxes_at_the_edge_reach_beyond_it(box, expected) -> None:
    track = one_track({0: [box], 4: [box]}, extension=Extension(0, 0, 0, 640, 360))
    assert np.allclose(track.boxes, expected)


def test_faces_are_joined_within_their_shot_alone() -> None:
    script = still_face(0, 96)
    cut = [Shot(first=a, last=b, visible_first=a, visible_last=b) for a, b in ((0, 49), (50, 99))]
    assert [[(track.first, track.last) for track in tracks(script, shot=shot)] for shot in cut] == [[(0, 49)], [(50, 99)]]
    assert tracks({}) == []


def test_the_better_looks_say_who_it_is() -> None:
    good, bad = (1.0, 0.0), (0.6, 0.4)
    faces = {0: (good, 0.9), 4: (good, 0.6), 8: (bad, 0.1), 12: (bad, 0.2)}
    track = one_track({frame: [Seen(square(300, 180, 40), 0.9, *each)] for frame, each in faces.items()})
    assert np.allclose(track.embedding, good)
    assert (track.frames[track.best], track.quality) == (0, pytest.approx(0.9))
    assert np.isnan(one_track(still_face(0, 8)).embedding).all()
