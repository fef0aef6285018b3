"""What a stream says about its pictures beside their size: put on everything that is written."""

from __future__ import annotations

from av.video.codeccontext import VideoCodecContext

from tasks.video.info import VideoInfo

_RANGES = {"unspecified": 0, "limited": 1, "full": 2}


def put_tags(context: VideoCodecContext, info: VideoInfo) -> None:
    """Frame rate, shape of a sample, and what the colours' numbers mean, as in the source."""
    context.framerate = info.frame_rate
    context.sample_aspect_ratio = info.sample_aspect
    context.color_range = _RANGES[info.colour_range]
    context.color_primaries = info.colour_primaries
    context.color_trc = info.colour_transfer
    context.colorspace = info.colour_matrix
