"""What a stream says about its pictures beside their size: put on everything that is written."""

from __future__ import annotations

from av.video.codeccontext import VideoCodecContext

from tasks.video.info import VideoInfo
from tasks.video.planes import planar_format

_BT709 = 1
_FIELD_ORDERS = {"progressive": 1, "top_first": 2, "bottom_first": 3}
_RANGES = {"unspecified": 0, "limited": 1, "full": 2}


def put_tags(context: VideoCodecContext, info: VideoInfo) -> None:
    """Frame rate, shape of a sample, order of fields, and what the colours' numbers mean, as in the source."""
    context.framerate = info.frame_rate
    context.sample_aspect_ratio = info.sample_aspect
    context.field_order = _FIELD_ORDERS[info.field_order]
    context.color_range = _RANGES[info.colour_range]
    context.color_primaries = info.colour_primaries
    context.color_trc = info.colour_transfer
    context.colorspace = info.colour_matrix
    if context.codec.canonical_name == "prores":
        # It has no other, and what was full has been scaled.
        context.color_range = _RANGES["limited"]
    if _is_rgb(info.pixel_format) and not _is_rgb(context.pix_fmt or ""):
        # What was RGB has been made YUV, and is neither full in range nor without a matrix any more.
        context.color_range, context.colorspace = _RANGES["limited"], _BT709


def _is_rgb(pixel_format: str) -> bool:
    return pixel_format != "" and planar_format(pixel_format).startswith("gbr")
