"""The finder: a detector and a recogniser that look at frames, at whole pictures or near a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import av
import numpy as np
import numpy.typing as npt

from tasks.faces import Detections, Faces, Floats
from tasks.models.session import num_cores
from tasks.recognisers import chips
from tasks.samplers.looks import Look, face_near
from tasks.video.cropping import cut_out, part_around
from tasks.video.info import VideoInfo
from tasks.video.upright import boxes_to_decoded, boxes_to_upright, to_decoded, upright_bgr, upright_size

_NEAR_FACE_PIXELS = 40  # of a face that is looked for near a place: enough to be found, and its box exact
_ABOVE_SMALLEST = 1.5  # times the smallest face that the detector finds, at least
_ENLARGED = 1.5  # at most, for that
_CONTEXT = 0.5  # of a face's size, beyond where it may be: a detector wants to see what is around it
_CHIP_REACH = 1.0  # of a face's size, around faces that are recognised


class Detector(Protocol):
    def detect(self, picture_bgr: npt.NDArray[np.uint8]) -> Faces:
        """The faces of a picture, (H, W, 3) uint8 BGR, upright, in its pixels; called from several threads at once."""


@runtime_checkable
class Sizing(Detector, Protocol):
    """A detector that says how large a picture it looks at, so that no larger one is made for it."""

    @property
    def smallest_pixels(self) -> float:
        """Width of the smallest face that it finds in a picture of the right size."""

    def long_side_pixels(self, width: int, height: int) -> int:
        """Of the picture that the detector makes of an upright one of that width and height."""

    def detect_at(self, picture_bgr: npt.NDArray[np.uint8], is_part: bool) -> Faces:
        """The faces of a picture that has the right size already, in its pixels; `is_part`: no more than what is around a face."""


class Recogniser(Protocol):
    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings, (N, D) float32, and qualities, (N,) float32, 0 to 1, of the faces of one picture."""


class Finder:
    """A loaded detector and a loaded recogniser, which look at several pictures side by side: a core for each beats all cores for one.

    `at_once` says at how many, where that is not one for each core: a GPU's batches are filled from what is waited for (see `num_at_once`).
    Leaving its `with` block ends its threads, and gives back what they hold.
    """

    def __init__(self, detector: Detector, recogniser: Recogniser, at_once: int | None = None) -> None:
        self.recogniser = recogniser
        self._detector = detector
        self._pool = ThreadPoolExecutor(at_once or num_cores(), thread_name_prefix="find-faces")

    def __enter__(self) -> Finder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def find(self, pictures: Sequence[Callable[[], npt.NDArray[np.uint8]]]) -> list[tuple[Faces, Floats, Floats]]:
        """For each picture its faces, their embeddings and the qualities of these.

        A picture is what its call gives, (H, W, 3) uint8 BGR, upright; it is made where it is looked at.
        """
        return list(self._pool.map(self._find, pictures))

    def _find(self, picture: Callable[[], npt.NDArray[np.uint8]]) -> tuple[Faces, Floats, Floats]:
        picture_bgr = picture()
        faces = self._detector.detect(picture_bgr)
        return (faces, *self.recogniser.embed(picture_bgr, faces))

    def start(self, look: Look, frame: av.VideoFrame, info: VideoInfo) -> Future[Detections]:
        """Begins a look at a frame; boxes will be in pixels of the decoded picture."""
        return self._pool.submit(self._whole if look.near is None else self._near, look, frame, info)

    def _whole(self, look: Look, frame: av.VideoFrame, info: VideoInfo) -> Detections:
        """All faces of a picture, which is converted at the size that the detector wants, and once more around the faces found."""
        size, shape = np.array(upright_size(*info.turn)), _shape(info)
        if not isinstance(self._detector, Sizing):
            picture_bgr = _upright(frame, info, size * shape)
            faces = self._detector.detect(picture_bgr)
            embeddings, qualities = self._told(look, picture_bgr, faces)
            return replace(_as_decoded(look.frame, _scaled(faces, picture_bgr, size), embeddings, info.turn), qualities=qualities)
        width, height = (size * shape).round().astype(int).tolist()
        scale = self._detector.long_side_pixels(width, height) / max(width, height)
        picture_bgr = _upright(frame, info, size * shape * scale)
        faces = _scaled(self._detector.detect_at(picture_bgr, is_part=False), picture_bgr, size)
        if not len(faces):
            return _as_decoded(look.frame, faces, self._unknown(picture_bgr, 0), info.turn)
        found = _as_decoded(look.frame, faces, np.zeros((len(faces), 0), np.float32), info.turn)
        around = _CHIP_REACH * np.tile((found.boxes[:, 2:] - found.boxes[:, :2]).max(0), 2) * np.array([-1, -1, 1, 1])
        part = part_around(np.concatenate([found.boxes[:, :2].min(0), found.boxes[:, 2:].max(0)]) + around, 0, info.width, info.height)
        corner = boxes_to_upright(np.array([part], np.float32), *info.turn)[0, :2].astype(np.float32)
        moved = Faces((faces.boxes - np.tile(corner, 2)) * np.tile(shape, 2), faces.scores, (faces.landmarks - corner) * shape)
        part_bgr = _upright(cut_out(frame, part), info, np.array(upright_size(*part.size, info.rotation_degrees)) * shape)
        embeddings, qualities = self._told(look, part_bgr, moved)
        return replace(found, embeddings=embeddings, qualities=qualities)

    def _near(self, look: Look, frame: av.VideoFrame, info: VideoInfo) -> Detections:
        """The face that is expected at a place, or none; without an embedding."""
        assert look.near is not None
        part = part_around(look.near, look.reach + _CONTEXT, info.width, info.height)
        turn = (*part.size, info.rotation_degrees, info.mirrored)
        size = np.array(upright_size(*part.size, info.rotation_degrees))
        sizing = self._detector if isinstance(self._detector, Sizing) else None
        wanted = max(_NEAR_FACE_PIXELS, _ABOVE_SMALLEST * sizing.smallest_pixels) if sizing else _NEAR_FACE_PIXELS
        scale = min(wanted / float(np.sqrt(np.prod(np.maximum(look.near[2:] - look.near[:2], 1)))), _ENLARGED)
        picture_bgr = _upright(cut_out(frame, part), info, np.maximum(size * _shape(info) * scale, 8))
        faces = sizing.detect_at(picture_bgr, is_part=True) if sizing else self._detector.detect(picture_bgr)
        faces = _scaled(faces, picture_bgr, size)
        found = _as_decoded(look.frame, faces, self._unknown(picture_bgr, len(faces)), turn)
        corner = np.array([part.left, part.top], np.float32)
        found = replace(found, boxes=found.boxes + np.tile(corner, 2), landmarks=found.landmarks + corner)
        return found[face_near(look, found.boxes, found.scores)]

    def _told(self, look: Look, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings and qualities; of faces that are not recognised how well they are seen is told all the same."""
        if look.recognise:
            return self.recogniser.embed(picture_bgr, faces)
        seen = [chips.quality(chips.warp(picture_bgr, landmarks), faces, row) for row, landmarks in enumerate(faces.landmarks)]
        return self._unknown(picture_bgr, len(faces)), np.array(seen, np.float32)

    def _unknown(self, picture_bgr: npt.NDArray[np.uint8], count: int) -> Floats:
        """The embeddings of faces that are not recognised."""
        return np.full((count, self.recogniser.embed(picture_bgr, Faces.none())[0].shape[1]), np.nan, np.float32)


def _shape(info: VideoInfo) -> Floats:
    """(2,), how many pixels a sample takes, across and down, in the upright picture as it is shown.

    Where samples are not square, faces are stretched; they are looked at in their true shape, the narrower side drawn out.
    """
    return np.array([max(1.0, info.upright_aspect), max(1.0, 1 / info.upright_aspect)], np.float32)


def _upright(frame: av.VideoFrame, info: VideoInfo, size: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The picture of a frame or of a part of one, as it is shown, at about that width and height."""
    width, height = np.maximum(np.round(size), 1).astype(int).tolist()
    return upright_bgr(frame, info.rotation_degrees, (width, height), info.mirrored)


def _scaled(faces: Faces, picture_bgr: npt.NDArray[np.uint8], size: npt.NDArray[Any]) -> Faces:
    """Faces of a picture that was made smaller or larger, in pixels of what it was made from; `size` is the width and height of that."""
    scale = (size / picture_bgr.shape[1::-1]).astype(np.float32)
    return Faces(faces.boxes * np.tile(scale, 2), faces.scores, faces.landmarks * scale)


def _as_decoded(frame: int, faces: Faces, embeddings: Floats, turn: tuple[int, int, int, bool]) -> Detections:
    """Faces of an upright picture, with qualities of 0, on the decoded one; `turn` as in `VideoInfo.turn`."""
    return Detections(
        looked=np.array([frame], np.int64),
        frames=np.full(len(faces), frame, np.int64),
        boxes=boxes_to_decoded(faces.boxes, *turn).astype(np.float32),
        scores=faces.scores,
        landmarks=to_decoded(faces.landmarks, *turn).astype(np.float32),
        embeddings=embeddings,
        qualities=np.zeros(len(faces), np.float32),
    )
