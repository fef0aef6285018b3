"""Which smoother leaves boxes steadiest and nearest to the truth.

    python -m tests.benchmarks.smoothers [FOLDER ...] [--tracks N] [--json OUT.json]

Made-up tracks of another seed than `sequence_model` was trained with (the same laws of motion and error, which favours it), and, of
labelled clips (see `tests.benchmarks.quality`; those that the project draws have exact truth), CenterFace's boxes on every frame beside the
labelled ones. Errors and jitter are in percent of a face's size; jitter is the mean second difference over time, less or more than the
truth's own. The cover is the union of smoothed and found boxes, as `build_tracks` makes it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from tasks.detectors.centerface import CenterFace
from tasks.faces import Floats
from tasks.interpolators.scipy_family import Pchip
from tasks.matching import intersection_over_union
from tasks.smoothers.filters import MovingAverage, NoSmoothing, SavitzkyGolay, Smoother
from tasks.smoothers.kalman import Kalman
from tasks.smoothers.sequence_model import SequenceModel
from tasks.smoothers.spline import Spline
from tasks.smoothers.trajectories import MOTIONS, draw_trajectory
from tests.benchmarks.labelled import LabelledClip, find_clips
from tests.benchmarks.tables import table_of

SMOOTHERS: tuple[Any, ...] = (NoSmoothing(), MovingAverage(), SavitzkyGolay(), Kalman(), Spline(), SequenceModel())
SEED = 7
_SAME_FACE = 0.4  # IoU of a found box with the labelled one
_SAME_STRETCH = 0.3  # IoU of a labelled box with the one before it
_LEAST_FRAMES = 12  # of a stretch


class Example(NamedTuple):
    """A track as smoothers get it, and its truth; (N, 4) each."""

    kind: str
    truth: Floats
    boxes: Floats


def made_up(num_tracks: int) -> list[Example]:
    """So many of every way to move, one to ten seconds long."""
    random = np.random.default_rng(SEED)
    tracks = [draw_trajectory(random, int(random.integers(30, 300)), motion) for motion in MOTIONS for _ in range(num_tracks)]
    return [Example(track.motion, track.truth, track.boxes) for track in tracks]


def found_on(clip: LabelledClip) -> list[Example]:
    """Faces in plain sight, while they are labelled on consecutive frames, and where CenterFace sees them; filled in where it does not."""
    import av

    detector = CenterFace().load()
    stretches: list[list[tuple[list[float], Floats | None]]] = []
    current: dict[tuple[str, int], list[tuple[list[float], Floats | None]]] = {}
    rows = [json.loads(line) for line in (clip.folder / "gt.jsonl").read_text().splitlines()]
    with av.open(str(clip.video)) as container:
        for row, frame in zip(rows, container.decode(video=0), strict=False):
            found = detector.detect(frame.to_ndarray(format="bgr24")).boxes
            before, current = current, {}
            for face in row["faces"]:
                if face.get("hard") or face.get("vis", 1) < 0.95:
                    continue
                box = face.get("full_box", face["box"])
                key = face["person"], sum(person == face["person"] for person, _ in current)
                stretch = before.get(key, [])
                if not stretch or _overlaps(box, np.array([stretch[-1][0]], np.float32))[0] < _SAME_STRETCH:
                    stretches.append(stretch := [])
                overlaps = _overlaps(box, found)
                stretch.append((box, found[overlaps.argmax()] if overlaps.size and overlaps.max() > _SAME_FACE else None))
                current[key] = stretch
    return [example for stretch in stretches for example in _filled(clip.name, stretch)]


def _filled(name: str, stretch: Sequence[tuple[list[float], Floats | None]]) -> Iterable[Example]:
    seen = np.array([frame for frame, (_, box) in enumerate(stretch) if box is not None], np.int64)
    if len(seen) >= _LEAST_FRAMES:
        inner = np.arange(seen[0], seen[-1] + 1)
        boxes = Pchip().fill(seen, np.stack([stretch[frame][1] for frame in seen]).astype(np.float32), inner)
        yield Example(name, np.array([stretch[frame][0] for frame in inner], np.float32), boxes)


def _overlaps(box: Sequence[float], others: Floats) -> Floats:
    return np.asarray(intersection_over_union(np.array([box], np.float32), others)[0])


def measure(smoother: Smoother, examples: Sequence[Example]) -> dict[str, float]:
    """Means over all frames of the examples."""
    columns: dict[str, list[Floats]] = {}
    seconds = 0.0
    for _, truth, boxes in examples:
        begun = time.perf_counter()
        smooth = smoother.smooth(boxes)
        seconds += time.perf_counter() - begun
        cover = np.concatenate([np.minimum(boxes[:, :2], smooth[:, :2]), np.maximum(boxes[:, 2:], smooth[:, 2:])], axis=1)
        area, size = _areas(truth), np.sqrt(_areas(truth))[:, None]
        both = np.concatenate([np.maximum(cover[:, :2], truth[:, :2]), np.minimum(cover[:, 2:], truth[:, 2:])], axis=1)
        values = {
            "error": np.abs(smooth - truth).mean(axis=1) / size[:, 0],
            "jitter": np.abs(np.diff(smooth - truth, 2, axis=0) / size[1:-1]).mean(axis=1),
            "cover_jitter": np.abs(np.diff(cover - truth, 2, axis=0) / size[1:-1]).mean(axis=1),
            "covered": _areas(both) / area,
            "cover_size": _areas(cover) / area,
        }
        for name, value in values.items():
            columns.setdefault(name, []).append(value)
    num_boxes = sum(len(example.boxes) for example in examples)
    return {name: 100 * float(np.concatenate(value).mean()) for name, value in columns.items()} | {"us_a_box": 1e6 * seconds / num_boxes}


def _areas(boxes: Floats) -> Floats:
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))


def main(arguments: Sequence[str] | None = None) -> None:
    """A table for each kind of track, and one of them all that is made up."""
    options = _parser().parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 150)
    drawn = made_up(options.tracks)
    groups = {"made-up tracks": drawn} | {f"made-up: {motion}": [each for each in drawn if each.kind == motion] for motion in MOTIONS}
    for clip in find_clips(options.folders, ()) if options.folders else ():
        groups[clip.name] = found_on(clip)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for name, examples in groups.items():
        for smoother in SMOOTHERS:
            smoother.smooth(examples[0].boxes)  # what is loaded once is not measured
        results[name] = {smoother.method: measure(smoother, examples) for smoother in SMOOTHERS}
        lines = [
            [
                way,
                *(f"{found[each]:.2f}" for each in ("error", "jitter", "cover_jitter", "covered", "cover_size")),
                f"{found['us_a_box']:.0f}",
            ]
            for way, found in results[name].items()
        ]
        num_frames = sum(len(example.boxes) for example in examples)
        title = f"{name}: {len(examples)} tracks, {num_frames} frames; % of a face"
        columns = ["smoother", "error", "jitter", "jitter of\nthe cover", "truth\ncovered", "size of\nthe cover", "us a box"]
        console.print(table_of(title, columns, lines, num_left=1))
    if options.json:
        options.json.write_text(json.dumps({"seed": SEED, "tracks_a_motion": options.tracks, "results": results}, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.smoothers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="a labelled clip, or a folder of them")
    parser.add_argument("--tracks", type=int, default=100, help="made-up tracks of every way to move (default: 100)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    main()
