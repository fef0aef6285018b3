"""How well a finished video hides faces whose places are known, seen from the pixels of the two videos alone.

A face is the ellipse in its box, seen as a grey picture of 64 x 64 in both videos and cut into cells of 8 x 8. A cell with texture in
the source is hidden where its fine detail (a Laplacian) no longer goes with the source's. The hidden share of a face is that of its
textured cells. A face that must be covered and is hidden less than 0.8 leaks; one to be kept and hidden more than 0.3 is over-blurred.

    faces = compare(folder, output)                            # every labelled face, whatever was asked for
    score = score_faces(faces, lambda person: person != "lin")     # all but lin had to be covered
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

LEAK_BELOW_SHARE = 0.8
OVER_BLUR_ABOVE_SHARE = 0.3
SEEN_FROM_SHARE = 0.3  # a face less visible or less opaque than that is not scored

_SIDE, _CELL = 64, 8
_PER_SIDE = _SIDE // _CELL
_ALIKE_FROM = 0.7  # correlation of a cell's fine detail
_TEXTURE_FROM = 1.5  # standard deviation of a cell's fine detail, in grey levels
_CELL_INSIDE = 0.6  # share of a cell's pixels that must be inside the ellipse
_FEWEST_CELLS = 4
_SMALLEST_PIXELS = 6

Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FaceScore:
    """One labelled face in one frame."""

    frame: int
    person: str
    hard: bool
    hidden_share: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All labelled faces that can be judged, and what else differs between the two videos."""

    faces: tuple[FaceScore, ...]
    num_frames: int
    num_missing: int
    num_extra: int
    num_resized: int


@dataclass(frozen=True, slots=True)
class Score:
    """Counts are of faces in frames; percentages are None where nothing was to be covered, or kept."""

    required: int
    leak_percent: float | None
    required_hard: int
    leak_hard_percent: float | None
    longest_leak_frames: int
    worst_person: str | None
    """the one with the largest share of plain leaks; None where nobody leaks"""
    worst_person_percent: float | None
    kept: int
    over_blur_percent: float | None
    leaks: dict[str, list[int]]
    """frames by person, plain faces"""
    hard_leaks: dict[str, list[int]]
    over_blurred: dict[str, list[int]]


def compare(folder: Path, output: Path) -> Comparison:
    """`folder` holds video.mp4 and gt.jsonl. A frame that is missing at the output's end counts as shown unblurred."""
    rows = [json.loads(line) for line in (folder / "gt.jsonl").read_text().splitlines()]
    before, after = _gray_frames(folder / "video.mp4"), _gray_frames(output)
    faces: list[FaceScore] = []
    num_missing = num_resized = 0
    for row in rows:
        source = next(before)
        result = next(after, None)
        if result is None:
            num_missing += 1
            result = source
        elif result.shape != source.shape:
            num_resized += 1
            result = cv2.resize(result, source.shape[::-1]).astype(np.uint8)
        for face in row["faces"]:
            if min(face.get("vis", 1), face.get("alpha", 1)) < SEEN_FROM_SHARE:
                continue
            share = hidden_share(source, result, face["box"])
            if share is not None:
                faces.append(FaceScore(row["frame"], face["person"], bool(face.get("hard")), share))
    return Comparison(tuple(faces), len(rows), num_missing, sum(1 for _ in after), num_resized)


def score_faces(compared: Comparison, must_cover: Callable[[str], bool]) -> Score:
    """`must_cover` says of a person whether she had to be covered; the others had to stay visible."""
    required = [face for face in compared.faces if must_cover(face.person)]
    kept = [face for face in compared.faces if not must_cover(face.person) and not face.hard]
    plain, hard = [face for face in required if not face.hard], [face for face in required if face.hard]
    leaked, hard_leaked = (_frames(each, leaks) for each in (plain, hard))
    over_blurred = _frames(kept, lambda face: face.hidden_share > OVER_BLUR_ABOVE_SHARE)
    percents = {person: percent(len(frames), sum(face.person == person for face in plain)) or 0.0 for person, frames in leaked.items()}
    worst = max(percents, key=lambda person: percents[person], default=None)
    return Score(
        required=len(plain),
        leak_percent=percent(sum(map(len, leaked.values())), len(plain)),
        required_hard=len(hard),
        leak_hard_percent=percent(sum(map(len, hard_leaked.values())), len(hard)),
        longest_leak_frames=max((last - first + 1 for frames in leaked.values() for first, last in runs(frames)), default=0),
        worst_person=worst,
        worst_person_percent=percents[worst] if worst else None,
        kept=len(kept),
        over_blur_percent=percent(sum(map(len, over_blurred.values())), len(kept)),
        leaks=leaked,
        hard_leaks=hard_leaked,
        over_blurred=over_blurred,
    )


def hidden_share(source: Gray, result: Gray, box: Iterable[float]) -> float | None:
    """The share of a face, in (H, W) grey pictures, that is hidden; None for one too small or too smooth to tell."""
    height, width = source.shape
    left, top, right, bottom = box
    columns = slice(max(0, int(left)), min(width, int(np.ceil(right))))
    rows = slice(max(0, int(top)), min(height, int(np.ceil(bottom))))
    if min(columns.stop - columns.start, rows.stop - rows.start) < _SMALLEST_PIXELS:
        return None
    first, second = _detail_by_cell(source[rows, columns]), _detail_by_cell(result[rows, columns])
    energy = first.std(axis=1)
    judged = _INSIDE & (energy > _TEXTURE_FROM)
    if np.count_nonzero(judged) < _FEWEST_CELLS:
        return None
    alike = np.mean(first * second, axis=1) / np.maximum(energy * second.std(axis=1), 1e-3)
    return float(np.mean(alike[judged] < _ALIKE_FROM))


def leaks(face: FaceScore) -> bool:
    """Of a face that had to be covered."""
    return face.hidden_share < LEAK_BELOW_SHARE


def runs(frames: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers: [3, 4, 5, 9] is (3, 5), (9, 9)."""
    ends = [i for i, frame in enumerate(frames) if i + 1 == len(frames) or frames[i + 1] != frame + 1]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [(frames[start], frames[end]) for start, end in zip(starts, ends, strict=True)] if frames else []


def _detail_by_cell(crop: Gray) -> npt.NDArray[np.float32]:
    """(64, 64): a row a cell."""
    picture = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return _by_cell(cv2.Laplacian(cv2.GaussianBlur(picture, (0, 0), 1), cv2.CV_32F, ksize=3))


def _by_cell(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return picture.reshape(_PER_SIDE, _CELL, _PER_SIDE, _CELL).swapaxes(1, 2).reshape(_PER_SIDE**2, _CELL**2)


def _cells_inside() -> npt.NDArray[np.bool_]:
    from_centre = np.arange(_SIDE) - (_SIDE - 1) / 2
    disc = np.hypot(from_centre[:, None], from_centre) <= _SIDE / 2
    return _by_cell(disc.astype(np.float32)).mean(axis=1) > _CELL_INSIDE


_INSIDE = _cells_inside()


def _gray_frames(path: Path) -> Iterator[Gray]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            yield frame.to_ndarray(format="gray").astype(np.uint8, copy=False)


def _frames(faces: Iterable[FaceScore], wrong: Callable[[FaceScore], bool]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for face in faces:
        if wrong(face):
            found[face.person].append(face.frame)
    return dict(found)


def percent(part: int, whole: int) -> float | None:
    """None of nothing."""
    return round(100 * part / whole, 2) if whole else None
