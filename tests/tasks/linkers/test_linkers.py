"""Detections to chains."""

from __future__ import annotations

import numpy as np
import pytest

from tasks.linkers.assignment import Assignment
from tasks.linkers.iou import Iou
from tasks.linkers.joining import Likeness, untangled
from tasks.linkers.thesis import Thesis
from tests.fakes import NO_EMBEDDING, FaceScript, Seen, found, square

LINKERS = [
    Assignment(),
    Assignment(appearance_weight=0),
    Assignment(start_score=0),
    Assignment(max_gap_frames=1),
    Iou(),
    Thesis(),
    Thesis(distance="scale_free"),
]
ANNA, BERT = (0.0, 0.0), (1.0, 0.0)


def crossing(step: int = 4, embeddings=(ANNA, BERT), gap: float = 0) -> FaceScript:
    """Two faces of 40 pixels pass one another; the one that is listed first changes in the middle."""
    script = {}
    for frame in range(0, 81, step):
        faces = [
            Seen(square(100 + 2 * frame, 100, 40), 0.9, embeddings[0]),
            Seen(square(260 - 2 * frame, 100 + gap, 40), 0.9, embeddings[1]),
        ]
        script[frame] = faces if frame < 40 else faces[::-1]
    return script


def random_script(seed: int) -> FaceScript:
    random = np.random.default_rng(seed)
    return {
        frame: [
            Seen(square(*random.uniform(0, 400, 2), random.uniform(10, 90)), random.uniform(0.3, 1), tuple(random.normal(size=2)))
            for _ in range(random.integers(0, 5))
        ]
        for frame in range(0, 90, 3)
    }


SCRIPTS = [{}, {0: []}, crossing(), *map(random_script, range(5))]


@pytest.mark.parametrize("linker", LINKERS, ids=str)
@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_chains_are_in_order_and_share_nothing(linker, script) -> None:
    detections = found(script)
    chains = linker.chains(detections)
    rows = [int(row) for chain in chains for row in chain]
    assert len(rows) == len(set(rows))
    for chain in chains:
        frames = detections.frames[chain]
        assert len(chain) > 0
        assert np.all(np.diff(frames) > 0), "in order of frame, none twice"
    strong = np.flatnonzero(detections.scores >= getattr(linker, "start_score", 0))
    assert set(strong.tolist()) <= set(rows), "no sure face is lost"


def test_chains_are_in_order_of_first_frame() -> None:
    """The second face is sure later than the first, but is there before it."""
    first = {frame: [Seen(square(100, 100, 40))] for frame in range(10, 30, 2)}
    script = {frame: [*first.get(frame, []), Seen(square(300, 100, 40), 0.9 if frame >= 14 else 0.35)] for frame in range(0, 30, 2)}
    detections = found(script)
    firsts = [int(detections.frames[chain[0]]) for chain in Assignment().chains(detections)]
    assert firsts == sorted(firsts)


@pytest.mark.parametrize("embeddings", [(ANNA, BERT), (NO_EMBEDDING, NO_EMBEDDING)])  # motion alone is enough
@pytest.mark.parametrize("step", [1, 2, 4, 8])  # at any grid
@pytest.mark.parametrize("gap", [0, 15])  # at 0 they are in one place at frame 40, which is looked at
def test_crossing_faces_stay_who_they_are(embeddings, step, gap) -> None:
    detections = found(crossing(step, embeddings, gap))
    chains = Assignment().chains(detections)
    assert len(chains) == 2
    for chain in chains:
        across = detections.boxes[chain, 0]
        assert np.all(np.diff(across) > 0) or np.all(np.diff(across) < 0)


@pytest.mark.parametrize("linker", LINKERS[:3] + LINKERS[4:], ids=str)  # all that may look further back than a frame
def test_a_newcomer_listed_first_breaks_nothing(linker) -> None:
    """The thesis dropped the row indices of the assignment: whoever came was given the first track."""
    old = [square(100, 100, 40), square(200, 100, 40), square(300, 100, 40)]
    detections = found({0: old, 4: [square(20, 100, 40), *old], 8: [square(20, 100, 40), *old]})
    chains = linker.chains(detections)
    assert sorted(len(chain) for chain in chains) == [2, 3, 3, 3]
    for chain in chains:
        assert np.ptp(detections.boxes[chain, 0]) == 0


@pytest.mark.parametrize("size", [12, 50, 400])  # in the thesis the same move was 0.025 at 50 pixels and 1.6 at 400, threshold 1
@pytest.mark.parametrize(("share", "num_chains"), [(0.5, 1), (1.2, 1), (1.4, 2)])  # in face widths; the gate is 1.3
def test_how_far_a_face_may_move_goes_by_its_size(size, share, num_chains) -> None:
    detections = found({0: [square(1000, 1000, size)], 4: [square(1000 + share * size, 1000, size)]})
    assert len(Assignment().chains(detections)) == num_chains


THESIS = [  # half a width: the same move, whatever the face's size
    ("squared_pixels", 50, 1),  # a distance of 0.025
    ("squared_pixels", 400, 2),  # of 1.6, where 1.0 is allowed
    ("scale_free", 50, 1),
    ("scale_free", 400, 1),
]


@pytest.mark.parametrize(("distance", "size", "num_chains"), THESIS)
def test_the_thesis_allows_large_faces_less(distance, size, num_chains) -> None:
    detections = found({0: [square(1000, 1000, size)], 4: [square(1000 + size / 2, 1000, size)]})
    assert len(Thesis(distance=distance).chains(detections)) == num_chains


@pytest.mark.parametrize(("share", "num_chains"), [(0.5, 1), (0.6, 2)])  # moved by so much of its width: an IoU of 1/3 and of 1/4
def test_overlap_decides_alone(share, num_chains) -> None:
    detections = found({0: [square(1000, 1000, 40)], 4: [square(1000 + share * 40, 1000, 40)]})
    assert len(Iou().chains(detections)) == num_chains


def test_a_face_that_moves_steadily_may_move_far_between_two_looks() -> None:
    script = {frame: [square(100 + 6 * frame, 100, 40)] for frame in (0, 2, 4, 6, 20)}  # 84 pixels at the end: two widths
    assert len(Assignment(gate=1.3).chains(found(script))) == 1


@pytest.mark.parametrize(("gap_frames", "num_chains"), [(60, 1), (61, 2)])
def test_how_long_a_face_may_be_away(gap_frames, num_chains) -> None:
    script = {0: [square(100, 100, 40)], 30: [], gap_frames: [square(100, 100, 40)]}
    assert len(Assignment().chains(found(script))) == num_chains


SCORES = [
    ([0.9, 0.4, 0.4, 0.9], [[0, 1, 2, 3]]),  # weak in between
    ([0.9, 0.9, 0.4, 0.35], [[0, 1, 2, 3]]),  # weak at the end
    ([0.35, 0.4, 0.9, 0.9], [[0, 1, 2, 3]]),  # weak at the beginning, looked at backwards
    ([0.4, 0.4, 0.4, 0.4], []),  # never sure: no face
    ([0.44, 0.45, 0.44, 0.44], [[0, 1, 2, 3]]),  # sure once
]


@pytest.mark.parametrize(("scores", "chains"), SCORES)
def test_weak_faces_continue_and_begin_earlier_but_do_not_start(scores, chains) -> None:
    detections = found({4 * number: [Seen(square(100 + number, 100, 40), score)] for number, score in enumerate(scores)})
    assert [chain.tolist() for chain in Assignment().chains(detections)] == chains


def test_a_sure_face_comes_before_a_weak_one() -> None:
    detections = found({0: [square(100, 100, 40)], 4: [Seen(square(101, 100, 40), 0.4), Seen(square(108, 100, 40), 0.9)]})
    (chain,) = Assignment().chains(detections)
    assert detections.scores[chain].tolist() == pytest.approx([0.9, 0.9])


def test_a_stranger_at_the_same_place_is_another_track() -> None:
    """Else somebody who takes a kept person's place would be taken for that person."""
    place = square(100, 100, 40)
    one_leaves = {frame: [Seen(place, 0.9, ANNA if frame < 40 else BERT)] for frame in range(0, 80, 8)}
    assert [len(chain) for chain in Assignment().chains(found(one_leaves))] == [5, 5]
    badly_seen = {frame: [Seen(place, 0.9, ANNA if frame < 40 else BERT, 0.1)] for frame in range(0, 80, 8)}
    assert [len(chain) for chain in Assignment().chains(found(badly_seen))] == [10]


def test_looks_decide_where_places_do_not() -> None:
    """Two faces of which the one steps back while the other comes: by place alone they would be exchanged."""
    script = {
        0: [Seen(square(100, 100, 40), 0.9, ANNA), Seen(square(140, 100, 40), 0.9, BERT)],
        8: [Seen(square(115, 100, 40), 0.9, BERT), Seen(square(150, 100, 40), 0.9, ANNA)],
    }
    detections = found(script)
    by_looks = Assignment(appearance_weight=2).chains(detections)
    assert all(np.ptp(detections.embeddings[chain, 0]) == 0 for chain in by_looks)
    by_place = Assignment(appearance_weight=0, other_face=9).chains(detections)
    assert any(np.ptp(detections.embeddings[chain, 0]) == 1 for chain in by_place)


def beside(score: float, frame: int = 20) -> FaceScript:
    """A still face, and in one frame in its stead a detection beside it."""
    script: dict[int, list] = {each: [Seen(square(100, 100, 40), 0.9)] for each in range(0, 44, 4)}
    return script | {frame: [Seen(square(135, 100, 40), score)]}


@pytest.mark.parametrize(("score", "lengths"), [(0.4, [10]), (0.6, [10, 1])])  # too weak to be a face at all; or one for itself
def test_a_false_detection_beside_a_face_does_not_pull_it(score, lengths) -> None:
    detections = found(beside(score))
    chains = Assignment().chains(detections)
    assert [len(chain) for chain in chains] == lengths
    assert np.ptp(detections.boxes[chains[0], 0]) == 0


def test_a_face_that_goes_aside_and_stays_is_followed() -> None:
    detections = found({frame: [square(100 if frame < 20 else 135, 100, 40)] for frame in range(0, 44, 4)})
    assert [len(chain) for chain in Assignment().chains(detections)] == [11]


def test_a_late_good_look_repairs_an_early_bad_one() -> None:
    """Two people meet, stand face by face where nobody is recognised, and part: by place alone either may have gone either way."""
    script = {}
    for frame in range(0, 84, 4):
        apart = 10 + 3 * max(0, abs(frame - 40) - 12)
        looked = frame % 8 == 0 and abs(frame - 40) > 20
        left, right = (ANNA, BERT) if frame < 40 else (BERT, ANNA)
        faces = [(square(200 - apart, 100, 40), left), (square(200 + apart, 100, 40), right)]
        script[frame] = [Seen(box, 0.9, who if looked else NO_EMBEDDING) for box, who in faces]
    detections = found(script)
    chains = Assignment().chains(detections)
    assert [len(chain) for chain in chains] == [21, 21]
    for chain in chains:
        assert np.nanmax(detections.embeddings[chain, 0]) == np.nanmin(detections.embeddings[chain, 0])


def test_a_track_that_shows_two_people_is_cut_where_they_change() -> None:
    """They are not unlike enough for single looks to tell them apart, but all looks together do."""
    looks = [ANNA] * 4 + [(0.62, 0.0)] * 4
    script = {8 * number: [Seen(square(100 + number, 100, 40), 0.9, look)] for number, look in enumerate(looks)}
    assert [chain.tolist() for chain in Assignment().chains(found(script))] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    turning = {8 * number: [Seen(square(100, 100, 40), 0.9, (0.1 * number, 0.0))] for number in range(8)}
    assert len(Assignment().chains(found(turning))) == 1, "a head that turns looks less and less like itself"


def test_a_track_in_which_somebody_comes_back_is_cut_twice() -> None:
    looks = [ANNA] * 20 + [(0.62, 0.0)] * 18 + [ANNA] * 20
    script = {8 * number: [Seen(square(100, 100, 40), 0.9, look)] for number, look in enumerate(looks)}
    assert [len(chain) for chain in Assignment().chains(found(script))] == [20, 18, 20]


@pytest.mark.parametrize("seed", [0, 6, 7, 14, 16])
def test_one_face_that_follows_another_is_never_seen_with_it(seed) -> None:
    """Both stand at one place, one a few frames after the other; one look of 16 frames tells who it is."""
    random = np.random.default_rng(seed)
    change, gap = int(random.integers(60, 76)), int(random.integers(2, 8))
    script: FaceScript = {}
    for frame in [*range(change - gap + 1), *range(change, 140)]:
        if frame % 16 == 0 or random.random() < 1 / 6:
            who = NO_EMBEDDING if frame % 16 else ANNA if frame < change else BERT
            x, y = np.array([100 + 0.5 * frame, 100]) + random.normal(0, 1.5, 2)
            script[frame] = [Seen(square(x, y, 100), 0.9, who)]
    detections = found(script)
    one, other = Assignment().chains(detections)
    assert detections.frames[one[-1]] < detections.frames[other[0]]
    assert len(one) + len(other) == len(script)


@pytest.mark.parametrize(("other", "num_chains"), [(ANNA, 1), (BERT, 2)])
def test_chains_that_show_one_person_in_turn_are_one(other, num_chains) -> None:
    """At one place, never in the same frame; unless they show two people."""
    detections = found({frame: [Seen(square(100, 100, 40), 0.9, other if frame % 2 else ANNA)] for frame in range(20)})
    in_turn = [np.arange(0, 20, 2), np.arange(1, 20, 2)]
    likeness = Likeness(0.6, 0.75, 0.5, 0.2, 0.8)
    assert len(untangled(in_turn, detections, likeness)) == num_chains
    beside = found({frame: [Seen(square(100 + 60 * (frame % 2), 100, 40), 0.9, ANNA)] for frame in range(20)})
    assert len(untangled(in_turn, beside, likeness)) == 2
