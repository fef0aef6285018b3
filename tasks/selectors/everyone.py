"""Everybody in the video, to begin with, or from here on."""

from __future__ import annotations

from typing import Literal

from tasks.selectors.verdicts import Entry, Evidence, Verdict


class Everyone(Entry):
    """All faces: what other entries before it said is forgotten, those after it are exceptions."""

    method: Literal["everyone"] = "everyone"

    def pick(self, evidence: Evidence) -> list[Verdict]:
        return [Verdict("match", None, None, "everyone is meant")] * len(evidence.tracks)
