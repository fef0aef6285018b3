"""From chains of detections to tracks: filled in between looks, begun before the first and ended after the last one, steadied."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tasks.faces import Detections, Floats, Ints
from tasks.interpolators.scipy_family import Interpolator
from tasks.linkers.chains import Linker
from tasks.smoothers.filters import Smoother
from tasks.tracks import Shot, Track

_MOTION_FRAMES = 8  # at a track's end, over which its motion is measured
_NEAR_EDGE = 0.04  # of a face's size: how near to the picture's edge it may still be cut by it
_GROWTH = 0.02  # of a face's size, by which an extended box grows on each side a frame: it is a guess


@dataclass(frozen=True)
class Extension:
    """How far a track reaches beyond what was seen of it."""

    lead_frames: int  # beyond the first and last detection, wherever the face was
    leaving_frames: int  # where the face was moving out of the picture
    most_unseen_frames: int  # between two looks: so far beyond its first and last one a face may be that few looks met
    width: int  # of the picture, pixels
    height: int


def tracks_of_shot(
    detections: Detections, shot: Shot, extension: Extension, linker: Linker, interpolator: Interpolator, smoother: Smoother
) -> list[Track]:
    """The tracks of one shot, from the detections of the whole video; in order of first detection."""
    inside = detections.within(shot.first, shot.last)
    return [_track(inside, chain, shot, extension, interpolator, smoother) for chain in linker.chains(inside)]


def _track(detections: Detections, chain: Ints, shot: Shot, extension: Extension, interpolator: Interpolator, smoother: Smoother) -> Track:
    """The track of one chain of rows of `detections`; its person is not known yet and given as -1."""
    seen_frames, seen_boxes = detections.frames[chain], detections.boxes[chain]
    inner = np.arange(seen_frames[0], seen_frames[-1] + 1)
    boxes = interpolator.fill(seen_frames, seen_boxes, inner)
    boxes[seen_frames - inner[0]] = seen_boxes
    steps = np.minimum(np.diff(seen_frames), extension.most_unseen_frames) if len(chain) > 1 else [extension.most_unseen_frames]
    first, last = (replace(extension, lead_frames=max(extension.lead_frames, int(step))) for step in (steps[0], steps[-1]))
    before = _lead(boxes[::-1], int(inner[0]) - shot.visible_first, shot.first - shot.visible_first, first)[::-1]
    after = _lead(boxes, shot.visible_last - int(inner[-1]), shot.visible_last - shot.last, last)
    frames = np.arange(inner[0] - len(before), inner[-1] + len(after) + 1)
    raw = np.concatenate([before, boxes, after])
    smooth = smoother.smooth(raw)
    union = np.concatenate([np.minimum(raw[:, :2], smooth[:, :2]), np.maximum(raw[:, 2:], smooth[:, 2:])], 1)
    scores = np.zeros(len(frames), np.float32)
    scores[seen_frames - frames[0]] = detections.scores[chain]
    qualities = detections.qualities[chain]
    return Track(
        frames=frames,
        boxes=_beyond_edges(union, extension.width, extension.height),
        seen=scores,
        embedding=_mean_embedding(detections.embeddings[chain], qualities),
        quality=float(qualities.max()),
        best=int(seen_frames[np.argmax(qualities)] - frames[0]),
        person=-1,
    )


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


def _mean_embedding(embeddings: Floats, qualities: Floats) -> Floats:
    """The quality-weighted mean of the better half; NaN where nothing can be trusted."""
    known = ~np.isnan(embeddings[:, 0]) & (qualities > 0)
    if not known.any():
        return np.full(embeddings.shape[1], np.nan, np.float32)
    good = known & (qualities >= np.median(qualities[known]))
    return np.asarray(np.average(embeddings[good], axis=0, weights=qualities[good]), np.float32)
