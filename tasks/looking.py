"""Looking at frames: a window of decoded frames moves forward once, and what the sampler asks for is detected inside it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import av
import numpy as np
import numpy.typing as npt

from tasks.faces import Detections, Faces, Floats
from tasks.models.session import num_cores
from tasks.tracks import Shot
from tasks.video.info import VideoInfo
from tasks.video.upright import to_decoded, upright_bgr, upright_size

_WINDOW_BYTES = 192 << 20
_MOST_WINDOW_FRAMES = 129


class Detector(Protocol):
    def detect(self, picture_bgr: npt.NDArray[np.uint8]) -> Faces:
        """The faces of a picture, (H, W, 3) uint8 BGR, upright, in its pixels; called from several threads at once."""


class Recogniser(Protocol):
    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        """Embeddings, (N, D) float32, and qualities, (N,) float32, 0 to 1, of the faces of one picture."""


class Sampler(Protocol):
    def looks(self, first: int, last: int, window_frames: int, frame_rate: float = 30.0) -> Generator[list[int], Detections, None]:
        """Yields frames to look at, from first to last of one shot; takes back what was found at them, in order of frame."""


class Finder:
    """A loaded detector and a loaded recogniser, which look at several pictures side by side: a core for each beats all cores for one.

    Leaving its `with` block ends its threads, and gives back what they hold.
    """

    def __init__(self, detector: Detector, recogniser: Recogniser) -> None:
        self.recogniser = recogniser
        self._detector = detector
        self._pool = ThreadPoolExecutor(num_cores(), thread_name_prefix="find-faces")

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


def window_frames(info: VideoInfo) -> int:
    """How many decoded frames are kept at once: as many as fit a fixed amount of memory."""
    frame_bytes = info.width * info.height * 2 * (2 if "p1" in info.pixel_format else 1)
    return int(np.clip(_WINDOW_BYTES // frame_bytes, 5, _MOST_WINDOW_FRAMES))


def seen_size(info: VideoInfo) -> tuple[tuple[int, int], npt.NDArray[np.float64]]:
    """The size of the upright picture as it is shown, and how many of its pixels a sample stands for, across and down.

    Where samples are not square, faces are stretched; they are looked at in their true shape, the narrower side drawn out.
    """
    width, height = upright_size(*info.turn)
    aspect = info.upright_aspect
    size = (round(width * max(1.0, aspect)), round(height * max(1.0, 1 / aspect)))
    return size, np.array(size) / (width, height)


def look(
    frames: Iterator[tuple[int, av.VideoFrame]], shots: Sequence[Shot], info: VideoInfo, sampler: Sampler, finder: Finder
) -> Detections:
    """What the sampler's looks find in consecutive shots, whose frames come one by one."""
    parts = []
    for shot in shots:
        window: dict[int, av.VideoFrame] = {}
        looks = sampler.looks(shot.first, shot.last, window_frames(info), float(info.frame_rate))
        wanted = next(looks)
        while True:
            # A window begins at the last one's end, which was looked at and needs no second look.
            for frame in [frame for frame in window if wanted[0] > max(window)]:
                del window[frame]
            while wanted[-1] not in window:
                number, picture = next(frames)
                window[number] = picture
            parts.append(look_at([(number, window[number]) for number in wanted], info, finder))
            try:
                wanted = looks.send(parts[-1])
            except StopIteration:
                break
        for _ in range(shot.last - max(window)):
            next(frames)
    return Detections.concatenate(parts)


def look_at(frames: Sequence[tuple[int, av.VideoFrame]], info: VideoInfo, finder: Finder) -> Detections:
    """What is found in these frames; boxes in pixels of the decoded picture."""
    size, scale = seen_size(info)
    found = finder.find([partial(upright_bgr, frame, info.rotation_degrees, size, info.mirrored) for _, frame in frames])
    numbers = np.array([number for number, _ in frames], np.int64)
    faces = [each for each, _, _ in found]
    boxes = to_decoded(np.concatenate([each.boxes for each in faces]).reshape(-1, 2, 2) / scale, *info.turn)
    return Detections(
        looked=numbers,
        frames=np.repeat(numbers, [len(each) for each in faces]),
        boxes=np.concatenate([boxes.min(1), boxes.max(1)], 1).astype(np.float32),
        scores=np.concatenate([each.scores for each in faces]),
        landmarks=to_decoded(np.concatenate([each.landmarks for each in faces]) / scale, *info.turn).astype(np.float32),
        embeddings=np.concatenate([embeddings for _, embeddings, _ in found]),
        qualities=np.concatenate([qualities for _, _, qualities in found]),
    )
