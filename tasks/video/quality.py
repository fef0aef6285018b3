"""How good a source is, and so how well it has to be encoded again.

Encoding adds its own loss to the source's. It goes unseen where it is well below: with a quantiser smaller by six, half the step, the added
noise is a quarter of the source's.
"""

from __future__ import annotations

import math

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from tasks.video.decoding import decodable, readable
from tasks.video.files import File
from tasks.video.info import VideoInfo

GOOD_CRF = 18
"""hard to tell from the source, whatever it is"""
BEST_CRF = 4
"""finer steps than this only make the file larger"""
LOSSLESS_CODECS = {"ffv1", "huffyuv", "ffvhuff", "utvideo", "magicyuv", "rawvideo", "v210", "v410", "r210", "png", "apng", "qtrle"}

_FINER = 6
_LOOKED_AT_FRAMES = 24
# Quantisers of MPEG-1, -2 and -4 are steps; those of H.264 are six times the logarithm of the step, which is 1 at 4.
_EXPORTED = {"h264", "mpeg1video", "mpeg2video", "mpeg4"}
# Bits for the same quality, against H.264. None of these says its quantisers.
_BITS_NEEDED = {"hevc": 0.65, "av1": 0.55, "vp9": 0.65, "vp8": 1.1, "mjpeg": 3.0, "dvvideo": 3.0, "dnxhd": 3.0, "cfhd": 3.0, "prores": 3.0}
_GOOD_BITS = 0.15
"""bits per pixel from which H.264 is better than crf 24 in most films"""


def source_quantiser(container: InputContainer, stream: VideoStream, path: File) -> float | None:
    """The mean quantiser, on the scale of 8-bit H.264, of the better frames at the stream's start; None where the codec does not tell."""
    if stream.codec.canonical_name not in _EXPORTED:
        return None
    stream.codec_context.options = {"export_side_data": "venc_params"}
    means: list[float] = []
    try:
        for frame in (frame for packet in readable(container.demux(stream), path) for frame in decodable(stream, packet)):
            means += [float(data.qp_map().mean()) for data in frame.side_data if data.type.name == "VIDEO_ENC_PARAMS" and data.nb_blocks]  # type: ignore[attr-defined]
            if len(means) >= _LOOKED_AT_FRAMES:
                break
    except (ValueError, RuntimeError):  # the last where the picture is cropped
        return None
    if not means:
        return None
    better = float(np.quantile(means, 0.25))
    if stream.codec.canonical_name == "h264":
        return max(0.0, better - 6 * (stream.format.components[0].bits - 8))
    return 4 + 6 * math.log2(max(1.0, better))


def crf_of(info: VideoInfo) -> int:
    """The quality, on x264's scale, that adds no visible loss to the source's."""
    if info.lossless:
        return 0
    if info.quantiser is not None:
        wanted = info.quantiser - _FINER
    elif info.bits_per_pixel is not None and info.bits_per_pixel > 0:
        good = _GOOD_BITS * _BITS_NEEDED.get(info.codec, 1.0)
        # Half the step costs about twice the bits.
        wanted = GOOD_CRF - _FINER * math.log2(info.bits_per_pixel / good)
    else:
        wanted = GOOD_CRF
    return int(min(GOOD_CRF, max(BEST_CRF, wanted)))
