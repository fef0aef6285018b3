"""Which frames are looked at, and where."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tasks.samplers.dynamic import Dynamic
from tasks.samplers.dynamic_thesis import DynamicThesis
from tasks.samplers.every_frame import EveryFrame
from tasks.samplers.looks import Look, Stretch, face_near
from tests.fakes import FaceScript, Seen, found, square

SAMPLERS = [Dynamic(), Dynamic(widest_frames=1), Dynamic(widest_frames=64, narrowest_frames=1), DynamicThesis(), EveryFrame()]
NUM_FRAMES = 160
WIDTH, HEIGHT = 960, 540
STILL_GLANCES = np.full((NUM_FRAMES + 1, 27, 48), 90, np.uint8)


def drive(sampler, script: FaceScript, *, first=0, last=NUM_FRAMES - 1, window_frames=65, frame_rate=30.0, edges=(), glances=STILL_GLANCES):
    """All requests, with what they were told."""
    within = None if glances is None else glances[first : last + 1]
    looking = sampler.looks(Stretch(first, last, window_frames, frame_rate, WIDTH, HEIGHT, edges, within))
    requests = []
    request = next(looking)
    while True:
        answers = [answer(look, script) for look in request.looks]
        requests.append((request, answers))
        try:
            request = looking.send(answers)
        except StopIteration:
            return requests


def answer(look: Look, script: FaceScript):
    """What an ideal detector finds."""
    at_frame = found(script, [look.frame])
    return at_frame if look.near is None else at_frame[face_near(look, at_frame.boxes, at_frame.scores)]


def whole_looks(sampler, script: FaceScript, **place) -> list[Look]:
    return [look for request, _ in drive(sampler, script, **place) for look in request.looks if look.near is None]


def looked(sampler, script: FaceScript, **place) -> list[int]:
    """Frames whose whole picture is looked at."""
    return sorted(look.frame for look in whole_looks(sampler, script, **place))


def seen(script: FaceScript, sampler=None, **place) -> dict[int, list[float]]:
    """The faces' left edges that the looks find, by frame."""
    boxes: dict[int, list[float]] = {}
    for _, answers in drive(sampler or Dynamic(), script, **place):
        for each in answers:
            for frame, box in zip(each.frames.tolist(), each.boxes.tolist(), strict=True):
                boxes.setdefault(frame, []).append(box[0])
    return boxes


def present(first: int, last: int, size: float = 40, speed: float = 0, score: float = 0.9, x: float = 300) -> dict[int, list[Seen]]:
    return {frame: [Seen(square(x + speed * (frame - first), 200, size), score)] for frame in range(first, last + 1)}


SCRIPTS = {
    "nobody": {},
    "still": present(0, NUM_FRAMES),
    "moving": present(0, NUM_FRAMES, speed=2),
    "wild": {frame: [square(100 + 137 * (frame % 5), 100, 40)] for frame in range(NUM_FRAMES)},
    "a visit": present(37, 90),
    "flicker": {frame: [square(100, 100, 40)] for frame in range(0, NUM_FRAMES, 2)},
}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 4), (10, 26), (0, 63), (0, 64), (7, 159)])  # one frame; two; around a window
@pytest.mark.parametrize("window_frames", [2, 5, 17, 65])
def test_looks_are_inside_the_shot_and_within_the_window(sampler, script, first, last, window_frames) -> None:
    requests = [request for request, _ in drive(sampler, script, first=first, last=last, window_frames=window_frames)]
    asked = [look.frame for request in requests for look in request.looks]
    assert {first, last} <= set(asked) <= set(range(first, last + 1))
    for request in requests:
        assert len(request.looks) > 0
        assert all(request.keep_from <= look.frame < request.keep_from + window_frames for look in request.looks)
    assert all(a.keep_from <= b.keep_from for a, b in pairwise(requests)), "a frame that was let go does not come back"


def test_every_frame_is_every_frame() -> None:
    assert looked(EveryFrame(), SCRIPTS["wild"]) == list(range(NUM_FRAMES))


@pytest.mark.parametrize("speed", [0, 0.2])  # in pixels a frame, of a face of 40
def test_a_calm_face_takes_few_looks(speed) -> None:
    # The narrowest grid in the first window of 65 frames, the widest after it, and both ends.
    assert len(looked(Dynamic(), present(0, NUM_FRAMES, speed=speed))) <= 64 / 16 + (NUM_FRAMES - 64) / 24 + 2


def test_faces_of_a_long_shot_are_recognised_now_and_then() -> None:
    """At first always, for a short shot has few looks; at the end, where another shot may begin with the same face, as well."""
    settings = Dynamic(recognised_looks=3, recognise_every=4)
    looks = sorted(whole_looks(settings, SCRIPTS["still"]), key=lambda look: look.frame)
    assert len(looks) > 8
    assert [look.recognise for look in looks[:3]] == [True] * 3
    assert looks[-1].recognise
    rest = [look.recognise for look in looks[3:-1]]
    assert 0 < sum(rest) <= len(rest) / 4 + 1
    assert all(look.recognise for look in whole_looks(Dynamic(recognise_every=1), SCRIPTS["still"]))
    assert all(look.recognise for look in whole_looks(settings, {}, last=30)), "the looks of a short shot"


def test_a_calm_face_is_checked_between_looks() -> None:
    frames = sorted(seen(present(0, NUM_FRAMES)))
    assert max(b - a for a, b in pairwise(frames)) <= Dynamic().unchecked_frames


@pytest.mark.parametrize("edges", [(5,), (5, 100), (0, 159)])
def test_ends_of_fades_are_looked_at(edges) -> None:
    assert {0, 159, *edges} <= set(looked(Dynamic(), {}, edges=edges))


@pytest.mark.parametrize("speed", [0, 2, -3])
@pytest.mark.parametrize("first", [1, 7, 8, 33, 63, 64, 65, 100, 158])
def test_an_entry_is_found_to_the_frame(first, speed) -> None:
    assert first in seen(present(first, NUM_FRAMES, speed=speed))


@pytest.mark.parametrize("speed", [0, 2, -3])
@pytest.mark.parametrize("last", [0, 7, 8, 33, 63, 64, 65, 100, 158])
def test_an_exit_is_found_to_the_frame(last, speed) -> None:
    assert last in seen(present(0, last, speed=speed))


@pytest.mark.parametrize("frames_hidden", [range(17, 31), range(33, 40), range(60, 70)])
def test_a_face_that_is_hidden_for_a_while_is_found_until_then_and_from_then_on(frames_hidden) -> None:
    script = {frame: faces for frame, faces in present(0, NUM_FRAMES, speed=1).items() if frame not in frames_hidden}
    assert {frames_hidden.start - 1, frames_hidden.stop} <= seen(script).keys()


@pytest.mark.parametrize("first", range(0, NUM_FRAMES - 24, 5))
def test_a_visit_as_long_as_the_grid_is_never_missed(first) -> None:
    script = present(first, first + 23)
    assert {first, first + 23} <= seen(script).keys()


def glances_with(first: int, last: int, levels: int) -> np.ndarray:
    """Something of three by four cells, away from the face of `present`, that is lighter by so much."""
    glances = STILL_GLANCES.copy()
    glances[first : last + 1, 3:7, 30:33] += np.uint8(levels)
    return glances


@pytest.mark.parametrize(
    ("first", "last", "levels", "is_found"),
    [
        (70, 74, 60, True),  # short, and it shows
        (70, 70, 60, True),  # in one frame
        (70, 74, 5, False),  # less than noise and breathing
        (70, 74, 0, False),
    ],
)
def test_a_visit_between_two_looks_is_found_where_thumbnails_change(first, last, levels, is_found) -> None:
    script = present(0, NUM_FRAMES) | {frame: [Seen(square(300, 200, 40)), Seen(square(630, 100, 60))] for frame in range(first, last + 1)}
    boxes = seen(script, glances=glances_with(first, last, levels))
    assert any(600 in boxes.get(frame, []) for frame in range(first, last + 1)) == is_found
    if is_found:
        assert all(600 in boxes[frame] for frame in (first, last)), "and then followed to where it comes and goes"


def test_what_moves_a_little_is_no_change() -> None:
    """A bright thing moves on by a cell every ten frames: each look has seen something as bright near there."""
    glances = STILL_GLANCES.copy()
    for frame in range(NUM_FRAMES):
        glances[frame, 3:7, 8 + frame // 10 : 14 + frame // 10] = 200
    assert not any(look.reason == "change" for look in whole_looks(Dynamic(), {}, glances=glances))


def test_without_thumbnails_the_grid_is_narrow() -> None:
    frames = looked(Dynamic(), {}, glances=None)
    assert max(b - a for a, b in pairwise(frames)) <= 12


def test_a_weak_face_comes_and_goes_without_a_second_look() -> None:
    weak, strong = (drive(Dynamic(), present(37, 90, score=score)) for score in (0.4, 0.5))
    reasons = [{look.reason for request, _ in each for look in request.looks} for each in (weak, strong)]
    assert not reasons[0] & {"entry", "exit"}
    assert {"entry", "exit"} <= reasons[1]


@pytest.mark.parametrize("period_frames", [10, 14, 20])
def test_a_shaking_head_is_never_far_from_where_it_is_thought_to_be(period_frames) -> None:
    script = {f: [square(300 + 9 * np.sin(2 * np.pi * f / period_frames), 200, 40)] for f in range(NUM_FRAMES)}
    boxes = seen(script)
    frames = sorted(boxes)
    thought = np.interp(np.arange(NUM_FRAMES), frames, [boxes[frame][0] for frame in frames])
    true = [script[frame][0].left for frame in range(NUM_FRAMES)]
    assert np.abs(thought - true).max() <= 0.4 * 40


def test_a_face_that_is_quicker_than_looks_near_it_is_looked_for_everywhere() -> None:
    """It comes into view in the middle of the picture and crosses it, 1.2 of its widths a frame: no look near where it was can find it."""
    script = {40 + i: [square(300 + 48 * i, 200, 40)] for i in range(11)}
    boxes = seen(script | {48: script[48]}, edges=(48,))
    assert {40, 48} <= boxes.keys()


def test_another_face_near_by_is_not_taken_for_one_that_left() -> None:
    """One goes at frame 37, a face's width beside one that stays: where the looks near it end, it is the one that stays that is there."""
    stays = Seen(square(345, 200, 40))
    script = {frame: [stays, *([Seen(square(300, 200, 40))] if frame <= 37 else [])] for frame in range(NUM_FRAMES)}
    requests = drive(Dynamic(), script)
    exits = [
        (look, each) for request, answers in requests for look, each in zip(request.looks, answers, strict=True) if look.reason == "exit"
    ]
    assert exits
    assert all(each.boxes[:, 0].tolist() == ([280] if look.frame <= 37 else []) for look, each in exits if look.near is not None)


def test_few_frames_a_second_are_looked_at_more_closely() -> None:
    assert looked(Dynamic(widest_seconds=0.5), {}, last=20, frame_rate=4) == list(range(0, 21, 2))


def test_size_does_not_matter() -> None:
    small, large = ({f: [square(100 + 9 * s + s * f / 40, 100 + s, s)] for f in range(NUM_FRAMES)} for s in (20, 40))
    assert looked(Dynamic(), small) == looked(Dynamic(), large)


# the thesis's scheme


def test_the_thesis_looks_at_all_between_two_looks_that_disagree() -> None:
    frames = looked(DynamicThesis(interval_frames=10), present(37, NUM_FRAMES))
    assert set(range(30, 41)) <= set(frames)
    assert [frame for frame in frames if frame < 60] == [0, 10, 20, *range(30, 41), 50]
    assert looked(DynamicThesis(interval_frames=10), {}, last=40) == [0, 10, 20, 30, 40]


def test_the_thesis_takes_three_intervals_of_a_short_shot() -> None:
    assert looked(DynamicThesis(interval_frames=10), {}, last=11) == [0, 4, 8, 11]


# looks near a place

NEAR = np.array([100, 100, 140, 140], np.float32)
PLACES = [
    ([(100, 100, 140, 140)], 0.5, [], [0]),
    ([], 0.5, [], []),
    ([(118, 100, 158, 140)], 0.5, [], [0]),  # 0.45 of its width away
    ([(122, 100, 162, 140)], 0.5, [], []),  # 0.55: out of reach
    ([(122, 100, 162, 140)], 1.0, [], [0]),
    ([(110, 100, 150, 140), (98, 100, 138, 140)], 1.0, [], [1]),  # the nearer one
    ([(70, 70, 170, 170)], 1.0, [], []),  # two and a half times as large
    ([(122, 100, 162, 140)], 1.0, [(125, 100, 165, 140)], []),  # it is where another one should be
    ([(105, 100, 145, 140)], 1.0, [(125, 100, 165, 140)], [0]),
]


@pytest.mark.parametrize(("boxes", "reach", "others", "rows"), PLACES)
def test_which_face_a_look_near_a_place_means(boxes, reach, others, rows) -> None:
    look = Look(0, "check", NEAR, reach, np.array(others, np.float32).reshape(-1, 4))
    faces = np.array(boxes, np.float32).reshape(-1, 4)
    assert face_near(look, faces, np.full(len(faces), 0.8, np.float32)).tolist() == rows
