"""What doubt means."""

from __future__ import annotations

import pytest

from tasks.choosing import decisions_of, is_covered, verdicts_of
from tasks.selectors.verdicts import Evidence, Verdict
from tests.fakes import frame_index, still, video_info

TRUTH = [
    ("blur_everyone", "match", True),
    ("blur_everyone", "unsure", True),
    ("blur_everyone", "no match", True),
    ("blur_only", "match", True),
    ("blur_only", "unsure", True),  # a known person taken for a stranger leaks
    ("blur_only", "no match", False),
    ("keep_only", "match", False),
    ("keep_only", "unsure", True),  # a stranger taken for a known person leaks
    ("keep_only", "no match", True),
]


def verdict(answer: str, distance: float | None = None) -> Verdict:
    return Verdict(answer, None, distance, answer)


@pytest.mark.parametrize(("policy", "answer", "covered"), TRUTH)
def test_doubt_is_blurred(policy, answer, covered) -> None:
    assert is_covered(verdict(answer), policy) is covered


class Says:
    def __init__(self, *answers: str) -> None:
        self.answers = answers

    def pick(self, _: Evidence) -> list[Verdict]:
        return [verdict(answer) for answer in self.answers]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([], ["no match", "no match"]),
        ([Says("match", "no match")], ["match", "no match"]),
        ([Says("unsure", "no match"), Says("match", "unsure")], ["match", "unsure"]),  # the surest that somebody asked for is seen
        ([Says("match", "unsure"), Says("unsure", "no match")], ["match", "unsure"]),
    ],
)
def test_several_selectors(selectors, expected) -> None:
    info = video_info()
    evidence = Evidence([still(0, 9), still(0, 9)], {}, info, frame_index(info))
    assert [each.answer for each in verdicts_of(evidence, selectors)] == expected


def test_a_decision_a_person_with_those_to_look_at_first() -> None:
    tracks = [still(0, 49, person=0), still(60, 109, person=0), still(0, 24, person=1), still(20, 39, seen=[22, 31], person=2)]
    verdicts = [verdict("match", 0.4), verdict("no match", 0.9), verdict("match", 0.3), verdict("unsure", None)]
    decisions = decisions_of(tracks, verdicts, "keep_only", 25.0)
    assert [(each.person, each.decision, each.unsure) for each in decisions] == [
        (2, "blurred", True),
        (0, "partly blurred", False),
        (1, "kept", False),
    ]
    assert [(each.seconds, each.first_frame, each.num_tracks) for each in decisions] == [(0.4, 22, 1), (4.0, 0, 2), (1.0, 0, 1)]
    assert [each.distance for each in decisions] == [None, 0.4, 0.3]
    assert not any(each.unsure for each in decisions_of(tracks, verdicts, "blur_everyone", 25.0))
