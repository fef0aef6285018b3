"""Pictures on their way to a video: in the samples that videos are made of, and that players expect."""

from __future__ import annotations

import av

from tasks.video.info import VideoInfo
from tasks.video.picture_folder import CONTAINER

_BT709, _BT601, _LIMITED, _FULL = 1, 5, 1, 2
_KEEPS_ALL = "ffv1"


def video_info(info: VideoInfo, codec: str) -> VideoInfo:
    """What the samples mean once they are those of `video_frame`, encoded with a codec."""
    if info.container != CONTAINER or codec == _KEEPS_ALL:
        return info
    said = {"colour_range": "limited", "colour_primaries": _BT709, "colour_transfer": _BT709, "colour_matrix": _BT709}
    return info.model_copy(update={"pixel_format": _video_format(info), **said})


def video_frame(frame: av.VideoFrame, info: VideoInfo, codec: str) -> av.VideoFrame:
    """The picture in BT.709, limited range, 4:2:0, 10 bit where it has more than 8; FFV1 keeps it as it is, and a video's frame stays."""
    if info.container != CONTAINER or codec == _KEEPS_ALL:
        return frame
    is_yuv = frame.format.name.startswith("yuv")
    is_limited = (is_yuv and info.colour_range == "limited") or frame.format.name == "yuv420p"
    return frame.reformat(
        format=_video_format(info),
        src_colorspace=_BT601 if is_yuv else None,
        dst_colorspace=_BT709,
        src_color_range=_LIMITED if is_limited else _FULL,
        dst_color_range=_LIMITED,
    )


def _video_format(info: VideoInfo) -> str:
    deep = any(component.bits > 8 for component in av.VideoFormat(info.pixel_format, 8, 8).components)
    # Sampled colours come in pairs of pixels.
    sampling = "420" if info.width % 2 == 0 and info.height % 2 == 0 else "444"
    return f"yuv{sampling}p{'10le' if deep else ''}"
