"""The benchmark of samplers and shots runs, and says what does not hold."""

from __future__ import annotations

import pytest

from tests.benchmarks.finding import limits_of
from tests.benchmarks.finding_faces import measure_sampler, measure_speed
from tests.benchmarks.finding_shots import measure_gate, measure_shots
from tests.benchmarks.labelled import LabelledClip
from tests.clips import draw_folder, talking_head_script


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> LabelledClip:
    return LabelledClip(draw_folder(talking_head_script(0.8), tmp_path_factory.mktemp("head"), size=(320, 180), audio=False).folder)


def test_every_part_of_it_runs(clip) -> None:
    samplers = {row["sampler"]: row for row in measure_sampler(clip, is_labelled=True, with_every_frame=False)}
    assert list(samplers) == ["dynamic_thesis", "dynamic"]
    assert samplers["dynamic"]["leak_percent"] == 0
    assert 0 < samplers["dynamic"]["looks_per_frame"] < 0.25
    shots = [row for row in measure_shots(clip) if row["finder"] == "transnetv2"]
    rows = [*samplers.values(), *shots, measure_gate(clip), measure_speed(clip)]
    assert {limit["what"] for limit in limits_of(rows)} >= {"looks a frame", "time that the gate saves", "boundaries that the gate changes"}


def sampled(sampler: str, **values) -> dict:
    row = {"part": "samplers", "clip": "one", "sampler": sampler, "is_labelled": True, "looks_per_frame": 0.1}
    return row | {"leak_percent": 0.0, "leak_hard_percent": None} | values


@pytest.mark.parametrize(
    ("rows", "broken"),
    [
        ([sampled("every_frame"), sampled("dynamic", leak_percent=0.2)], set()),
        ([sampled("every_frame"), sampled("dynamic", leak_percent=0.3)], {"leak_percent above every_frame"}),
        ([sampled("every_frame", leak_percent=1.0), sampled("dynamic", leak_percent=0.3)], set()),  # better than it
        ([sampled("dynamic", leak_percent=9.0)], set()),  # nothing to compare it with
        ([sampled("dynamic", looks_per_frame=0.13)], {"looks a frame"}),  # more than one in eight
        ([sampled("dynamic", looks_per_frame=0.06, clip="talking_head", is_labelled=False)], {"looks a frame"}),
        ([sampled("dynamic_thesis", looks_per_frame=0.15), sampled("dynamic")], {"looks, share of dynamic_thesis"}),
    ],
)
def test_what_does_not_hold_is_said(rows, broken) -> None:
    assert {limit["what"] for limit in limits_of(rows) if not limit["holds"]} == broken
