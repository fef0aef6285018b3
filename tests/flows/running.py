"""The real flow, with settings as in a plan's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.report import BlurReport
from tasks.plan import make_plan

SECOND: dict[str, Any] = {"segment_seconds": 1}  # each shot of `visits_clip` is then a segment


@dataclass(frozen=True)
class Run:
    source: Path
    target: Path
    report: BlurReport

    @property
    def known(self) -> dict[str, tuple[int, int]]:
        """By stage: how many of how many parts were known from before."""
        return {stage.stage: (stage.num_cached, stage.num_parts) for stage in self.report.stages}

    @property
    def decisions(self) -> list[tuple[str | None, str]]:
        return sorted((person.name, person.decision) for person in self.report.people)


def run_flow(source: Path, target: Path, values: dict[str, Any], overwrite: bool = False) -> Run:
    from flows.blur_video import blur_video

    return Run(source, target, blur_video(source, target, make_plan(values), overwrite))


def keep(*photos: Path) -> dict[str, Any]:
    return _chosen("keep_only", {"method": "known_faces", "photos": [str(each) for each in photos]})


def only(*photos: Path) -> dict[str, Any]:
    return _chosen("blur_only", {"method": "known_faces", "photos": [str(each) for each in photos]})


def at(seconds: float, x: float, y: float, policy: str = "blur_only") -> dict[str, Any]:
    return _chosen(policy, {"method": "time_and_place", "picks": [{"seconds": seconds, "x": x, "y": y}]})


def _chosen(policy: str, selector: dict[str, Any]) -> dict[str, Any]:
    return {"choose_people": {"policy": policy, "selectors": [selector]}}
