"""What Prefect's pages say: how far a run is, how long it will take yet, who is in the video; and that names are never markup."""

from __future__ import annotations

import pytest

from flows.pace import Pace
from flows.page_texts import people_text
from tasks.choosing import Decision

UNSURE = Decision(
    person=3, called="A|<img src=x onerror=alert(1)>", decision="blurred", unsure=True, name="Ann_e", distance=0.574,
    probability=0.51, rival=None, reason="may be Ann_e, [see](http://x)", seconds=75.0, blurred_seconds=75.0, first_frame=0,
    num_tracks=1, at=(),
)  # fmt: skip
SURE = UNSURE.model_copy(update={"person": 0, "called": None, "unsure": False, "distance": None, "probability": None, "reason": "everyone"})


def test_people_in_a_table() -> None:
    assert people_text([UNSURE, SURE], {0: "data:x"}).splitlines() == [
        "| face | person | decision | why | probability | seen | blurred |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        r"|  | **3 · A\|&lt;img src=x onerror=alert(1)&gt;** | blurred (unsure) | may be Ann\_e, \[see\](http\://x) | 51.0% "
        "| 1 min 15 s | 1 min 15 s |",
        "| ![person 0](data:x) | **0** | blurred | everyone |  | 1 min 15 s | 1 min 15 s |",
    ]


def test_nobody_in_a_table() -> None:
    assert people_text([]) == "No face was found."


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("happens", "done", "seconds_left"),
    [
        ([], 0, None),  # nothing is known yet
        ([("begin", "find_shots", 100), ("advance", "find_shots", 50), 15], 0.075, 185),  # 15 s for a 13th
        ([("begin", "find_shots", 100), 30, ("end", "find_shots", False)], 0.15, 170),
        ([("begin", "find_shots", 100), 1, ("end", "find_shots", True)], 0.15, None),  # what was known says nothing of speed
        (
            [("begin", "find_shots", 9), 1, ("end", "find_shots", True), ("begin", "find_faces", 90), 9, ("advance", "find_faces", 30)],
            0.3, 42,
        ),  # but is done: 9 s for 0.15, 0.7 to go
        (
            [("begin", "blur_faces", 10), ("advance", "blur_faces", 30), 3, ("end", "blur_faces", False), ("begin", "blur_faces", 10)],
            0.0, None,
        ),  # a repair renders once more; more frames than were said are no more than all
        ([("begin", "choose_people", 0), ("end", "choose_people", False)], 0, None),  # takes no time
    ],
)  # fmt: skip
def test_pace(happens: list, done: float, seconds_left: float | None) -> None:
    clock = Clock()
    pace = Pace(clock)
    for each in happens:
        if isinstance(each, int):
            clock.seconds += each
        else:
            getattr(pace, each[0])(*each[1:])
    assert pace.done == pytest.approx(done)
    assert pace.seconds_left == (None if seconds_left is None else pytest.approx(seconds_left, abs=0.5))
