"""From chains of detections to tracks: filled in between looks, begun before the first and ended after the last one, steadied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from tasks.calibration import scaled_mean
from tasks.faces import Detections, Floats, Ints
from tasks.plan import Ways
from tasks.recognisers.chips import frontality
from tasks.tracks import Shot, Track
from tasks.trails import Start

_MOTION_FRAMES = 8  # at a track's end, over which its motion is measured
_NEAR_EDGE = 0.04  # of a face's size: how near to the picture's edge it may still be cut by it
_GROWTH = 0.02  # of a face's size, by which an extended box grows on each side a frame: it is a guess
_SURE_FRAMES = 6  # from a frame at which a face was seen, within which no doubt is where it is
_MOST_DOUBT = 0.25  # of a face's size
NO_TRAILS: Mapping[Start, Floats] = MappingProxyType({})


@dataclass(frozen=True)
class Extension:
    """How far a track reaches beyond what was seen of it."""

    lead_frames: int  # beyond the first and last detection, wherever the face was
    leaving_frames: int  # where the face was moving out of the picture
    most_unseen_frames: int  # between two looks: so far beyond its first and last one a face may be that few looks met
    width: int  # of the picture, pixels
    height: int


def tracks_of_shot(
    detections: Detections,
    shot: Shot,
    extension: Extension,
    ways: Ways,
    trails: Mapping[Start, Floats] = NO_TRAILS,
) -> list[Track]:
    """The tracks of one shot, from the detections of the whole video; in order of first detection.

    `trails` are the boxes along which faces were followed, by where they start (see `Trail`).
    """
    inside = detections.within(shot.first, shot.last)
    return [_track(inside, chain, shot, extension, ways, trails) for chain in ways.linker.chains(inside)]


def _track(detections: Detections, chain: Ints, shot: Shot, extension: Extension, ways: Ways, trails: Mapping[Start, Floats]) -> Track:
    """The track of one chain of rows of `detections`; its person is not known yet and given as -1."""
    seen_frames, seen_boxes = detections.frames[chain], detections.boxes[chain]
    known_frames, known_boxes = _with_trails(seen_frames, seen_boxes, trails)
    inner = np.arange(known_frames[0], known_frames[-1] + 1)
    boxes = _possible(ways.interpolator.fill(known_frames, known_boxes, inner), known_boxes, extension)
    boxes[known_frames - inner[0]] = known_boxes
    boxes = _grown(boxes, _doubt(inner, seen_frames, known_frames))
    steps = np.minimum(np.diff(seen_frames), extension.most_unseen_frames) if len(chain) > 1 else [extension.most_unseen_frames]
    followed = int(seen_frames[0] - inner[0]), int(inner[-1] - seen_frames[-1])
    first, last = (
        replace(extension, lead_frames=max(extension.lead_frames, int(step) - way))
        for step, way in zip((steps[0], steps[-1]), followed, strict=True)
    )
    before = _lead(boxes[::-1], int(inner[0]) - shot.visible_first, shot.first - shot.visible_first, first)[::-1]
    after = _lead(boxes, shot.visible_last - int(inner[-1]), shot.visible_last - shot.last, last)
    frames = np.arange(inner[0] - len(before), inner[-1] + len(after) + 1)
    raw = np.concatenate([before, boxes, after])
    smooth = ways.smoother.smooth(raw)
    union = np.concatenate([np.minimum(raw[:, :2], smooth[:, :2]), np.maximum(raw[:, 2:], smooth[:, 2:])], 1)
    scores = np.zeros(len(frames), np.float32)
    scores[seen_frames - frames[0]] = detections.scores[chain]
    qualities = detections.qualities[chain]
    return Track(
        frames=frames,
        boxes=_beyond_edges(union, extension.width, extension.height),
        seen=scores,
        embedding=_mean_embedding(detections.embeddings[chain], qualities),
        quality=_quality(detections.embeddings[chain], qualities),
        best=int(seen_frames[np.argmax(qualities)] - frames[0]),
        person=-1,
        frontality=_frontality(detections[chain]),
    )


def _with_trails(frames: Ints, boxes: Floats, trails: Mapping[Start, Floats]) -> tuple[Ints, Floats]:
    """The frames, and their boxes, at which a face was seen, and those at which it was followed from there.

    Where it was followed from both sides of a gap, each side counts as much as it is near.
    """
    ways: dict[int, list[tuple[float, Floats]]] = {}
    steps = np.diff(frames).tolist()
    for frame, box, room_before, room_after in zip(frames.tolist(), boxes, [None, *steps], [*steps, None], strict=True) if trails else ():
        for direction, room in ((-1, room_before), (1, room_after)):
            reached = trails.get(Start.of(frame, direction, box), boxes[:0])[: None if room is None else room - 1]
            for number, way in enumerate(reached, 1):
                ways.setdefault(frame + direction * number, []).append((1 / number, way))
    if not ways:
        return frames, boxes
    between = np.array([np.average([box for _, box in known], axis=0, weights=[near for near, _ in known]) for known in ways.values()])
    all_frames, all_boxes = np.append(frames, [*ways]), np.concatenate([boxes, between.astype(np.float32)])
    order = np.argsort(all_frames)
    return all_frames[order], all_boxes[order]


def _possible(boxes: Floats, known: Floats, extension: Extension) -> Floats:
    """Filled-in boxes that are no smaller than any known one, and no further out of the picture: a spline may swing beyond its looks."""
    least = (known[:, 2:] - known[:, :2]).min(0)
    centres, half = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], least) / 2
    low = np.minimum(known.min(0)[:2], 0)
    high = np.maximum(known.max(0)[2:], [extension.width, extension.height])
    centres = np.clip(centres, low + half, high - half)
    return np.asarray(np.concatenate([centres - half, centres + half], 1), np.float32)


def _doubt(frames: Ints, seen: Ints, known: Ints) -> Floats:
    """(N,) how far a box may be off at each frame, in face sizes: the more, the further away the face was seen.

    A face that was followed there is where it is taken to be more surely than one between two looks.
    """
    nearest = np.abs(frames[:, None] - seen[np.clip(np.searchsorted(seen, frames)[:, None] - [1, 0], 0, len(seen) - 1)]).min(1)
    rate = np.where(np.isin(frames, known), _GROWTH / 2, _GROWTH)
    return np.asarray(np.minimum(rate * np.maximum(nearest - _SURE_FRAMES, 0), _MOST_DOUBT), np.float32)


def _grown(boxes: Floats, shares: Floats) -> Floats:
    growth = shares[:, None] * np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return np.asarray(boxes + growth * np.array([-1, -1, 1, 1], np.float32), np.float32)


def _lead(boxes: Floats, room_frames: int, fade_frames: int, extension: Extension) -> Floats:
    """Boxes (M, 4) for the frames after the last of `boxes`, at most room_frames: on with its motion, growing.

    The last fade_frames of the room are a fade, through which a face is covered that was there until it began.
    """
    last = boxes[-1]
    steps = boxes[-_MOTION_FRAMES:]
    velocity = (steps[-1] - steps[0]) / max(1, len(steps) - 1)
    shift = np.tile((velocity[:2] + velocity[2:]) / 2, 2)
    limits = np.array([extension.width, extension.height, extension.width, extension.height], np.float32)
    size = np.tile(last[2:] - last[:2], 2)
    edge_distance = np.array([last[0], last[1], limits[0] - last[2], limits[1] - last[3]])
    outward = np.array([-shift[0], -shift[1], shift[0], shift[1]])
    leaving = np.any((edge_distance < size / 2) & (outward > 0.004 * size))
    until_fade = room_frames - fade_frames
    wanted = max(extension.lead_frames, extension.leaving_frames) if leaving else extension.lead_frames
    num_frames = room_frames if until_fade <= extension.lead_frames else min(room_frames, wanted)
    ahead = np.arange(1, max(0, num_frames) + 1, dtype=np.float32)[:, None]
    growth = _GROWTH * size * np.array([-1, -1, 1, 1])
    guessed = last + shift * ahead + growth * np.minimum(ahead, extension.lead_frames)
    inside = np.all((guessed[:, 2:] > 0) & (guessed[:, :2] < limits[:2]), axis=1)
    return np.asarray(guessed[: len(inside) if inside.all() else int(np.argmin(inside))], np.float32)


def _beyond_edges(boxes: Floats, width: int, height: int) -> Floats:
    """Boxes that touch the picture's edge, or nearly, reach half a face beyond it, so that a round cover hides the side that is cut."""
    size = boxes[:, 2:] - boxes[:, :2]
    near = _NEAR_EDGE * size
    limits = np.array([width, height], np.float32)
    reached = boxes.copy()
    reached[:, :2] = np.where(boxes[:, :2] < near, np.minimum(boxes[:, :2], -size / 2), boxes[:, :2])
    reached[:, 2:] = np.where(boxes[:, 2:] > limits - near, np.maximum(boxes[:, 2:], limits + size / 2), boxes[:, 2:])
    return reached.astype(np.float32)


def _quality(embeddings: Floats, qualities: Floats) -> float:
    """Of the best look at which the face was recognised; of the best one where it never was."""
    known = ~np.isnan(embeddings[:, 0])
    return float((qualities[known] if known.any() else qualities).max())


def _frontality(detections: Detections) -> float:
    """Of the most frontal face that has an embedding."""
    known = ~np.isnan(detections.embeddings[:, 0])
    return max((frontality(landmarks) for landmarks in detections.landmarks[known]), default=0.0)


def _mean_embedding(embeddings: Floats, qualities: Floats) -> Floats:
    """The quality-weighted mean direction of the better half; NaN where nothing can be trusted."""
    known = ~np.isnan(embeddings[:, 0]) & (qualities > 0)
    if not known.any():
        return np.full(embeddings.shape[1], np.nan, np.float32)
    good = known & (qualities >= np.median(qualities[known]))
    return scaled_mean(embeddings[good], qualities[good])
