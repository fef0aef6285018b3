"""Models that a plan asks for are there before any work begins, or it is said how to get them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from flows import request
from flows.cli import parser_of_words
from flows.commands import plan_of, values_of
from flows.request import check_models
from tasks.detectors.yunet import YuNet
from tasks.errors import BadSetting, DeviceError, MissingWeights, VeilError
from tasks.plan import Plan, make_plan


def options(*words: str) -> argparse.Namespace:
    return parser_of_words().parse_args(["blur", "in.mp4", "-o", "out.mp4", *words])


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", str(tmp_path))


def test_the_default_needs_nothing() -> None:
    check_models(Plan())


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"preset": "best"}, MissingWeights, "veil models fetch retinaface"),  # the detector first
        ({"find_faces": {"recogniser": {"method": "arcface"}}}, MissingWeights, "veil models fetch arcface"),
        ({"find_faces": {"detector": {"method": "deepface", "backend": "ssd"}}}, MissingWeights, "veil models fetch ssd"),
        ({"find_faces": {"runtime": {"provider": "tensorrt"}}}, DeviceError, "tensorrt .TensorrtExecutionProvider."),
    ],
)
def test_what_is_missing_is_one_error(values: dict[str, object], error: type[VeilError], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        check_models(make_plan(values))
    assert "\n" not in str(caught.value)


def test_models_are_fetched_only_with_consent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(request, "fetch", fetched.append)
    for consent in (False, True):
        with pytest.raises(MissingWeights):  # nothing has really come
            check_models(make_plan({"find_faces": {"detector": {"method": "yunet"}}, "allow_downloads": consent}))
        assert fetched == (["yunet"] if consent else [])


def test_the_command_takes_a_preset() -> None:
    plan = plan_of(options("--preset", "best", "--set", "find_faces.detector.method=yunet"))
    assert (plan.preset, plan.find_faces.detector, plan.find_faces.recogniser.method) == ("best", YuNet(), "facenet512")
    assert values_of(options("--preset", "fast", "--set", "preset=best"))["preset"] == "fast"  # its own word wins
    with pytest.raises(BadSetting, match=r"preset.*'fast', 'balanced'"):
        plan_of(options("--preset", "fastest"))
