"""Codecs in hardware: whether they can be used on this machine, found out by using them."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Literal

import av
from av.codec import Codec
from av.codec.hwaccel import HWAccel
from pydantic import Field

from tasks.errors import BadSetting
from tasks.method import Settings
from tasks.video.info import VideoInfo
from tasks.video.opening import explain

Device = Literal["cpu", "cuda"]


class DecoderSettings(Settings):
    """Where the picture is decoded."""

    device: Device = "cpu"
    """cuda decodes H.264, HEVC, VP9, AV1, MPEG-2 and the like on an NVIDIA card"""
    fall_back: bool = True
    """where the device cannot be used: decode on the CPU and say so; False makes it an error"""
    number: int = Field(0, ge=0, le=63)
    """which card, of several"""


ON_THE_CPU = DecoderSettings()


@cache
def why_not_encoding(encoder: str) -> str:
    """Why an encoder cannot be used here, "" where it can: one picture is encoded."""
    picture = av.VideoFrame(256, 256, "yuv420p")
    try:
        context = av.CodecContext.create(encoder, "w")
        assert isinstance(context, av.VideoCodecContext)
        context.width, context.height, context.pix_fmt = picture.width, picture.height, picture.format.name
        context.time_base, context.framerate = Fraction(1, 25), Fraction(25)
        context.encode(picture)
        context.encode(None)
    except (av.FFmpegError, ValueError) as error:
        return explain(error)
    return ""


@cache
def why_not_decoding(device: Device, number: int, codec: str) -> str:
    """Why a codec cannot be decoded on a device here, "" where it can."""
    if device == "cpu":
        return ""
    try:
        HWAccel(device, number, allow_software_fallback=False).create(Codec(codec, "r"))
    except (av.FFmpegError, NotImplementedError, ValueError, RuntimeError) as error:
        return explain(error)
    return ""


def choose_decoder(info: VideoInfo, settings: DecoderSettings) -> tuple[DecoderSettings, tuple[str, ...]]:
    """The settings that are used, and a line where they are not those that were asked for. Raises BadSetting where they must be."""
    reason = why_not_decoding(settings.device, settings.number, info.codec)
    if not reason:
        return settings, ()
    if not settings.fall_back:
        problem = f"cannot decode {info.codec} here ({reason})"
        raise BadSetting(f"the decoder {settings.device}", problem, fix="choose cpu, or allow fall_back")
    return DecoderSettings(), (f"hardware: {settings.device} cannot decode {info.codec} here ({reason}); the CPU did",)


def hardware_of(info: VideoInfo, settings: DecoderSettings) -> HWAccel | None:
    """What to open a source with; pictures come back into the computer's own memory. None: nothing special.

    Asked again where the work is done, which may be another machine than that on which it was settled. Raises BadSetting.
    """
    used, _ = choose_decoder(info, settings)
    return None if used.device == "cpu" else HWAccel(used.device, used.number, allow_software_fallback=used.fall_back)
