"""Pictures of another size than the rest, brought to it: scaled as a whole, with bars where they are of another shape."""

from __future__ import annotations

import av
from av.video.reformatter import VideoReformatter

from tasks.errors import BadVideo
from tasks.video.damage import inside
from tasks.video.info import VideoInfo
from tasks.video.planes import planar_format, planes

_STEP = 8  # pixels; no chroma stands for more
_FULL = 2


def in_size(frame: av.VideoFrame, info: VideoInfo, number: int, subject: object) -> av.VideoFrame:
    """A frame in the size in which boxes are told. Raises BadVideo, of the subject, where nothing was known of another one."""
    if (frame.width, frame.height) == (info.width, info.height):
        return frame
    if not inside(info.resized, number):
        # Boxes would mean other places in it, and what is there would be shown.
        sizes = f"frame {number} has {frame.width}x{frame.height} pixels, the first one {info.width}x{info.height}"
        raise BadVideo(subject, f"changes its size: {sizes}", fix="start again")
    return fitted(frame, info.width, info.height, info.pixel_format)


def fitted(frame: av.VideoFrame, width: int, height: int, pixel_format: str) -> av.VideoFrame:
    """A new frame of that size in the planar form of the pixel format, with the frame's picture in its middle and its times."""
    planar = planar_format(pixel_format)
    scale = min(width / frame.width, height / frame.height)
    inner = [
        full if round(side * scale) >= full - 1 else max(_STEP, round(side * scale / _STEP) * _STEP)
        for side, full in ((frame.width, width), (frame.height, height))
    ]
    inner = [min(inner[0], width), min(inner[1], height)]
    scaled = VideoReformatter().reformat(frame, inner[0], inner[1], planar, dst_colorspace=frame.colorspace or None)
    whole = av.VideoFrame(width, height, planar)
    left, top = ((full - side) // 2 // _STEP * _STEP for side, full in zip(inner, (width, height), strict=True))
    for plane, part in zip(planes(whole), planes(scaled), strict=True):
        plane.samples[:] = _black(plane.name, plane.bits, is_full=frame.color_range == _FULL)
        x, y = left // plane.horizontal_step, top // plane.vertical_step
        plane.samples[y : y + part.samples.shape[0], x : x + part.samples.shape[1]] = part.samples
    if frame.time_base is not None:
        whole.pts, whole.time_base = frame.pts, frame.time_base
    whole.color_range, whole.colorspace = frame.color_range, frame.colorspace
    whole.color_primaries, whole.color_trc = frame.color_primaries, frame.color_trc
    return whole


def _black(name: str, bits: int, *, is_full: bool) -> int:
    if name in "uv":
        return 1 << (bits - 1)
    return 16 << (bits - 8) if name == "y" and not is_full else 0
