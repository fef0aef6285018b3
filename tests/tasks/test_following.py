"""Faces followed on pictures: drawn ones, whose places are known."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.flow_tracker import moved
from tasks.follow_faces import follow_faces
from tasks.following import Neighbours, Wanted, follow_through, looks_again, stretches_of, wanted_in
from tasks.linkers.assignment import Assignment
from tasks.manifests import SegmentFaces, Shots, Video
from tasks.matching import intersection_over_union
from tasks.plan import FindFaces, FollowFaces
from tasks.results import ObjectStore
from tasks.tracks import Shot
from tasks.trails import Start, Trail, trails_from_bytes, trails_to_bytes
from tasks.video.probe import probe_file
from tests.clips import Actor, Bar, Pose, Script, draw_clip
from tests.clips import Shot as DrawnShot
from tests.fakes import found, square
from tests.tasks.scenes import scene

SIZE = (480, 270)


def pictures(places) -> list[tuple[np.ndarray, np.ndarray]]:
    """Grey pictures of a face of a width at each place (x, y, width), and its boxes."""
    drawn = [scene("hopper", width, SIZE, (x, y)) for x, y, width in places]
    return [(picture.mean(2).astype(np.uint8), np.array([box.left, box.top, box.right, box.bottom], np.float32)) for picture, box in drawn]


STEPS = [
    ((240, 130, 60), True),  # where it was
    ((246, 133, 60), True),
    ((254, 118, 60), True),  # by a quarter of its width
    ((241, 130, 62), True),  # nearer
    ((240, 130, 57), True),  # further away
    ((300, 130, 60), False),  # a width away: no face moves so far in a frame
]


@pytest.mark.parametrize(("place", "is_followed"), STEPS)
def test_a_step(place, is_followed) -> None:
    (before, box), (after, true) = pictures([(240, 130, 60), place])
    reached = moved(before, after, box)
    if is_followed:
        assert reached is not None
        assert intersection_over_union(reached[None], true[None])[0, 0] > 0.88
    else:
        assert reached is None or intersection_over_union(reached[None], true[None])[0, 0] < 0.5


def test_what_is_not_there_any_more_is_lost() -> None:
    ((before, box),) = pictures([(240, 130, 60)])
    noise = np.random.default_rng(0).integers(0, 255, before.shape).astype(np.uint8)
    assert moved(before, noise, box) is None
    assert moved(before, np.full_like(before, 90), box) is None
    assert moved(before, before, np.array([-300, 10, -200, 90], np.float32)) is None, "outside of the picture"


def frames_of(places):
    drawn = pictures(places)
    for number, (picture, _) in enumerate(drawn):
        yield number, av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, 2), "bgr24")


def nobody(*_) -> np.ndarray:
    return np.zeros((0, 4), np.float32)


PATHS = {
    "onwards": ([(100 + 6 * n, 130, 60) for n in range(20)], 0, 19),
    "back": ([(100 + 6 * n, 130, 60) for n in range(20)], 19, 0),
    "no further than wanted": ([(100 + 6 * n, 130, 60) for n in range(20)], 2, 9),
}


@pytest.mark.parametrize(("places", "start", "until"), PATHS.values(), ids=PATHS.keys())
def test_a_face_is_followed_both_ways(places, start, until) -> None:
    boxes = np.stack([box for _, box in pictures(places)])
    direction = 1 if until > start else -1
    (trail,) = follow_through(frames_of(places), [Wanted(Start.of(start, direction, boxes[start]), until, 0)], nobody)
    true = boxes[start + direction : until + direction : direction] if until else boxes[start - 1 :: -1]
    assert len(trail.boxes) == abs(until - start)
    assert np.diag(intersection_over_union(trail.boxes, true)).min() > 0.8


def test_a_face_is_followed_to_the_edge_of_the_picture() -> None:
    places = [(100 - 6 * n, 130, 60) for n in range(30)]  # its middle is at the edge at frame 17, and it is gone at frame 22
    boxes = np.stack([box for _, box in pictures(places)])
    (trail,) = follow_through(frames_of(places), [Wanted(Start.of(0, 1, boxes[0]), 29, 0)], nobody)
    assert 15 <= len(trail.boxes) <= 22


@pytest.mark.parametrize("left", [0, 60])  # pixels by which the other face reaches further: what is followed is a part of it, if any
def test_nobody_is_taken_for_somebody_else(left) -> None:
    """Where another face is known to be, a trail ends: it would go on with that one."""
    places = [(100 + 6 * n, 130, 60) for n in range(20)]
    boxes = np.stack([box for _, box in pictures(places)])
    wider = np.array([left, 0, 0, 0], np.float32)
    (trail,) = follow_through(
        frames_of(places), [Wanted(Start.of(0, 1, boxes[0]), 19, 0)], lambda _, frame: boxes[[frame]] - wider if frame >= 8 else nobody()
    )
    assert len(trail.boxes) == 7


SHOT = Shot(first=10, last=89, visible_first=10, visible_last=99)


def wanted(script, most_frames: int = 30) -> list[tuple[int, int]]:
    detections = found(script)
    return [(each.start.frame, each.until) for each in wanted_in(detections, Assignment().chains(detections), SHOT, most_frames, 8)]


WANTED = [
    (range(20, 41, 4), [(20, 10), (40, 70)]),  # as far as wanted, or the shot begins
    (range(60, 81, 4), [(60, 30), (80, 89)]),  # a fade: up to its middle
    ((20, 40), [(20, 10), (20, 39), (40, 21), (40, 70)]),  # and into a long gap, from both sides
    (range(10, 90), []),  # seen from the first frame to the last
    (range(84, 90), [(84, 80)]),  # only in a fade, from frame 80 on: that may be the other picture's face
]


@pytest.mark.parametrize(("frames", "expected"), WANTED)
def test_what_is_followed(frames, expected) -> None:
    assert wanted({frame: [square(300, 100, 40)] for frame in frames}) == expected


def test_stretches_that_are_near_are_read_in_one_go() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    all_wanted = [Wanted(Start(10, 1, box), 20, 0), Wanted(Start(50, -1, box), 40, 0)]
    assert stretches_of(all_wanted, 12) == [(10, 20), (40, 50)]
    assert stretches_of(all_wanted, 25) == [(10, 50)]


def test_long_gaps_are_looked_at_again_where_the_face_should_be() -> None:
    detections = found({0: [square(100, 100, 40)], 20: [square(120, 100, 40)], 24: [square(120, 100, 40)]})
    chains = Assignment().chains(detections)
    looks = list(looks_again(detections, chains, Neighbours(detections, chains), 8, 5))
    assert [look.frame for look in looks] == [5, 10, 15]
    assert [float(look.near[0]) for look in looks if look.near is not None] == [85, 90, 95]


def test_trails_are_kept() -> None:
    trails = [Trail(Start.of(3, -1, np.array([1, 2, 3.5, 4])), np.ones((2, 4), np.float32)), Trail(Start(9, 1, (0, 0, 1, 1)), nobody())]
    kept = trails_from_bytes(trails_to_bytes(trails))
    assert [each.start for each in kept] == [each.start for each in trails]
    assert [each.boxes.tolist() for each in kept] == [each.boxes.tolist() for each in trails]
    assert trails_from_bytes(trails_to_bytes([])) == []


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Collins walks to the right, and out of the picture; a post hides her for a moment."""
    path = tmp_path_factory.mktemp("walk") / "walk.mp4"
    way = Actor("collins", (Pose(0, 0.15, 0.42, 0.12), Pose(2.4, 1.2, 0.42, 0.12)), sway=0)
    truth = draw_clip(Script((DrawnShot(2.4, 6, (way, Bar(0.42, 0.05))),)), path, size=SIZE, frame_rate=Fraction(25), audio=False)
    return path, truth


@pytest.mark.parametrize("again_every_frames", [0, 3])
def test_the_stage(walk, again_every_frames, tmp_path, monkeypatch) -> None:
    """The face was seen in frames 1 to 25, but not from 6 to 20, and then no more: between and after them it is found again."""
    path, truth = walk
    monkeypatch.setenv("VEIL_RESULTS", str(tmp_path))
    store = ObjectStore()
    info, index = probe_file(path)
    boxes = {frame: faces[0].full_box for frame, faces in enumerate(truth.faces) if faces}
    faces = SegmentFaces(
        detections_ref=store.put("detections", found({frame: [boxes[frame]] for frame in (1, 5, 21, 25)}).to_bytes()),
        num_looks=4,
        num_frames=60,
    )
    shots = Shots(shots=(Shot(first=0, last=59, visible_first=0, visible_last=59),))
    video = Video(info=info, index_ref=store.put("index", index.to_bytes()))
    settings = FollowFaces(again_every_frames=again_every_frames)
    followed = follow_faces.fn(str(path), video, shots, faces, Assignment(), FindFaces(), settings)
    ways = {(trail.start.frame, trail.start.direction): trail.boxes for trail in followed.trails}
    assert ways.keys() == {(1, -1), (5, 1), (21, -1), (25, 1)}
    assert len(ways[1, -1]) == 1, "to the first frame"
    for (start, direction), reached in ways.items():
        for number, box in enumerate(reached, 1):
            true = boxes[start + direction * number]
            assert abs((box[0] + box[2] - true.left - true.right) / 2) < 0.5 * true.width, "the post holds it back a little"
    assert bool(followed.found) == bool(again_every_frames)
    if followed.found:
        again = followed.found.detections
        assert len(again) >= 3
        for frame, box in zip(again.frames, again.boxes, strict=True):
            true = boxes[int(frame)]
            assert intersection_over_union(box[None], np.array([[true.left, true.top, true.right, true.bottom]], np.float32))[0, 0] > 0.4
