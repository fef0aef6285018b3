"""Distances between faces of the same person and of different ones, and the boundary that divides them best."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from tasks.detectors.centerface import CenterFace
from tasks.errors import VeilError
from tasks.matching import euclidean, intersection_over_union
from tasks.recognisers.boundary import BOUNDARY
from tasks.recognisers.deepface import ArcFace, Facenet, Facenet512, GhostFaceNet, OpenFace, SFace
from tasks.recognisers.dlib import DlibResNet
from tasks.recognisers.faceres import Faceres
from tasks.recognisers.hse_resnet50 import HseResNet50
from tests.benchmarks.labelled import LabelledClip
from tests.benchmarks.tables import table_of
from tests.benchmarks.turning import turned_scene
from tests.tasks.scenes import scene

RECOGNISERS = (Faceres(), DlibResNet(), HseResNet50(), Facenet512(), Facenet(), ArcFace(), SFace(), GhostFaceNet(), OpenFace())
_EVERY_FRAMES = 20  # of a labelled clip
_SAME_FACE = 0.4  # IoU of a face that is found with a labelled one
_CLEAR = 0.2  # quality of a face that is told apart at all
_MOST_PAIRS = 200_000


def separation(clips: Sequence[LabelledClip], console: Console) -> list[dict[str, Any]]:
    """A row a recogniser that is at hand; faces of labelled clips, or drawn ones of two people."""
    rows = []
    for settings in RECOGNISERS:
        try:
            rows.append(separate(settings, clips))
        except VeilError as error:
            console.print(f"left out: {error}", markup=False)
    return rows


def separate(settings: Any, clips: Sequence[LabelledClip]) -> dict[str, Any]:
    """Distances in the unit of the thresholds, and the boundary at which as many of either kind are on the wrong side."""
    recogniser, detector = settings.load(), CenterFace().load()
    same: list[float] = []
    different: list[float] = []
    for pictures in [_of_clip(clip) for clip in clips] or [_drawn()]:
        names: list[str] = []
        vectors = []
        for picture, labels in pictures:
            faces = detector.detect(picture)
            embeddings, qualities = recogniser.embed(picture, faces)
            for name, box in labels:
                overlaps = intersection_over_union(np.array([box], np.float32), faces.boxes)[0]
                if len(overlaps) and overlaps.max() > _SAME_FACE and qualities[overlaps.argmax()] >= _CLEAR:
                    names.append(name)
                    vectors.append(embeddings[overlaps.argmax()])
        if len(vectors) < 2:
            continue
        distances = euclidean(np.stack(vectors), np.stack(vectors))
        rows, columns = np.triu_indices(len(names), 1)
        alike = np.array([names[row] == names[column] for row, column in zip(rows, columns, strict=True)])
        same += distances[rows, columns][alike].tolist()
        different += distances[rows, columns][~alike].tolist()
    threshold, error = equal_error(np.array(same[:_MOST_PAIRS]), np.array(different[:_MOST_PAIRS]))
    return {
        "recogniser": settings.method,
        "num_same": len(same),
        "num_different": len(different),
        "same": _percentiles(same),
        "different": _percentiles(different),
        "threshold": threshold,
        "error": error,
        "boundary": settings.boundary,
        "calibrated_boundary": settings.boundary * threshold / BOUNDARY,
    }


def equal_error(same: np.ndarray, different: np.ndarray) -> tuple[float, float]:
    """The distance at which as large a share of the same is beyond it as of the different below it, and that share."""
    limits = np.sort(np.concatenate([same, different]))
    beyond = 1 - np.searchsorted(np.sort(same), limits, side="right") / len(same)
    below = np.searchsorted(np.sort(different), limits, side="left") / len(different)
    unequal = np.abs(beyond - below)
    at = np.flatnonzero(unequal == unequal.min())[[0, -1]]  # where the two do not meet, the middle between them
    return float(limits[at].mean()), float((beyond[at] + below[at]).mean() / 2)


def separation_table(rows: Sequence[dict[str, Any]]) -> Table:
    columns = ["recogniser", "pairs", "same: 50 / 95 / 100 %", "different: 0 / 5 / 50 %", "divides at", "wrong", "boundary", "calibrated"]
    lines = [
        [
            row["recogniser"],
            f"{row['num_same']} + {row['num_different']}",
            " / ".join(f"{row['same'][each]:.2f}" for each in ("50", "95", "100")),
            " / ".join(f"{row['different'][each]:.2f}" for each in ("0", "5", "50")),
            f"{row['threshold']:.2f}",
            f"{row['error']:.1%}",
            f"{row['boundary']:.2f}",
            f"{row['calibrated_boundary']:.2f}",
        ]
        for row in rows
    ]
    return table_of("Distances of single faces, where thresholds call the boundary 0.6", columns, lines, num_left=1)


def _percentiles(distances: Sequence[float]) -> dict[str, float]:
    return {str(each): float(np.percentile(distances, each)) for each in (0, 5, 50, 95, 100)}


def _drawn() -> list[tuple[Any, list[tuple[str, list[float]]]]]:
    """Two people at several sizes, tilts and yaws, sharp and not, bright and dark."""
    found = []
    for person, width in itertools.product(("collins", "hopper"), (40, 80, 160)):
        views = [scene(person, width, (480, 360), turn_degrees=turn) for turn in (-20, 0, 20)]
        views += [turned_scene(person, width, (480, 360), yaw) for yaw in (-30, 30)]
        for picture, box in views:
            labels = [(person, [box.left, box.top, box.right, box.bottom])]
            found.append((picture, labels))
            found.append((cv2.GaussianBlur(picture, (0, 0), width / 60), labels))
            found.append((cv2.convertScaleAbs(picture, alpha=0.5, beta=5), labels))
    return found


def _of_clip(clip: LabelledClip) -> list[tuple[Any, list[tuple[str, list[float]]]]]:
    """One frame in so many; hard faces are left out, as the tracks that people are told by leave them out."""
    import av

    rows = [json.loads(line) for line in (clip.folder / "gt.jsonl").read_text().splitlines()]
    found = []
    with av.open(str(clip.video)) as container:
        for row, frame in zip(rows, container.decode(video=0), strict=False):
            if row["frame"] % _EVERY_FRAMES == 0:
                labels = [(face["person"], face["box"]) for face in row["faces"] if not face.get("hard")]
                found.append((frame.to_ndarray(format="bgr24"), labels))
    return found
