"""Transitions and shots."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tasks.shot_finders.content import Content
from tasks.shot_finders.dips import find_dips, sketched, with_dips
from tasks.shot_finders.none import OneShot
from tasks.shot_finders.transitions import Transition, shots_between
from tasks.shot_finders.transnetv2 import TransNetV2, TransNetV2Finder, find_transitions
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.thumbnails import thumbnail
from tests.clips import Clip

CONTEXT = 25


class CountingSession:
    """Notes which frames it is shown; a thumbnail is its frame's number."""

    def __init__(self) -> None:
        self.windows: list[np.ndarray] = []

    def run(self, _, feeds):
        numbers = feeds["frames"][0, :, 0, 0, 0].astype(int)
        self.windows.append(numbers)
        return np.zeros(len(numbers), np.float32), np.zeros(len(numbers), np.float32)


def windows_of(num_frames: int, window_frames: int) -> list[np.ndarray]:
    session = CountingSession()
    finder = TransNetV2Finder(TransNetV2(window_frames=window_frames, still=0), session)
    assert finder.transitions(np.full((1, 1, 1), number, np.uint16) for number in range(num_frames)) == []
    return session.windows


@pytest.mark.parametrize("window_frames", [60, 100, 300])
def test_windows_cover_every_frame_once_with_its_neighbours(window_frames) -> None:
    step = window_frames - 2 * CONTEXT
    near_borders = {k * step + d for k in range(1, 700 // step + 2) for d in (-26, -25, -24, -1, 0, 1, 24, 25, 26)}
    for num_frames in sorted({*range(1, 60), *(n for n in near_borders if 0 < n <= 700), 700}):
        windows = windows_of(num_frames, window_frames)
        middles = np.concatenate([window[CONTEXT:-CONTEXT] for window in windows])
        assert middles.tolist() == list(range(num_frames))
        for window in windows:
            assert len(window) <= window_frames
            expected = np.clip(np.arange(len(window)) + window[CONTEXT] - CONTEXT, 0, num_frames - 1)
            assert np.array_equal(window, expected), "the ends of the video repeat, and nothing else does"


def marked(num_frames: int, values: dict[int, float]) -> np.ndarray:
    array = np.zeros(num_frames, np.float32)
    for frame, value in values.items():
        array[frame] = value
    return array


def same(frames: range, value: float) -> dict[int, float]:
    return dict.fromkeys(frames, value)


# 40 frames: what each head marks, how much changes from the frame before, and what that is
MARKS = [
    ({}, {}, {}, []),
    ({19: 0.9}, {19: 0.9}, {20: 60}, [(20, 20)]),  # a cut: the last frame of the old shot is marked
    ({19: 0.9}, {}, {20: 60}, [(20, 20)]),  # the second head is silent
    ({20: 0.9}, {19: 0.9, 20: 0.9, 21: 0.9}, {20: 60}, [(20, 20)]),  # marked a frame late: the change itself says where
    ({22: 0.9}, same(range(18, 27), 0.9), same(range(19, 28), 8), [(18, 27)]),  # a fade, evenly
    ({22: 0.9}, same(range(18, 27), 0.9), same(range(19, 28), 2) | {23: 60}, [(23, 23)]),  # a cut among motion
    ({19: 0.5}, {19: 0.9}, {20: 60}, []),  # not above the threshold
    ({20: 0.2}, {19: 0.6, 20: 0.6}, {20: 100, 21: 100}, []),  # a flash: all changes, and back; the first head says no
    ({0: 0.9}, {0: 0.9}, {1: 60}, [(1, 1)]),  # at the very start
    ({0: 0.9}, same(range(6), 0.9), same(range(1, 7), 8), [(0, 6)]),  # begins within a fade
    ({38: 0.9}, {38: 0.9}, {39: 60}, [(39, 39)]),  # a last shot of one frame
    ({39: 0.9}, {39: 0.9}, {39: 5}, []),  # nothing comes after the last frame
    ({36: 0.9}, same(range(33, 40), 0.9), same(range(34, 40), 8), [(33, 39)]),  # ends within a fade
    ({9: 0.9, 29: 0.9}, {9: 0.9, 29: 0.9}, {10: 60, 30: 60}, [(10, 10), (30, 30)]),
    ({19: 0.9, 20: 0.9}, {19: 0.9, 20: 0.9}, {20: 60}, [(20, 20)]),  # marked twice
    ({21: 0.9, 24: 0.9}, same(range(18, 27), 0.9), same(range(19, 28), 8), [(18, 27)]),  # a fade marked twice is one
    pytest.param(
        *({19: 0.9, 23: 0.9}, same(range(19, 24), 0.9), {20: 60, 24: 60}, [(20, 20), (24, 24)]),
    ),
]


@pytest.mark.parametrize(("single", "many", "jumps", "expected"), MARKS)
def test_marks_to_transitions(single, many, jumps, expected) -> None:
    assert find_transitions(marked(40, single), marked(40, many), marked(40, jumps), 0.5) == [Transition(*each) for each in expected]


SHOTS = [
    ([], [(0, 99, 0, 99)]),
    ([(40, 40)], [(0, 39, 0, 39), (40, 99, 40, 99)]),  # a cut: nothing shows on the other side
    ([(40, 49)], [(0, 44, 0, 49), (45, 99, 40, 99)]),  # a fade is divided in its middle and shows in both
    ([(1, 1), (99, 99)], [(0, 0, 0, 0), (1, 98, 1, 98), (99, 99, 99, 99)]),  # shots of one frame
    ([(10, 10), (11, 11)], [(0, 9, 0, 9), (10, 10, 10, 10), (11, 99, 11, 99)]),
    ([(0, 0)], [(0, 99, 0, 99)]),  # no shot before the first frame
    ([(100, 100)], [(0, 99, 0, 99)]),  # nor after the last
    ([(90, 99)], [(0, 94, 0, 99), (95, 99, 90, 99)]),  # ends within a fade
    ([(20, 29), (30, 30)], [(0, 24, 0, 29), (25, 29, 20, 29), (30, 99, 30, 99)]),
]


@pytest.mark.parametrize(("transitions", "expected"), SHOTS)
def test_shots_between(transitions, expected) -> None:
    shots = shots_between([Transition(*each) for each in transitions], 100)
    assert [(shot.first, shot.last, shot.visible_first, shot.visible_last) for shot in shots] == expected


def test_every_frame_is_in_one_shot() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        edges = np.sort(random.choice(np.arange(110), 8, replace=False))
        transitions = [Transition(int(a), int(b if random.random() < 0.5 else a)) for a, b in edges.reshape(-1, 2)]
        shots = shots_between(transitions, 110)
        assert [frame for shot in shots for frame in range(shot.first, shot.last + 1)] == list(range(110))
        assert all(0 <= shot.visible_first <= shot.first <= shot.last <= shot.visible_last < 110 for shot in shots)


# all finders on the same clip

FINDERS = [TransNetV2(), Content(), OneShot()]


@cache
def thumbnails_of(clip: Clip, size: tuple[int, int]) -> list[np.ndarray]:
    info, index = probe_file(clip.video)
    return [thumbnail(frame, size) for _, frame in read_frames(clip.video, info, index, 0, len(index) - 1)]


@cache
def transitions_of(settings, clip: Clip) -> list[Transition]:
    finder = settings.load()
    return finder.transitions(iter(thumbnails_of(clip, finder.thumbnail_size) if any(finder.thumbnail_size) else []))


@pytest.mark.parametrize("settings", FINDERS, ids=lambda settings: settings.method)
def test_transitions_are_in_order_and_inside(settings, cut_clip) -> None:
    found = transitions_of(settings, cut_clip)
    assert all(0 < each.last < len(cut_clip.truth.faces) and each.first <= each.last for each in found)
    assert all(one.last < other.first for one, other in pairwise(found))


@pytest.mark.parametrize("settings", FINDERS[:2], ids=lambda settings: settings.method)
def test_cuts_are_found_to_the_frame(settings, cut_clip, two_people_clip) -> None:
    for clip in (cut_clip, two_people_clip):
        fades = [(gradual.first - 2, gradual.last + 2) for gradual in clip.truth.gradual]
        found = [each for each in transitions_of(settings, clip) if not any(a <= each.last and each.first <= b for a, b in fades)]
        assert [each.first for each in found if each.is_cut] == list(clip.truth.cuts)
        assert all(each.is_cut for each in found)


def test_fades_are_found_where_they_are(cut_clip) -> None:
    found = transitions_of(TransNetV2(), cut_clip)
    for gradual in cut_clip.truth.gradual:
        (one,) = [each for each in found if each.first <= gradual.last and gradual.first <= each.last]
        middle, true_middle = (one.first + one.last) / 2, (gradual.first + gradual.last) / 2
        assert abs(middle - true_middle) <= (gradual.last - gradual.first) / 2


def test_one_shot_is_one_shot(cut_clip) -> None:
    assert transitions_of(OneShot(), cut_clip) == []


def test_the_gate_changes_no_boundary(cut_clip) -> None:
    assert transitions_of(TransNetV2(), cut_clip) == transitions_of(TransNetV2(still=0), cut_clip)


def test_the_gate_spares_the_network_what_stands_still() -> None:
    finder = TransNetV2Finder(TransNetV2(), session=None)  # which would fail if it were asked
    random = np.random.default_rng(5)
    picture = random.integers(0, 255, (27, 48, 3)).astype(np.int16)
    noisy = (np.clip(picture + random.integers(-1, 2, picture.shape), 0, 255).astype(np.uint8) for _ in range(400))
    assert finder.transitions(noisy) == []


def test_the_gate_shows_the_network_little_more_than_what_is_around_a_jump() -> None:
    asked: list[int] = []

    class Session:
        def run(self, _, feeds):
            asked.append(feeds["frames"].shape[1])
            return np.zeros((2, asked[-1]), np.float32)

    random = np.random.default_rng(6)
    places = random.integers(0, 255, (2, 27, 48, 3), np.uint8)
    TransNetV2Finder(TransNetV2(), Session()).transitions(iter([places[0]] * 120 + [places[1]] * 120))
    assert len(asked) == 1
    assert 0 < asked[0] <= 2 * 16


def ramp(first: float, last: float, num_frames: int) -> list[float]:
    return np.linspace(first, last, num_frames + 2)[1:-1].tolist()


# brightness of a picture before, of another one after, frame by frame; and the fade through black that this is
DIPS = [
    ([1] * 20 + [1] * 20, [20], None),  # a cut
    ([1] * 20 + ramp(1, 0, 10) + ramp(0, 1, 10) + [1] * 20, [30], (20, 39)),
    ([1] * 20 + ramp(1, 0, 10) + [0] * 15 + ramp(0, 1, 10) + [1] * 20, [35], (20, 54)),  # black for a while
    ([1] * 20 + [2 / 3, 1 / 3, 1 / 3, 2 / 3] + [1] * 20, [22], (20, 23)),  # never quite black
    ([1] * 20 + ramp(1, 0, 10) + ramp(0, 1, 10) + [1] * 20, [], None),  # the same picture comes back: no other shot
    ([1] * 20 + [0.2] + [1] * 20, [20], None),  # one dark frame
    ([1] * 20 + ramp(1, 0.7, 10) + ramp(0.7, 1, 10) + [1] * 20, [30], None),  # not dark enough
    ([1] * 20 + ramp(1, 0, 10) + [0] * 20, [], None),  # to black, and nothing after it
]


@pytest.mark.parametrize(("brightness", "new_from", "expected"), DIPS)
def test_fades_through_black(brightness, new_from, expected) -> None:
    random = np.random.default_rng(8)
    places = random.integers(0, 255, (2, 3, 6, 1)).repeat(9, 1).repeat(8, 2).repeat(3, 3)
    shown = [places[int(bool(new_from) and frame >= new_from[0])] for frame in range(len(brightness))]
    pictures = np.array([(share * place).round() for share, place in zip(brightness, shown, strict=True)], np.uint8)
    assert find_dips(sketched(pictures)) == ([Transition(*expected)] if expected else [])


def test_a_fade_through_black_takes_the_place_of_its_parts() -> None:
    random = np.random.default_rng(8)
    places = random.integers(60, 255, (2, 1, 18)).astype(np.float32)
    levels = np.array([1] * 20 + ramp(1, 0, 10) + ramp(0, 1, 10) + [1] * 20)[:, None]
    sketches = levels * np.concatenate([places[0].repeat(30, 0), places[1].repeat(30, 0)])
    found = [Transition(5, 5), Transition(22, 26), Transition(31, 31), Transition(50, 55)]
    assert with_dips(found, sketches) == [Transition(5, 5), Transition(20, 39), Transition(50, 55)]


@pytest.mark.parametrize("frames_white", [1, 2, 3])
def test_a_flash_is_no_cut(frames_white, cut_clip) -> None:
    first_cut = cut_clip.truth.cuts[0]
    thumbnails = thumbnails_of(cut_clip, (48, 27))[: cut_clip.truth.cuts[1]]
    flashing = [np.full_like(each, 250) if 10 <= n - first_cut < 10 + frames_white else each for n, each in enumerate(thumbnails)]
    found = TransNetV2().load().transitions(iter(flashing))
    assert [each.first for each in found] == [first_cut]


@pytest.mark.parametrize("num_frames", [1, 2])
def test_the_shortest_videos(num_frames) -> None:
    for settings in FINDERS:
        finder = settings.load()
        width, height = finder.thumbnail_size
        assert finder.transitions(iter([np.full((height or 9, width or 9, 3), 90, np.uint8)] * num_frames)) == []
