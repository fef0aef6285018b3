"""Pictures of faces, cut out of the frames in which they are seen best."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import av
import cv2
import numpy as np
import numpy.typing as npt

from flows.people import BestView
from tasks import progress
from tasks.faces import FaceBox
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.upright import upright_bgr

Read = Callable[[int, int], Iterator[tuple[int, av.VideoFrame]]]
"""Gives frames from one to another, both included, each with its number; to be closed."""

_MARGIN = 0.35  # of the face's larger side, on each side of it: hair and chin help to know somebody
_LARGEST_PIXELS = 360
_BEYOND = 128  # the grey beyond the picture's edge
_JPEG_QUALITY = 88
_NEAR_SECONDS = 2  # a seek, with a file to open, costs about as much as decoding so much


def face_pictures(
    read: Read, info: VideoInfo, index: FrameIndex, views: Sequence[BestView], largest_pixels: int = _LARGEST_PIXELS
) -> list[bytes]:
    """A square JPEG for each view, `largest_pixels` wide at most. Goes through the video once, forwards, and decodes no frame twice."""
    wanted: dict[int, list[int]] = {}
    for number, view in enumerate(views):
        wanted.setdefault(view.frame, []).append(number)
    runs = runs_of(list(wanted), info, index)
    pictures: dict[int, bytes] = {}
    progress.begin("cut_out_faces", sum(last - first + 1 for first, last in runs))
    for frame_number, frame in progress.counted("cut_out_faces", _frames(read, runs)):
        if frame_number in wanted:
            picture_bgr = upright_bgr(frame, info.rotation_degrees, mirrored=info.mirrored)
            for number in wanted[frame_number]:
                pictures[number] = _jpeg(cut_out(picture_bgr, views[number].box, info.upright_aspect, largest_pixels))
    progress.end("cut_out_faces", cached=False)
    return [pictures[number] for number in range(len(views))]


def runs_of(frames: Sequence[int], info: VideoInfo, index: FrameIndex) -> list[tuple[int, int]]:
    """Stretches (first, last) that hold all these frames: a new one begins where a jump to a key frame saves decoding what lies between."""
    near_frames = round(_NEAR_SECONDS * info.frame_rate)
    runs: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        reached = runs[-1][1] if runs else -1
        if not runs or (info.seekable and frame - reached > near_frames and index.key_before(frame) > reached):
            runs.append((frame, frame))
        else:
            runs[-1] = (runs[-1][0], frame)
    return runs


def _frames(read: Read, runs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, av.VideoFrame]]:
    for first, last in runs:
        with closing(read(first, last)) as frames:  # type: ignore[type-var]
            yield from frames


def cut_out(
    picture_bgr: npt.NDArray[np.uint8], box: FaceBox, aspect: float = 1.0, largest_pixels: int = _LARGEST_PIXELS
) -> npt.NDArray[np.uint8]:
    """A square picture, (S, S, 3) uint8, of a face and what is around it, never enlarged; grey beyond the picture's edge.

    The face always is in the middle, so that nobody beside it can be taken for it.

    `aspect` is the width of a sample over its height.
    """
    height, width = picture_bgr.shape[:2]
    side = max(box.width * aspect, box.height) * (1 + 2 * _MARGIN)
    columns, rows = max(1, round(side / aspect)), max(1, round(side))
    left, top = round((box.left + box.right - columns) / 2), round((box.top + box.bottom - rows) / 2)
    region = np.full((rows, columns, 3), _BEYOND, np.uint8)
    seen_rows, seen_columns = slice(max(0, top), min(height, top + rows)), slice(max(0, left), min(width, left + columns))
    region[seen_rows.start - top : seen_rows.stop - top, seen_columns.start - left : seen_columns.stop - left] = picture_bgr[
        seen_rows, seen_columns
    ]
    size = min(largest_pixels, rows)
    return np.asarray(cv2.resize(region, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(picture_bgr: npt.NDArray[np.uint8]) -> bytes:
    _, content = cv2.imencode(".jpg", picture_bgr, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return bytes(content)
