"""Stand-ins for detector, recogniser and footage, by a script: `{frame: [face…]}` says what is to be found in which frame.

A picture carries its frame's number as a row of black and white blocks, which survive a video encoder: so a fake knows, in whatever order
and thread it is called, which frame it looks at.

    detector = ScriptedDetector({0: [FaceBox(10, 10, 50, 60)], 3: [Seen(FaceBox(12, 10, 52, 60), score=0.4)]})
    detector.detect(numbered_picture(3))  # Faces with one box
    detector.looked  # [3]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tasks.faces import Detections, FaceBox, Faces, Floats
from tasks.tracks import Track
from tasks.video.info import FrameIndex, VideoInfo

SOME_PLACE = FaceBox(10, 10, 50, 50)
NO_EMBEDDING = (float("nan"),) * 2
_LENGTH = 0.6  # of faceres' embeddings
_BLOCKS = 12  # binary digits of a frame's number
# Both eyes, nose tip, corners of the mouth, in shares of a face's box.
_LANDMARKS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], np.float32)


class Seen(NamedTuple):
    """A face in a script, where its box alone is not enough."""

    box: FaceBox
    score: float = 0.9
    embedding: tuple[float, ...] = NO_EMBEDDING
    quality: float = 1.0


FaceScript = Mapping[int, Sequence[FaceBox | Seen]]


def face(person: int, off: float = 0.0, toward: int = 7) -> tuple[float, ...]:
    """An embedding of one of six people, who are as far apart as strangers, `off` that person's, towards another one or nobody (6, 7)."""
    angle = 2 * np.arcsin(off / (2 * _LENGTH))
    values = np.zeros(8)
    values[person], values[toward] = np.cos(angle), np.sin(angle)
    return tuple((_LENGTH * values).tolist())


def square(x: float, y: float, size: float) -> FaceBox:
    """A square face by its centre."""
    return FaceBox(x - size / 2, y - size / 2, x + size / 2, y + size / 2)


def numbered_picture(number: int, width: int = 192, height: int = 96) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8 BGR: grey, with the number in its upper quarter."""
    picture = np.full((height, width, 3), 128, np.uint8)
    for digit in range(_BLOCKS):
        picture[: height // 4, digit * width // _BLOCKS : (digit + 1) * width // _BLOCKS] = 255 * (number >> digit & 1)
    return picture


def number_of(picture_bgr: npt.NDArray[np.uint8]) -> int:
    """The number that `numbered_picture` drew."""
    height, width = picture_bgr.shape[:2]
    middles = [(2 * digit + 1) * width // (2 * _BLOCKS) for digit in range(_BLOCKS)]
    return sum(int(picture_bgr[height // 8, x, 1] > 127) << digit for digit, x in enumerate(middles))


class ScriptedDetector:
    """Finds what the script says."""

    def __init__(self, script: FaceScript) -> None:
        self.script = script
        self.looked: list[int] = []

    def detect(self, picture_bgr: npt.NDArray[np.uint8]) -> Faces:
        number = number_of(picture_bgr)
        self.looked.append(number)
        return faces_of(self.script.get(number, ()))


class ScriptedRecogniser:
    """Gives the embeddings of the script, in its order of faces."""

    def __init__(self, script: FaceScript) -> None:
        self.script = script

    def embed(self, picture_bgr: npt.NDArray[np.uint8], faces: Faces) -> tuple[Floats, Floats]:
        seen = [_seen(face) for face in self.script.get(number_of(picture_bgr), ())]
        assert len(seen) == len(faces)
        return _embeddings(seen), _qualities(seen)


def faces_of(script_of_frame: Sequence[FaceBox | Seen]) -> Faces:
    """The faces of one frame of a script."""
    seen = [_seen(face) for face in script_of_frame]
    boxes = np.array([(box.left, box.top, box.right, box.bottom) for box, *_ in seen], np.float32).reshape(-1, 4)
    sizes = (boxes[:, 2:] - boxes[:, :2])[:, None]
    return Faces(boxes, np.array([each.score for each in seen], np.float32), boxes[:, None, :2] + _LANDMARKS * sizes)


def found(script: FaceScript, looked: Iterable[int] | None = None) -> Detections:
    """What looks at some frames (None: at those of the script) find."""
    frames = sorted(script) if looked is None else list(looked)
    seen = [_seen(face) for frame in frames for face in script.get(frame, ())]
    faces = faces_of(seen)
    return Detections(
        looked=np.array(frames, np.int64),
        frames=np.repeat(np.array(frames, np.int64), np.array([len(script.get(frame, ())) for frame in frames], np.int64)),
        boxes=faces.boxes,
        scores=faces.scores,
        landmarks=faces.landmarks,
        embeddings=_embeddings(seen),
        qualities=_qualities(seen),
    )


def track(
    first: int, boxes: Sequence[FaceBox], *, seen: Sequence[int] | None = None, embedding: Sequence[float] = NO_EMBEDDING, **others: Any
) -> Track:
    """A track from its first frame on; `seen` are the frames that were looked at, all where it is None."""
    frames = np.arange(first, first + len(boxes))
    scores = np.where(np.isin(frames, frames if seen is None else seen), 0.9, 0).astype(np.float32)
    fields = {"quality": 0.8, "best": int(np.argmax(scores)), "person": 0} | others
    return Track(frames, faces_of(boxes).boxes, scores, np.array(embedding, np.float32), **fields)


def still(first: int, last: int, box: FaceBox = SOME_PLACE, **others: Any) -> Track:
    """A track of a face that does not move."""
    return track(first, [box] * (last - first + 1), **others)


def video_info(**changes: Any) -> VideoInfo:
    """Of 100 plain frames, 640x360, at 25 frames/s."""
    plain = VideoInfo(
        content_hash="0" * 64,
        num_bytes=1,
        container="mov,mp4",
        stream_index=0,
        codec="h264",
        profile=None,
        pixel_format="yuv420p",
        width=640,
        height=360,
        frame_rate=Fraction(25),
        time_base=Fraction(1, 12800),
        num_frames=100,
        duration_seconds=4.0,
        rotation_degrees=0,
        display_matrix=None,
        sample_aspect=Fraction(1),
        colour_range="limited",
        colour_primaries=1,
        colour_transfer=1,
        colour_matrix=1,
        reorder_frames=0,
        seekable=True,
        audio=(),
        subtitles=(),
        dropped=(),
    )
    return plain.model_copy(update=changes)


def frame_index(info: VideoInfo, first_pts: int = 0) -> FrameIndex:
    """Frames at an even distance."""
    step = int(1 / (info.frame_rate * info.time_base))
    numbers = np.arange(info.num_frames)
    return FrameIndex(first_pts + step * numbers, numbers % 12 == 0, numbers // 12)


def _seen(face: FaceBox | Seen) -> Seen:
    return face if isinstance(face, Seen) else Seen(face)


def _embeddings(seen: Sequence[Seen]) -> Floats:
    return np.array([each.embedding for each in seen], np.float32).reshape(len(seen), -1 if seen else len(NO_EMBEDDING))


def _qualities(seen: Sequence[Seen]) -> Floats:
    return np.array([0.0 if np.isnan(each.embedding).any() else each.quality for each in seen], np.float32)
