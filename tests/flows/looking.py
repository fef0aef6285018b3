"""What a person would compare: frames, times and sound of two files, and whether a face still shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tasks.faces import FaceBox
from tests.clips import Picture, TrueFace, Truth

SHOWN = 0.8  # correlation of fine detail above which a face is as it was
HIDDEN = 0.3  # and below which nothing of it is left


def grey_frames(video: Path) -> tuple[list[Picture], list[Fraction]]:
    """Brightness of each frame, (H, W), and when it is shown, in seconds."""
    with av.open(str(video)) as container:
        frames = list(container.decode(video=0))
        return [frame.to_ndarray(format="gray") for frame in frames], [frame.pts * frame.time_base for frame in frames]


def sound_packets(video: Path) -> list[tuple[Fraction, str]]:
    """Time in seconds and hash of each packet of sound."""
    with av.open(str(video)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(packet.pts * packet.time_base, hashlib.sha256(bytes(packet)).hexdigest()) for packet in packets]


def likeness(before: Picture, after: Picture, box: FaceBox) -> float:
    """Correlation, -1 to 1, of the fine detail inside the middle of a face: 0.97 and more after a transcode, below 0.15 under a blur."""
    middle_x, middle_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    rows = slice(max(0, round(middle_y - 0.35 * box.height)), round(middle_y + 0.35 * box.height))
    columns = slice(max(0, round(middle_x - 0.35 * box.width)), round(middle_x + 0.35 * box.width))
    details = [_detail(picture[rows, columns], box.width / 30) for picture in (before, after)]
    return float(np.corrcoef(details[0].ravel(), details[1].ravel())[0, 1]) if min(map(np.std, details)) > 0 else 0.0


def _detail(region: Picture, sigma: float) -> np.ndarray:
    smooth = region.astype(np.float32)
    return smooth - cv2.GaussianBlur(smooth, (0, 0), sigma)


def likenesses(source: Path, result: Path, truth: Truth) -> dict[str, np.ndarray]:
    """By person, the likeness in each frame in which the whole face is seen."""
    found: dict[str, list[float]] = {}
    for before, after, faces in zip(grey_frames(source)[0], grey_frames(result)[0], truth.faces, strict=True):
        for face in whole(faces):
            found.setdefault(face.person, []).append(likeness(before, after, face.full_box))
    return {person: np.array(values) for person, values in found.items()}


def whole(faces: Iterable[TrueFace]) -> list[TrueFace]:
    return [face for face in faces if face.visible_share > 0.95 and face.opacity == 1]
