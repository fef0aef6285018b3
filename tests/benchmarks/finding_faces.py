"""Samplers against every_frame: what leaks, how many looks it took, how fast."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np

from tasks.blurs.regions import CoveredFace
from tasks.blurs.ways import Pixelate
from tasks.build_tracks import _extension
from tasks.covering import steadied
from tasks.faces import Detections, FaceBox
from tasks.looking import look
from tasks.matching import intersection_over_union
from tasks.plan import BuildTracks, FindFaces, FindShots, Sampler
from tasks.samplers.dynamic import Dynamic
from tasks.samplers.dynamic_thesis import DynamicThesis
from tasks.samplers.every_frame import EveryFrame
from tasks.shot_finders.transitions import Transition, shots_between
from tasks.tracking import tracks_of_shot
from tasks.tracks import Cover, Shot
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.planes import Plane
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.thumbnails import thumbnail
from tests.benchmarks.labelled import LabelledClip
from tests.scoring import SEEN_FROM_SHARE, Comparison, FaceScore, hidden_share, score_faces

Row = dict[str, Any]

_NEAR_COST = 0.05  # of a look at a whole picture, measured with CenterFace at 960 pixels on one core: 5.5 of 111 ms


def measure_sampler(clip: LabelledClip, is_labelled: bool, *, with_every_frame: bool) -> Iterator[Row]:
    """A row a sampler, on the clip's true shots."""
    info, index = probe_file(clip.video)
    shots = true_shots(clip, info.num_frames)
    glances = glances_of(clip, info, index)
    for sampler in (*((EveryFrame(),) if with_every_frame else ()), DynamicThesis(), Dynamic()):
        started = time.perf_counter()
        found, reasons = found_by(sampler, clip.video, info, index, shots, glances)
        seconds = time.perf_counter() - started
        score = score_faces(_compared(clip, _cover(found, shots, info)), lambda _: True)
        near = sum(number for reason, number in reasons.items() if reason.endswith("near"))
        whole = sum(reasons.values()) - near
        yield {
            "part": "samplers",
            "clip": clip.name,
            "sampler": sampler.method,
            "is_labelled": is_labelled,
            "leak_percent": score.leak_percent,
            "leak_hard_percent": score.leak_hard_percent,
            "longest_leak_frames": score.longest_leak_frames,
            "looks_per_frame": whole / info.num_frames,
            "near_per_frame": near / info.num_frames,
            "cost_per_frame": (whole + _NEAR_COST * near) / info.num_frames,
            "frames_per_second": info.num_frames / seconds,
            "reasons": dict(reasons),
            "leaks": score.leaks,
        }


def measure_speed(clip: LabelledClip) -> Row:
    """Both stages one after the other, as the flow runs them, without what is kept of them.

    On a machine that does other things too, only the time that cores were busy with it can be compared.
    """
    info, index = probe_file(clip.video)
    finder = FindShots().finder.load()
    started, computed = time.perf_counter(), time.process_time()
    glances: list[np.ndarray] = []

    def thumbnails() -> Iterator[np.ndarray]:
        for _, frame in read_frames(clip.video, info, index, 0, info.num_frames - 1):
            small = thumbnail(frame, finder.thumbnail_size)
            glances.append(small.mean(2).astype(np.uint8))
            yield small

    shots = shots_between(finder.transitions(thumbnails()), info.num_frames)
    shots_seconds = time.perf_counter() - started
    found_by(FindFaces().sampler, clip.video, info, index, shots, np.stack(glances))
    seconds = time.perf_counter() - started
    computed = time.process_time() - computed
    return {
        "part": "speed",
        "clip": clip.name,
        "size": (info.width, info.height),
        "num_frames": info.num_frames,
        "find_shots_frames_per_second": info.num_frames / shots_seconds,
        "find_faces_frames_per_second": info.num_frames / (seconds - shots_seconds),
        "frames_per_second": info.num_frames / seconds,
        "core_milliseconds_per_frame": 1000 * computed / info.num_frames,
    }


def found_by(
    sampler: Sampler, video: Path, info: VideoInfo, index: FrameIndex, shots: list[Shot], glances: np.ndarray
) -> tuple[Detections, Counter[str]]:
    """What the sampler's looks find with the default detector and recogniser."""
    with FindFaces().load() as finder:
        return look(read_frames(video, info, index, 0, info.num_frames - 1), shots, info, sampler, finder, glances)


def glances_of(clip: LabelledClip, info: VideoInfo, index: FrameIndex) -> np.ndarray:
    """(N, 27, 48) grey."""
    frames = read_frames(clip.video, info, index, 0, info.num_frames - 1)
    return np.stack([thumbnail(frame, (48, 27)).mean(2).astype(np.uint8) for _, frame in frames])


def true_shots(clip: LabelledClip, num_frames: int) -> list[Shot]:
    return shots_between(true_transitions(clip), num_frames)


def true_transitions(clip: LabelledClip) -> list[Transition]:
    cuts = json.loads((clip.folder / "cuts.json").read_text())
    return sorted([*(Transition(cut, cut) for cut in cuts["cuts"]), *(Transition(fade["start"], fade["end"]) for fade in cuts["gradual"])])


def _cover(found: Detections, shots: list[Shot], info: VideoInfo) -> Cover:
    settings = BuildTracks()
    tracks = [track for shot in shots for track in tracks_of_shot(found, shot, _extension(info, settings), settings.ways)]
    return Cover.from_tracks(tracks, range(len(tracks)))


def _compared(clip: LabelledClip, cover: Cover) -> Comparison:
    """What `tests.scoring.compare` says of the clip with this cover; blurred is the luma around labelled faces only, and not encoded."""
    blur, steady = Pixelate(), steadied(cover)
    scores: list[FaceScore] = []
    rows = [json.loads(line) for line in (clip.folder / "gt.jsonl").read_text().splitlines()]
    with av.open(str(clip.video)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for row, frame in zip(rows, container.decode(stream), strict=True):
            faces = [face for face in row["faces"] if min(face.get("vis", 1), face.get("alpha", 1)) >= SEEN_FROM_SHARE]
            if not faces:
                continue
            source = frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
            result = source.copy()
            boxes, anchors = cover.at(row["frame"]).boxes, steady.at(row["frame"]).boxes
            near = intersection_over_union(_doubled(boxes), np.array([face["box"] for face in faces], np.float32)).any(1)
            for box, anchor in zip(boxes[near].tolist(), anchors[near].tolist(), strict=True):
                blur.cover([Plane("y", result, 1, 1, 8)], CoveredFace(FaceBox(*box), FaceBox(*anchor)))
            for face in faces:
                share = hidden_share(source, result, face["box"])
                if share is not None:
                    scores.append(FaceScore(row["frame"], face["person"], bool(face.get("hard")), share))
    return Comparison(tuple(scores), len(rows), 0, 0, 0)


def _doubled(boxes: np.ndarray) -> np.ndarray:
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, 2:] + half], 1)
