"""Hours of detections joined, grouped and chosen from: how long it takes, and in how much memory.

    python -m tests.benchmarks.long [--frames 864000] [--people 30] [--faces 4] [--json OUT.json]

Nothing is looked at: detections are drawn as looks at few frames find them, at whole pictures at one frame of 16 and a shot's first and
last one, with embeddings, and near faces at one of six. People come and go, each on one of as many ways as there are faces in a frame,
in shots of half a minute on average; two visits of one person are as unlike as the default recogniser's calibration says, and one of six
is seen badly.
Runs on one core, whose seconds are counted. Returns 1 where it takes more than 3 minutes or 2 GB, finds too many persons, or two in one.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

MOST_SECONDS, MOST_MIB = 180.0, 2048.0
MOST_FOUND = 1.2  # persons for each one that there is
_WHOLE_FRAMES = 16  # between two looks at whole pictures
_NEAR_SHARE = 1 / 6  # of frames, in which a face is looked at beside that
_VISIT_SECONDS = (2.0, 40.0)
_DIMENSIONS = 1024
_FREE_DIMENSIONS = 200  # in which people differ
_LENGTH = 0.6
_ASIDE = 0.57  # radians by which a visit's embedding is turned from its person's, and
_POOR_ASIDE = 0.12  # more for one that is seen badly, and
_LOOK_ASIDE = 0.35  # by which a look's is turned from its visit's
_POOR_SHARE, _POOR, _CLEAR = 1 / 6, 0.2, 0.6  # of visits; qualities
_SEGMENT_FRAMES = 3600
_RATE = 30


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="veil-long-") as folder:
        os.environ["VEIL_RESULTS"] = folder
        row = measure(options.frames, options.people, options.faces)
    print(json.dumps(row, indent=2))
    if options.json:
        options.json.write_text(json.dumps(row, indent=2))
    return int(not row["holds"])


def measure(num_frames: int, num_people: int, num_faces: int) -> dict[str, Any]:
    """Draws the detections of segments into the store, and runs the stages on them as the flow does."""
    from tasks.build_tracks import build_tracks
    from tasks.choose_people import choose_people
    from tasks.manifests import Photos, SegmentFaces, Shots, Video
    from tasks.plan import BuildTracks, ChoosePeople
    from tasks.recognisers.faceres import Faceres
    from tasks.results import ObjectStore
    from tasks.segments import cut_into_segments
    from tasks.selectors.known_faces import KnownFaces
    from tests.fakes import frame_index, video_info

    store = ObjectStore()
    info = video_info(num_frames=num_frames, width=1920, height=1080, frame_rate=_RATE, duration_seconds=num_frames / _RATE)
    video = Video(info=info, index_ref=store.put("index", frame_index(info).to_bytes()))
    shots, people = _shots(num_frames), _people(num_people)
    faces = [
        SegmentFaces(detections_ref=store.put("detections", drawn.to_bytes()), num_looks=1, num_frames=1)
        for drawn in _drawn(shots, people, num_faces)
    ]
    num_detections = sum(len(each.detections) for each in faces)
    photos = Photos(embeddings_ref=store.put("photos", _packed(people[:3])))
    seconds = {}
    started = time.process_time()
    tracks = build_tracks.fn(video, Shots(shots=tuple(shots)), faces, (), Faceres(), BuildTracks())
    seconds["build_tracks"] = time.process_time() - started
    started = time.process_time()
    selectors = (KnownFaces(photos=("people/",), names=("0", "1", "2")),)
    settings = ChoosePeople(policy="keep_only", selectors=selectors)
    choose_people.fn(video, tracks, photos, cut_into_segments(shots, _SEGMENT_FRAMES), Faceres(), settings)
    seconds["choose_people"] = time.process_time() - started
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"num_frames": num_frames, "num_detections": num_detections, "num_tracks": tracks.num_tracks, "num_persons": tracks.num_persons}
    told["num_mixed"] = _mixed(tracks.tracks, people)
    holds = sum(seconds.values()) <= MOST_SECONDS and peak_mib <= MOST_MIB
    holds &= tracks.num_persons <= MOST_FOUND * num_people and not told["num_mixed"]
    return told | {"seconds": seconds, "peak_mib": round(peak_mib), "num_people": num_people, "holds": holds}


def _shots(num_frames: int) -> list[Any]:
    import numpy as np

    from tasks.tracks import Shot

    random = np.random.default_rng(1)
    cuts = np.unique(random.integers(1, num_frames, num_frames // (30 * _RATE))).tolist()
    return [Shot(first=a, last=b - 1, visible_first=a, visible_last=b - 1) for a, b in zip([0, *cuts], [*cuts, num_frames], strict=True)]


def _people(number: int) -> Any:
    """(number, 1024) float32, as far from one another as strangers are."""
    import numpy as np

    values = np.random.default_rng(2).normal(size=(number, _DIMENSIONS))
    values[:, _FREE_DIMENSIONS:] = 0
    return (_LENGTH * values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def _aside(vectors: Any, radians: Any, random: Any) -> Any:
    """The vectors, (N, D), each turned so far in a direction of its own."""
    import numpy as np

    directions = random.normal(size=vectors.shape)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    directions -= (directions * unit).sum(axis=1, keepdims=True) * unit
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    angles = np.reshape(radians, (-1, 1))
    return _LENGTH * (np.cos(angles) * unit + np.sin(angles) * directions)


def _mixed(tracks: Sequence[Any], people: Any) -> int:
    """Persons of whose tracks two people are nearest to some."""
    import numpy as np

    found: dict[int, set[int]] = {}
    for track in tracks:
        if not np.isnan(track.embedding).any():
            found.setdefault(track.person, set()).add(int(np.argmax(people @ track.embedding)))
    return sum(len(each) > 1 for each in found.values())


def _packed(people: Any) -> bytes:
    from tasks import arrays

    return arrays.pack({str(number): person[None] for number, person in enumerate(people)})


def _drawn(shots: Sequence[Any], people: Any, num_faces: int) -> Iterator[Any]:
    """The detections of each segment."""
    from tasks.faces import Detections
    from tasks.segments import cut_into_segments

    for number, segment in enumerate(cut_into_segments(shots, _SEGMENT_FRAMES)):
        yield Detections.concatenate(_drawn_shot(shot, people, num_faces, 1000 * number + i) for i, shot in enumerate(segment.shots))


def _drawn_shot(shot: Any, people: Any, num_faces: int, seed: int) -> Any:
    import numpy as np

    from tasks.faces import Detections

    random = np.random.default_rng(seed)
    seen: list[tuple[Any, ...]] = []
    free = random.permutation(len(people)).tolist()
    for way in range(num_faces):
        first = shot.first
        while first <= shot.last:
            last = min(shot.last, first + int(random.uniform(*_VISIT_SECONDS) * _RATE))
            free.append(person := free.pop(0))  # nobody is seen twice at once
            frames = np.arange(first, last + 1)
            whole = (frames % _WHOLE_FRAMES == 0) | (frames == shot.first) | (frames == shot.last)
            looked_at = whole | (random.random(len(whole)) < _NEAR_SHARE)
            frames, whole = frames[looked_at], whole[looked_at]
            x = 240 + 480 * way + 130 * np.sin(frames / 90 + seed)
            y = 500 + 80 * np.cos(frames / 130 + way)
            boxes = np.stack([x - 45, y - 60, x + 45, y + 60], 1) + random.normal(0, 1.5, (len(frames), 4))
            poor = random.random() < _POOR_SHARE
            visit = _aside(people[person][None], random.normal(_ASIDE + _POOR_ASIDE * poor, 0.07), random)
            embeddings = np.full((len(frames), _DIMENSIONS), np.nan, np.float32)
            embeddings[whole] = _aside(np.repeat(visit, whole.sum(), axis=0), np.full(whole.sum(), _LOOK_ASIDE), random)
            qualities = np.where(whole, _POOR if poor else _CLEAR, 0).astype(np.float32)
            seen.append((frames, boxes.astype(np.float32), embeddings, qualities))
            first = last + 1 + int(random.integers(2, 8))
    frames, boxes, embeddings, qualities = (np.concatenate(each) for each in zip(*seen, strict=True))
    order = np.argsort(frames, kind="stable")
    looked = np.unique(np.append(frames, np.arange(shot.first, shot.last + 1, _WHOLE_FRAMES)))
    return Detections(
        looked=looked,
        frames=frames[order],
        boxes=boxes[order],
        scores=np.full(len(frames), 0.8, np.float32),
        landmarks=np.zeros((len(frames), 5, 2), np.float32),
        embeddings=embeddings[order],
        qualities=qualities[order],
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.long", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, default=864_000)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--faces", type=int, default=4, help="in a frame")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
