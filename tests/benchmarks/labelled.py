"""Folders of labelled clips: found on disk, or drawn."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tests.clips import SCRIPTS, draw_folder

DRAWN = ("demo", "edges", "bar", "growing", "small_faces")
Policy = Literal["everyone", "keep", "only"]


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of the program with a clip."""

    policy: Policy
    person: str | None = None
    photo: Path | None = None

    @property
    def name(self) -> str:
        return self.policy if self.photo is None else f"{self.policy} {self.photo.stem}"

    def must_cover(self, person: str) -> bool:
        return {"everyone": True, "keep": person != self.person, "only": person == self.person}[self.policy]


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """video.mp4, gt.jsonl, refs/, perhaps cuts.json and people.json; beside the folder perhaps score.py."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def video(self) -> Path:
        return self.folder / "video.mp4"

    def people(self) -> set[str]:
        rows = (self.folder / "gt.jsonl").read_text().splitlines()
        return {face["person"] for row in rows for face in json.loads(row)["faces"]}

    def cuts(self) -> list[int]:
        """The first frames of new shots, a fade's in its middle; none where no cuts.json says."""
        path = self.folder / "cuts.json"
        said = json.loads(path.read_text()) if path.exists() else {"cuts": [], "gradual": []}
        return sorted([*said["cuts"], *((fade["start"] + fade["end"] + 1) // 2 for fade in said["gradual"])])

    def labels(self) -> dict[str, dict[str, str]]:
        """What people.json says of people, for instance {"anna": {"age": "child"}}; nothing where there is none."""
        path = self.folder / "people.json"
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def photos(self) -> list[tuple[str, Path]]:
        """The photos of people who are in the clip: PERSON.jpg, or another one of her as PERSON_b.jpg."""
        people = self.people()
        found = [(name, path) for path in sorted((self.folder / "refs").glob("*")) for name in (path.stem, path.stem.rpartition("_")[0])]
        return [(name, path) for name, path in found if name in people]

    def tasks(self, policies: Iterable[Policy]) -> list[Task]:
        """A task for everyone, and one for each photo."""
        return [
            task
            for policy in policies
            for task in ([Task(policy)] if policy == "everyone" else [Task(policy, person, path) for person, path in self.photos()])
        ]

    def official_score(self, output: Path, task: Task) -> dict[str, Any] | None:
        """What the score.py beside the folder says; None where there is none."""
        path = self.folder.parent / "score.py"
        scored = _score_function(path)(self.folder, output, task.must_cover) if path.is_file() else None
        return dict(scored) if scored is not None else None


@cache
def _score_function(path: Path) -> Callable[..., dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("labelled_score", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    score: Callable[..., dict[str, Any]] = module.score
    return score


def find_clips(folders: Sequence[Path], names: Sequence[str]) -> list[LabelledClip]:
    """Clips among the folders and in them, those of the names where names are given. Raises SystemExit where there is none."""
    inside = [each for folder in folders for each in (folder, *sorted(folder.glob("*/")))]
    clips = [LabelledClip(each.absolute()) for each in inside if (each / "video.mp4").is_file() and (each / "gt.jsonl").is_file()]
    chosen = [clip for clip in clips if not names or clip.name in names]
    unknown = set(names) - {clip.name for clip in clips}
    if unknown or not chosen:
        raise SystemExit(f"no clip {', '.join(sorted(unknown)) or 'at all'}; there are: {', '.join(clip.name for clip in clips) or 'none'}")
    return chosen


def drawn_clips(folder: Path, names: Sequence[str]) -> list[LabelledClip]:
    """Clips of the project's own, drawn anew: 1280 x 720, 30 frames/s."""
    unknown = set(names) - SCRIPTS.keys()
    if unknown:
        raise SystemExit(f"no script {', '.join(sorted(unknown))}; there are: {', '.join(SCRIPTS)}")
    return [LabelledClip(draw_folder(SCRIPTS[name](), folder / name).folder) for name in names or DRAWN]
