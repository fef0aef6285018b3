"""Which frames are looked at."""

from __future__ import annotations

import pytest

from tasks.samplers.dynamic import Dynamic
from tasks.samplers.every_frame import EveryFrame
from tests.fakes import FaceScript, Seen, found, square

SAMPLERS = [Dynamic(), Dynamic(widest_frames=1), Dynamic(widest_frames=64, narrowest_frames=1), Dynamic(narrowest_frames=64), EveryFrame()]
NUM_FRAMES = 160
DYNAMIC = Dynamic(widest_frames=16, widest_seconds=10, sure_score=0.45, max_shift=0.2, max_deviation=0.1)  # whatever the defaults are


def drive(sampler, first: int, last: int, window_frames: int, script: FaceScript) -> list[list[int]]:
    """All that is asked for, time by time."""
    looks = sampler.looks(first, last, window_frames)
    asked = [next(looks)]
    while True:
        try:
            asked.append(looks.send(found(script, asked[-1])))
        except StopIteration:
            return asked


def looked(script: FaceScript, *, last: int = NUM_FRAMES - 1, sampler=DYNAMIC) -> list[int]:
    return sorted(frame for batch in drive(sampler, 0, last, 65, script) for frame in batch)


def present(first: int, last: int, size: float = 40, speed: float = 0, score: float = 0.9) -> dict[int, list[Seen]]:
    return {frame: [Seen(square(100 + speed * (frame - first), 100, size), score)] for frame in range(first, last + 1)}


SCRIPTS = {
    "nobody": {},
    "still": present(0, NUM_FRAMES),
    "moving": present(0, NUM_FRAMES, speed=2),
    "wild": {frame: [square(100 + 37 * (frame % 5), 100, 40)] for frame in range(NUM_FRAMES)},
    "a visit": present(37, 90),
    "flicker": {frame: [square(100, 100, 40)] for frame in range(0, NUM_FRAMES, 2)},
}


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
@pytest.mark.parametrize(("first", "last"), [(0, 0), (3, 4), (10, 26), (0, 63), (0, 64), (7, 159)])  # one frame; two; around a window
@pytest.mark.parametrize("window_frames", [5, 17, 65])
def test_looks_are_inside_the_shot_once_and_within_the_window(sampler, script, first, last, window_frames) -> None:
    batches = drive(sampler, first, last, window_frames, script)
    asked = [frame for batch in batches for frame in batch]
    assert len(asked) == len(set(asked))
    assert {first, last} <= set(asked) <= set(range(first, last + 1))
    read_to, kept_from = first - 1, first
    for batch in batches:
        assert batch == sorted(batch)
        if batch[0] > read_to:  # a later window: what was read before it is let go
            kept_from = read_to + 1
        assert batch[0] >= kept_from, "a frame that is no longer there"
        read_to = max(read_to, batch[-1])
        assert read_to - kept_from < window_frames


def test_every_frame_is_every_frame() -> None:
    assert looked(SCRIPTS["wild"], sampler=EveryFrame()) == list(range(NUM_FRAMES))


@pytest.mark.parametrize("speed", [0, 0.2])  # in pixels a frame, of a face of 40
def test_a_calm_face_takes_few_looks(speed) -> None:
    # Half the widest grid in the first window of 65 frames, the widest after it, and both ends.
    assert len(looked(present(0, NUM_FRAMES, speed=speed))) <= 64 / 8 + (NUM_FRAMES - 64) / 16 + 2


@pytest.mark.parametrize("first", [1, 7, 8, 33, 63, 64, 65, 100, 158])
def test_an_entry_is_found_to_the_frame(first) -> None:
    assert {first - 1, first} <= set(looked(present(first, NUM_FRAMES)))


@pytest.mark.parametrize("last", [0, 7, 8, 33, 63, 64, 65, 100, 158])
def test_an_exit_is_found_to_the_frame(last) -> None:
    assert {last, last + 1} <= set(looked(present(0, last)))


@pytest.mark.parametrize("first", range(0, NUM_FRAMES - 16, 5))
def test_a_visit_as_long_as_the_grid_is_never_missed(first) -> None:
    asked = set(looked(present(first, first + 15)))
    assert first in asked
    assert first + 15 in asked


@pytest.mark.parametrize(
    ("first", "last", "is_found"),
    [
        (1, 7, False),  # between two looks of the first grid, 8 frames apart
        (1, 8, True),
        (65, 79, False),  # of the second, 16 apart
        (65, 80, True),
        (79, 81, True),  # short, but a look falls into it
    ],
)
def test_a_visit_between_two_looks_is_not_found(first, last, is_found) -> None:
    asked = set(looked(present(first, last)))
    assert bool(asked & set(range(first, last + 1))) == is_found


def test_a_visit_between_two_looks_is_found_where_somebody_else_moves() -> None:
    other = {frame: [square(300 + 3 * frame, 200, 40)] for frame in range(NUM_FRAMES)}
    both = {frame: faces + [Seen(square(100, 100, 40))] * (3 <= frame <= 6) for frame, faces in other.items()}
    assert set(looked(both)) & set(range(3, 7))


def test_a_weak_face_comes_and_goes_without_a_second_look() -> None:
    weak = present(37, 90, score=0.4)
    assert looked(weak) == looked({})
    assert len(looked(present(37, 90, score=0.5))) > len(looked({}))


def test_a_large_move_is_looked_at_more_closely() -> None:
    # 16 frames at 1 pixel a frame are 0.4 widths of a face of 40 pixels, and 0.1 of one of 160.
    assert len(looked(present(0, NUM_FRAMES, size=40, speed=1))) > len(looked(present(0, NUM_FRAMES, size=160, speed=1)))


def test_a_turn_between_two_looks_is_found() -> None:
    """Both ways go from 100 to 110 in 8 frames; where the middle is not where it was expected, more is looked at."""
    straight = {frame: [square(100 + 1.25 * frame, 100, 40)] for frame in range(9)}
    out_and_back = {frame: [square(100 + (5 * frame if frame < 4 else 30 - 2.5 * frame), 100, 40)] for frame in range(9)}
    assert looked(straight, last=8) == [0, 4, 8]
    assert set(looked(out_and_back, last=8)) >= {0, 2, 4, 6, 8}


def test_few_frames_a_second_are_looked_at_more_closely() -> None:
    looks = Dynamic(widest_frames=12, widest_seconds=0.5).looks(0, 20, 65, frame_rate=4)
    assert next(looks) == list(range(21))


def test_size_does_not_matter() -> None:
    small, large = ({f: [square(9 * s + s * f / 40, 9 * s, s)] for f in range(NUM_FRAMES)} for s in (20, 400))
    assert looked(small) == looked(large)
