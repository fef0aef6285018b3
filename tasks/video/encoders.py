"""Which encoder writes a source's picture, and in which pixel format: settled once, before any work.

The source's own family is taken where it can hold the picture as it is; otherwise the nearest that can, and that is said.
"""

from __future__ import annotations

from typing import Annotated, Literal

from av.codec import Codec
from av.codec.codec import find_best_pix_fmt_of_list
from av.video.format import VideoFormat
from pydantic import Field

from tasks.errors import BadSetting
from tasks.method import Settings
from tasks.video.hardware import why_not_encoding
from tasks.video.info import VideoInfo
from tasks.video.planes import planar_format
from tasks.video.quality import crf_of

Encoder = Literal["libx264", "libx265", "libvpx-vp9", "libsvtav1", "prores_ks", "ffv1", "h264_nvenc", "hevc_nvenc", "av1_nvenc"]
Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]

CODECS: dict[Encoder, str] = {
    "libx264": "h264",
    "libx265": "hevc",
    "libvpx-vp9": "vp9",
    "libsvtav1": "av1",
    "prores_ks": "prores",
    "ffv1": "ffv1",
    "h264_nvenc": "h264",
    "hevc_nvenc": "hevc",
    "av1_nvenc": "av1",
}
NO_PRESETS = ("prores_ks", "ffv1")
_HELD = {
    "mp4": {"h264", "hevc", "vp9", "av1"},
    "mov": {"h264", "hevc", "prores"},
    "matroska": {"h264", "hevc", "vp9", "av1", "prores", "ffv1"},
    "webm": {"vp9", "av1"},
    "mpegts": {"h264", "hevc"},
    "avi": {"h264", "ffv1"},
    "nut": {"h264", "hevc", "vp9", "av1", "ffv1"},
}
"""What a container holds by the standards that players go by, which is less than FFmpeg would write."""

# The first that holds the picture without loss is taken. Anything else becomes H.264, which plays everywhere.
_ANY: tuple[Encoder, ...] = ("libx264", "libx265", "ffv1", "libvpx-vp9", "libsvtav1")
_FAMILIES: dict[str, tuple[Encoder, ...]] = {
    "hevc": ("libx265", "ffv1", "libvpx-vp9", "libsvtav1"),
    "vp8": ("libvpx-vp9", "libx265"),
    "vp9": ("libvpx-vp9", "libsvtav1", "libx265", "ffv1"),
    "av1": ("libsvtav1", "libvpx-vp9", "libx265", "ffv1"),
    # What is made to be edited stays so, where the container allows it.
    "prores": ("prores_ks", "libx265", "libx264"),
    "dnxhd": ("prores_ks", "libx264", "libx265", "ffv1"),
    "cfhd": ("prores_ks", "libx265", "ffv1"),
}
_LOSSLESS: tuple[Encoder, ...] = ("ffv1", "libx264", "libx265", "libvpx-vp9", "libsvtav1")
_SOFTWARE: dict[str, Encoder] = {"h264_nvenc": "libx264", "hevc_nvenc": "libx265", "av1_nvenc": "libsvtav1"}
# The chips that have these encoders take more in part; these are what all of them take.
_NVENC_FORMATS = {
    "h264_nvenc": ["yuv420p", "yuv444p"],
    "hevc_nvenc": ["yuv420p", "p010le", "yuv444p", "yuv444p16le"],
    "av1_nvenc": ["yuv420p", "p010le"],
}
_WHOLE_CHROMA = ("libx264", "libx265", "h264_nvenc", "hevc_nvenc")
"""encoders that refuse a side that is no multiple of a chroma sample's"""
_WRITE_CAPTIONS = ("libx264", "h264_nvenc", "hevc_nvenc")
_LOST_RESOLUTION, _LOST_DEPTH, _LOST_COLOURS = 1, 2, 4


class EncoderSettings(Settings):
    """How the picture is encoded again."""

    codec: Literal["auto"] | Encoder = "auto"
    """auto takes the source's family: H.264, HEVC, VP9, AV1, ProRes or FFV1; H.264 for anything else, and the nearest that holds the
    picture where that one does not"""
    preset: Preset = "veryfast"
    """how much time is spent on a smaller file; ProRes and FFV1 have no use for it"""
    crf: Literal["auto"] | Annotated[int, Field(ge=0, le=51)] = "auto"
    """quality on x264's scale: 0 is lossless or close to it, 18 hard to tell from the source, 51 the worst; other encoders get its equal;
    auto takes 18, or less where the source is better than that, and stays lossless where the source is"""
    threads: int = Field(4, ge=1, le=64)
    """part of the result: the bytes depend on it, so that they do not depend on the machine"""
    fall_back: bool = True
    """where an encoder's hardware is not there: use the same family's software and say so; False makes it an error"""


class Encoding(Settings):
    """How a source's picture is written."""

    encoder: Encoder
    pixel_format: str
    """FFmpeg's name of what the encoder is given"""
    preset: Preset
    crf: int
    """on x264's scale; 0 is lossless, where the encoder can be"""
    threads: int
    interlaced: bool
    """whether the encoder keeps the two fields of a frame apart"""
    notes: tuple[str, ...] = ()
    """a line for each thing that is not as in the source"""

    @property
    def settings(self) -> EncoderSettings:
        """Settings that lead to this encoding again, whatever the container, or to an error where its hardware is not there."""
        return EncoderSettings(codec=self.encoder, preset=self.preset, crf=self.crf, threads=self.threads, fall_back=False)


def holds(container_format: str, encoder: Encoder) -> bool:
    """Whether a kind of container, by FFmpeg's name, holds what an encoder writes."""
    return CODECS[encoder] in _HELD[container_format]


def choose_encoding(info: VideoInfo, settings: EncoderSettings, container_format: str | None = None) -> Encoding:
    """How a source is written into a kind of container (None: any).

    Raises BadSetting where the container cannot hold what the settings name, or their hardware is not there and must be.
    """
    crf = crf_of(info) if settings.crf == "auto" else settings.crf
    encoder, notes = _encoder(info, settings, crf, container_format)
    pixel_format, lost = pixel_format_of(encoder, info)
    interlaced = is_interlaced(encoder, info)
    if lost:
        notes.append(f"{lost}: the picture is {info.pixel_format}, and {encoder} writes {pixel_format}")
    if info.field_order != "progressive" and not interlaced:
        notes.append(f"interlacing: {encoder} writes both fields as one picture")
    if encoder == "prores_ks" and info.colour_range == "full":
        notes.append("full range: ProRes has none, and the picture is scaled to limited range")
    if info.lossless and encoder != "ffv1" and (crf > 0 or _never_lossless(encoder, info)):
        notes.append(f"losslessness: {encoder} encodes the picture with loss")
    if info.closed_captions and encoder not in _WRITE_CAPTIONS:
        notes.append("closed captions inside the picture's stream")
    if info.stereoscopic and encoder != "libx264":
        notes.append("that the picture is two, for two eyes")
    if (info.mastering_display or info.content_light) and encoder in ("libvpx-vp9", "prores_ks", "ffv1"):
        notes.append("HDR side data (mastering display, light levels); the colours' own tags are kept")
    return Encoding(
        encoder=encoder,
        pixel_format=pixel_format,
        preset=settings.preset,
        crf=crf,
        threads=settings.threads,
        interlaced=interlaced,
        notes=tuple(notes),
    )


def pixel_format_of(encoder: Encoder, info: VideoInfo) -> tuple[str, str]:
    """The nearest pixel format that the encoder takes, and what is lost in it, "" where nothing is."""
    wanted = planar_format(info.pixel_format)
    known = [name for name in _formats(encoder) if _fits(encoder, name, info)]
    for name in (wanted, wanted.replace("yuvj", "yuv")):
        if name in known:
            return name, ""
    if wanted.startswith("gray"):
        # Grey in colour: the same luma, and chroma that says nothing.
        known = [name for name in known if name.startswith("yuv4")]
        wanted = wanted.replace("gray", "yuv420p")
    best, lost = find_best_pix_fmt_of_list(known, wanted.replace("yuvj", "yuv"))
    if best is None:
        raise BadSetting(encoder, f"cannot hold a picture like {info.pixel_format}", fix="choose another encoder")
    what = [
        (_LOST_DEPTH, "bits per sample"),
        (_LOST_RESOLUTION, "resolution of colour"),
        (_LOST_COLOURS, "RGB as it was, rounded"),
    ]
    return best.name, ", ".join(name for flag, name in what if int(lost) & flag)


def is_interlaced(encoder: Encoder, info: VideoInfo) -> bool:
    """Whether the encoder keeps fields apart; H.264 has them in groups of two macroblocks, or four lines with 4:2:0."""
    if info.field_order == "progressive":
        return False
    return encoder in ("prores_ks", "ffv1") or (encoder == "libx264" and info.height % 4 == 0)


def _encoder(info: VideoInfo, settings: EncoderSettings, crf: int, container_format: str | None) -> tuple[Encoder, list[str]]:
    if settings.codec != "auto":
        return _named(settings.codec, settings, container_format)
    stays_lossless = crf == 0 and info.lossless
    family = _LOSSLESS if stays_lossless else _FAMILIES.get(info.codec, _ANY)
    candidates = [one for one in (*family, *_ANY) if container_format is None or holds(container_format, one)]
    fitting = [one for one in candidates if _keeps(one, info, stays_lossless)]
    encoder = (fitting or candidates)[0]
    if CODECS[encoder] == info.codec or (encoder == "libx264" and info.codec not in CODECS.values()):
        return encoder, []
    return encoder, [f"the codec: {info.codec} becomes {CODECS[encoder]}"]


def check_encoder(settings: EncoderSettings, container_format: str) -> None:
    """Raises BadSetting where the named encoder cannot be used here, or for such a container."""
    if settings.codec != "auto":
        _named(settings.codec, settings, container_format)


def _named(codec: Encoder, settings: EncoderSettings, container_format: str | None) -> tuple[Encoder, list[str]]:
    if container_format is not None and not holds(container_format, codec):
        able = [one for one in CODECS if holds(container_format, one)]
        raise BadSetting(f"the encoder {codec}", f"a {container_format} file does not hold {CODECS[codec]}", fix=f"choose {_or(able)}")
    reason = why_not_encoding(codec) if codec in _SOFTWARE else ""
    if not reason:
        return codec, []
    if not settings.fall_back:
        raise BadSetting(f"the encoder {codec}", f"cannot be used here ({reason})", fix=f"choose {_SOFTWARE[codec]}, or allow fall_back")
    return _SOFTWARE[codec], [f"hardware: {codec} cannot be used here ({reason}); {_SOFTWARE[codec]} was used"]


def _keeps(encoder: Encoder, info: VideoInfo, stays_lossless: bool) -> bool:
    """Whether an encoder holds the picture as it is. ProRes counts as itself: its own decoder gives more bits than its encoder takes."""
    if stays_lossless and _never_lossless(encoder, info):
        return False
    if encoder == "prores_ks" and info.codec == "prores":
        return True
    pixel_format, lost = pixel_format_of(encoder, info)
    if encoder == "libx264" and lost and not stays_lossless and pixel_format == "yuv444p" and planar_format(info.pixel_format) == "gbrp":
        # 8-bit RGB (screens, GIF) plays hardly anywhere as such; rounded to 4:4:4 it does.
        return True
    return not lost


def _never_lossless(encoder: Encoder, info: VideoInfo) -> bool:
    """Whether the best quality that can be asked for is not the picture itself."""
    return encoder in ("libsvtav1", "prores_ks") or (encoder == "libx264" and _bits(info) > 8)


def _bits(info: VideoInfo) -> int:
    return VideoFormat(planar_format(info.pixel_format), 8, 8).components[0].bits


def _formats(encoder: Encoder) -> list[str]:
    return _NVENC_FORMATS.get(encoder) or [one.name for one in Codec(encoder, "w").video_formats or []]


def _fits(encoder: Encoder, pixel_format: str, info: VideoInfo) -> bool:
    layout = VideoFormat(pixel_format, 8, 8)
    steps = (8 // layout.chroma_width(8), 8 // layout.chroma_height(8)) if layout.is_planar and not layout.is_rgb else (1, 1)
    return encoder not in _WHOLE_CHROMA or (info.width % steps[0] == 0 and info.height % steps[1] == 0)


def _or(names: list[Encoder]) -> str:
    return " or ".join(names)
