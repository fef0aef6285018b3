"""Videos in and out, in process, with nothing lost and nothing leaked: files, and folders of pictures.

`sources` and `targets` are the two interfaces behind which the kinds are; where their bytes lie is behind those in `files`.

`probe_file` says what a file holds and where each of its frames is; `read_frames` decodes any stretch of it, ahead of the consumer;
`planes` shows a frame's own samples, to be changed in place; `encode_segment` encodes a stretch; `join_segments` makes one file of
the stretches, with the source's sound and subtitles.
"""

from __future__ import annotations

from tasks.video.encoders import EncoderSettings
from tasks.video.info import AudioInfo, FrameIndex, SubtitleInfo, VideoInfo
from tasks.video.join import join_segments
from tasks.video.planes import Plane, as_planar, editable, planes
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.upright import boxes_to_decoded, boxes_to_upright, to_decoded, to_upright, upright_bgr, upright_size
from tasks.video.write import encode_segment

__all__ = [
    "AudioInfo",
    "EncoderSettings",
    "FrameIndex",
    "Plane",
    "SubtitleInfo",
    "VideoInfo",
    "as_planar",
    "boxes_to_decoded",
    "boxes_to_upright",
    "editable",
    "encode_segment",
    "join_segments",
    "planes",
    "probe_file",
    "read_frames",
    "to_decoded",
    "to_upright",
    "upright_bgr",
    "upright_size",
]
