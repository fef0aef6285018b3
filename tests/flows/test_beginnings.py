"""Runs that are begun over and over."""

from __future__ import annotations

import pytest

from flows.beginnings import LostTooOften, check_beginnings


@pytest.mark.parametrize(("times", "passes"), [("1", True), ("10", True), ("11", False)])
def test_beginnings(times: str, passes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__RUN_COUNT", times)
    monkeypatch.setenv("PREFECT__RUNTIME__FLOW_RUN__NAME", "day1.mp4")
    if passes:
        check_beginnings()
    else:
        with pytest.raises(LostTooOften, match=r"day1\.mp4: was begun 10 times"):
            check_beginnings()
