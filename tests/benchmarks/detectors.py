"""What each detector finds, by the size of a face and by how far it is turned aside; how well recognisers tell people apart; the thesis.

    python -m tests.benchmarks.detectors [FOLDER ...] [-o OUT] [--slow] [--only NAME ...] [--thesis]

Drawn pictures of 640 x 360, which all detectors see at the same scale, give recall by size and yaw. A FOLDER of labelled clips (see
`tests.benchmarks.quality`) gives recall by size on video and the distances of embeddings, of one frame in so many. Detectors and
recognisers whose weights are not here are named and left out; `--slow` takes dlib's CNN too. Leaves detectors.json and recall.png in OUT.
"""

from __future__ import annotations

import argparse
import json
import timeit
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rich.console import Console

from tasks.detectors.centerface import CenterFace
from tasks.detectors.dlib_family import DlibCnn, DlibHog
from tasks.detectors.haar import Haar
from tasks.detectors.mtcnn import Mtcnn
from tasks.detectors.retinaface import RetinaFace
from tasks.detectors.sized import Sized, SizedDetector
from tasks.detectors.yuface import YuFace
from tasks.detectors.yunet import YuNet
from tasks.errors import VeilError
from tasks.faces import Faces
from tasks.matching import intersection_over_union
from tests.benchmarks.labelled import LabelledClip, find_clips
from tests.benchmarks.recognisers import separation, separation_table
from tests.benchmarks.tables import table_of
from tests.benchmarks.thesis import thesis_rows, thesis_table
from tests.benchmarks.turning import turned_scene
from tests.tasks.scenes import Picture, scene

DETECTORS: tuple[Sized, ...] = (CenterFace(), YuNet(), YuFace(), Mtcnn(), RetinaFace(), DlibHog(), Haar())
SLOW: tuple[Sized, ...] = (DlibCnn(),)
WIDTHS = (16, 24, 32, 64, 128)
YAWS = (0, 20, 40, 60, 75)
SIZE = (640, 360)
_FOUND = 0.4  # IoU with the truth: detectors frame a face more or less closely
_EVERY_FRAMES = 10  # of a labelled clip


class Example(NamedTuple):
    """A picture and the boxes in it, (N, 4), left, top, right, bottom."""

    picture_bgr: Picture
    boxes: np.ndarray


def by_width(width: int) -> list[Example]:
    """Twelve faces of that many pixels: two people, level and tilted, plain and blurred by a slight movement."""
    found = []
    for person in ("collins", "hopper"):
        for turn_degrees in (-12, 0, 12):
            picture, box = scene(person, width, SIZE, (SIZE[0] / 2 + turn_degrees, SIZE[1] / 2), turn_degrees)
            moved = cv2.blur(picture, (max(1, width // 16), 1))
            found += [Example(each, _array(box)) for each in (picture, np.asarray(moved, np.uint8))]
    return found


def by_yaw(yaw_degrees: int) -> list[Example]:
    """Two people of 100 pixels, to both sides."""
    sides = {-yaw_degrees, yaw_degrees}
    made = [turned_scene(person, width, SIZE, side) for person in ("collins", "hopper") for width in (64, 100) for side in sorted(sides)]
    return [Example(picture, _array(box)) for picture, box in made]


def recall(detector: SizedDetector, examples: Sequence[Example]) -> float:
    """The share of faces that are found."""
    hits = [hit for example in examples for hit in _hits(detector.detect(example.picture_bgr), example.boxes)]
    return float(np.mean(hits))


def measure(settings: Sized, clips: Sequence[LabelledClip]) -> dict[str, Any]:
    """A detector's row: recall by width and yaw, and milliseconds a picture of 640 x 360. Raises VeilError where it cannot be loaded."""
    detector = settings.load()  # type: ignore[attr-defined]
    row: dict[str, Any] = {"detector": settings.method, "width": {width: recall(detector, by_width(width)) for width in WIDTHS}}
    row["yaw"] = {yaw: recall(detector, by_yaw(yaw)) for yaw in YAWS}
    picture = by_yaw(0)[0].picture_bgr
    row["milliseconds"] = 1000 * min(timeit.repeat(lambda: detector.detect(picture), number=1, repeat=7))
    row["clips"] = on_clips(detector, clips) if clips else {}
    return row


def on_clips(detector: SizedDetector, clips: Sequence[LabelledClip]) -> dict[str, float]:
    """Recall on labelled frames by the width of the face: plain ones by size, and hard ones of any size."""
    hits: dict[str, list[bool]] = {}
    false = looked = 0
    for clip in clips:
        for picture, faces, ignored in labelled_pictures(clip):
            found = detector.detect(picture)
            boxes = np.array([face["box"] for face in faces], np.float32).reshape(-1, 4)
            for face, hit in zip(faces, _hits(found, boxes), strict=True):
                hits.setdefault(_group(face), []).append(hit)
            known = np.concatenate([boxes, np.array(ignored, np.float32).reshape(-1, 4)])
            false += int((~(intersection_over_union(found.boxes, known) > 0.1).any(1)).sum())
            looked += 1
    return {group: float(np.mean(hits[group])) for group in sorted(hits)} | {"false a frame": false / max(1, looked)}


def labelled_pictures(clip: LabelledClip) -> Iterator[tuple[Picture, list[dict[str, Any]], list[list[float]]]]:
    """One frame in so many, its faces, and the places that are not scored."""
    import av

    rows = [json.loads(line) for line in (clip.folder / "gt.jsonl").read_text().splitlines()]
    with av.open(str(clip.video)) as container:
        for row, frame in zip(rows, container.decode(video=0), strict=False):
            if row["frame"] % _EVERY_FRAMES == 0:
                faces = [face for face in row["faces"] if min(face.get("vis", 1), face.get("alpha", 1)) >= 0.3]
                yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), faces, [place["box"] for place in row.get("ignore", ())]


def recall_tables(rows: Sequence[dict[str, Any]]) -> list[Any]:
    """By width and yaw; and on the clips, where there are some."""
    drawn = [
        [row["detector"], *(f"{share:.0%}" for share in (*row["width"].values(), *row["yaw"].values())), f"{row['milliseconds']:.0f}"]
        for row in rows
    ]
    columns = ["detector", *(f"{width} px" for width in WIDTHS), *(f"{yaw}°" for yaw in YAWS), "ms"]
    tables = [table_of("Recall on drawn pictures, by width and by yaw", columns, drawn, num_left=1)]
    groups = sorted({group for row in rows for group in row["clips"]})
    if groups:
        lines = [[row["detector"], *(f"{row['clips'].get(group, float('nan')):.2f}" for group in groups)] for row in rows]
        tables.append(table_of(f"Recall on clips, one frame of {_EVERY_FRAMES}", ["detector", *groups], lines, num_left=1))
    return tables


def plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Both curves of each detector."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), layout="constrained")
    for axes, key, label in zip(
        figure.subplots(1, 2, sharey=True), ("width", "yaw"), ("width of the face, pixels", "yaw, degrees"), strict=True
    ):
        for row, mark in zip(rows, "osv^D<>ph*"[: len(rows)], strict=True):
            axes.plot(range(len(row[key])), [100 * share for share in row[key].values()], marker=mark, alpha=0.8, label=row["detector"])
        axes.set_xticks(range(len(rows[0][key])), [str(value) for value in rows[0][key]])
        axes.set_xlabel(label)
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("found, %")
    figure.axes[1].legend(loc="lower left", fontsize="small")
    figure.savefig(path, dpi=120)


def _hits(found: Faces, boxes: np.ndarray) -> list[bool]:
    if not len(boxes):
        return []
    return [bool(each) for each in (intersection_over_union(boxes.astype(np.float32), found.boxes) >= _FOUND).any(1)]


def _group(face: dict[str, Any]) -> str:
    width = face["box"][2] - face["box"][0]
    below = next((limit for limit in (16, 24, 32, 64, 128) if width < limit), None)
    return "hard" if face.get("hard") else f"< {below:3} px" if below else "≥ 128 px"


def _array(box: Any) -> np.ndarray:
    return np.array([[box.left, box.top, box.right, box.bottom]], np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.detectors", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument("-o", dest="output", type=Path, default=Path("detectors"), metavar="OUT")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="only these detectors")
    parser.add_argument("--slow", action="store_true", help="dlib's CNN too: seconds a picture")
    parser.add_argument("--thesis", action="store_true", help="run the thesis's four configurations on the clips: minutes to hours")
    options = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if Console().is_terminal else 170)
    options.output.mkdir(parents=True, exist_ok=True)
    clips = find_clips(options.folders, []) if options.folders else []
    rows: list[dict[str, Any]] = []
    for settings in (*DETECTORS, *(SLOW if options.slow else ())):
        if not options.only or settings.method in options.only:
            try:
                rows.append(measure(settings, clips))
                console.print(f"{settings.method}: {rows[-1]['milliseconds']:.0f} ms a picture")
                (options.output / "detectors.json").write_text(json.dumps({"detectors": rows}, indent=2))  # should it be stopped
            except VeilError as error:
                console.print(f"left out: {error}", markup=False)
    result: dict[str, Any] = {"detectors": rows, "recognisers": separation(clips, console)}
    for table in recall_tables(rows):
        console.print(table)
    console.print(separation_table(result["recognisers"]))
    if options.thesis:
        result["thesis"] = thesis_rows(clips)
        console.print(thesis_table(result["thesis"]))
        for row in result["thesis"]:
            if "error" in row:
                console.print(f"{row['preset']}: {row['error']}", markup=False)
    plot(rows, options.output / "recall.png")
    (options.output / "detectors.json").write_text(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
