"""Small pictures of frames, for what does not need to see faces."""

from __future__ import annotations

from typing import cast

import av
import numpy as np
import numpy.typing as npt


def thumbnail(frame: av.VideoFrame, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The picture as (H, W, 3) uint8 RGB of a given width and height, not turned upright; each pixel is the mean of what it stands for."""
    return cast(npt.NDArray[np.uint8], frame.reformat(*size, "rgb24", interpolation="AREA", threads=1).to_ndarray())
