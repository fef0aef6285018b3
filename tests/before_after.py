"""A frame before and after, side by side: `python -m tests.before_after SOURCE RESULT PICTURE [SECONDS]`."""

from __future__ import annotations

import sys
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

_HEIGHT_PIXELS = 405
_GAP_PIXELS = 8


def frame_at(path: Path, seconds: float) -> npt.NDArray[np.uint8]:
    """The picture shown at a time, (H, W, 3) uint8 BGR."""
    with av.open(str(path)) as container:
        return next(frame.to_ndarray(format="bgr24") for frame in container.decode(video=0) if (frame.time or 0) >= seconds)


def side_by_side(pictures: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    """Pictures of the same size in a row, with a white gap between them."""
    height, width = pictures[0].shape[:2]
    size = (round(width * _HEIGHT_PIXELS / height), _HEIGHT_PIXELS)
    smaller = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    gap = np.full((_HEIGHT_PIXELS, _GAP_PIXELS, 3), 255, np.uint8)
    return np.hstack([part for picture in smaller for part in (picture, gap)][:-1])


if __name__ == "__main__":
    source, result, picture, *seconds = sys.argv[1:]
    when = float(seconds[0]) if seconds else 0.5
    cv2.imwrite(picture, side_by_side([frame_at(Path(path), when) for path in (source, result)]), [cv2.IMWRITE_JPEG_QUALITY, 88])
