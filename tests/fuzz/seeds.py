"""The files that are broken: small, of every kind that is read, with the things in them that parsers have to know."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from tests.video.drawing import Clip, draw

_FRAMES = 20
_SIDE = 40
_BITEXACT = {"fflags": "+bitexact"}
_ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_X265 = {"x265-params": "log-level=none:keyint=8:bframes=2:pools=none"}
_SVT = {"svtav1-params": "lp=1", "preset": "12", "g": "8"}


class Seed(NamedTuple):
    """A sound file, and what its name ends in."""

    suffix: str
    content: bytes


def _clip(name: str, codec: str = "libx264", **more: Any) -> Clip:
    container = _BITEXACT | more.pop("container_options", {})
    options = {"options": {"g": "8"}} if codec != "libx264" else {}
    return Clip(name, codec, **({"num_frames": _FRAMES, "container_options": container} | options | more))


_CLIPS: dict[str, list[Clip]] = {
    "mp4": [
        _clip("a.mp4", rotation_degrees=90, metadata={"title": "at home"}),
        _clip("b.mp4", container_options={"movflags": "+frag_keyframe+empty_moov+default_base_moof"}),
        _clip("c.mp4", "libx265", options=_X265, container_options={"movflags": "+faststart"}),
        _clip("d.mov", "mjpeg", pixel_format="yuvj420p", audio="pcm_s16le", options={}),
        _clip("e.mp4", subtitles="mov_text", cover=True, chapters=True, pts=[*range(10), *range(14, 24)]),
        _clip("f.mp4", "libsvtav1", options=_SVT),
    ],
    "matroska": [
        _clip("a.mkv", chapters=True, metadata={"title": "at home"}),
        _clip("b.webm", "libvpx-vp9", audio="libopus", options={"g": "8", "deadline": "realtime", "cpu-used": "8"}),
        _clip("c.webm", "libvpx", audio="libopus", options={"g": "8", "deadline": "good", "cpu-used": "5"}),
        _clip("d.mkv", "ffv1", audio="flac", subtitles="ass", options={"slices": "4"}),
        _clip("e.mkv", "libx265", audio="libmp3lame", options=_X265, rotation_degrees=180),
    ],
    "ts": [
        _clip("a.ts"),
        _clip("b.ts", "mpeg2video", audio="ac3", options={"g": "8", "bf": "2"}),
        _clip("c.ts", "libx265", options=_X265),
    ],
    "avi": [
        _clip("a.avi", "mjpeg", pixel_format="yuvj420p", audio="pcm_s16le", options={}),
        _clip("b.avi", "mpeg4", audio="libmp3lame", options={"g": "8", "bf": "2"}),
        _clip("c.avi"),
    ],
    "streams": [
        _clip("a.h264", audio=None),
        _clip("b.hevc", "libx265", audio=None, options=_X265),
        _clip("c.gif", "gif", pixel_format="bgr8", audio=None, options={}),
        _clip("d.flv"),
        _clip("e.nut", "mpeg4", audio="libmp3lame"),
        _clip("f.mpg", "mpeg2video", audio="mp2", options={"g": "8", "bf": "2"}),
        _clip("g.m4v", "mpeg4", audio=None, container_format="m4v"),
        _clip("h.y4m", "wrapped_avframe", audio=None, container_format="yuv4mpegpipe", options={}, num_frames=4),
        _clip("i.ivf", "libvpx-vp9", audio=None, options={"g": "8", "deadline": "realtime", "cpu-used": "8"}),
        _clip("j.mxf", "mpeg2video", audio="pcm_s16le", options={"g": "8"}),
        _clip("k.apng", "apng", pixel_format="rgb24", audio=None, options={}, num_frames=6),
    ],
}


def _picture(mode: str = "RGB", number: int = 0) -> Image.Image:
    y, x = np.mgrid[:_SIDE, : _SIDE + 8]
    rgb = np.stack([x * 5 + number * 30, y * 6, (x + y) * 3], axis=-1) % 256
    return Image.fromarray(rgb.astype(np.uint8)).convert(mode)


def _deep() -> Image.Image:
    return Image.fromarray((np.mgrid[:_SIDE, : _SIDE + 8][1] * 1300).astype(np.uint16))


def _exif(orientation: int) -> Image.Exif:
    said = Image.Exif()
    said[0x0112] = orientation
    said[0x010E] = "somebody"
    said.get_ifd(0x8825)[29] = "2026:01:01"
    return said


def _saved(picture: Image.Image, suffix: str, **more: Any) -> Seed:
    file = io.BytesIO()
    picture.save(file, {"jpg": "jpeg"}.get(suffix, suffix), **more)
    return Seed(f".{suffix}", file.getvalue())


def _texts() -> PngImagePlugin.PngInfo:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "somebody", zip=True)
    return texts


def _pictures() -> dict[str, list[Seed]]:
    rest = [_picture(number=number) for number in (1, 2)]
    return {
        "png": [
            _saved(_picture(), "png", exif=_exif(6), icc_profile=_ICC, pnginfo=_texts()),
            _saved(_picture("P"), "png", transparency=3),
            _saved(_picture("RGBA"), "png"),
            _saved(_deep(), "png"),
            _saved(_picture("1"), "png"),
            _saved(_picture(), "png", save_all=True, append_images=rest),
        ],
        "jpeg": [
            _saved(_picture(), "jpg", exif=_exif(6), icc_profile=_ICC, comment=b"somebody"),
            _saved(_picture(), "jpg", progressive=True, subsampling=0),
            _saved(_picture("L"), "jpg", restart_marker_blocks=4),
            _saved(_picture("CMYK"), "jpg"),
        ],
        "tiff": [
            _saved(_picture(), "tiff", tiffinfo={274: 6, 270: "somebody"}, icc_profile=_ICC),
            _saved(_picture("P"), "tiff", compression="tiff_lzw"),
            _saved(_deep(), "tiff", compression="tiff_adobe_deflate"),
            _saved(_picture("1"), "tiff", compression="group4"),
            _saved(_picture(), "tiff", compression="packbits", save_all=True, append_images=rest),
            _saved(_picture("RGBA"), "tiff", big_endian=True),
        ],
        "webp": [
            _saved(_picture(), "webp", exif=_exif(8), icc_profile=_ICC),
            _saved(_picture("RGBA"), "webp", lossless=True),
            _saved(_picture("RGBA"), "webp"),
            _saved(_picture(), "webp", save_all=True, append_images=rest),
        ],
        "bmp": [_saved(_picture(mode), "bmp") for mode in ("RGB", "P", "RGBA", "1")],
    }


_PEOPLE = """video = "{video}"
merge = [["Anna", "C"], ["Bert", "D"]]
[[people]]
name = "Anna"
at = {{ seconds = 1.5, x = 10, y = 20 }}
[[people]]
name = "C"
at = {{ frame = 9, x = 10.25, y = 20 }}
[[people]]
name = "D"
at = {{ frame = 12, x = 10, y = 20 }}
[[splits]]
name = "Bert"
at = {{ frame = 30, x = 10, y = 20 }}
of = "person"
start = 00:01:00
end = "1500f"
"""
_PLAN = """preset = "balanced"
start = 1.5
end = "2:03.5"
segment_seconds = 300
keep_metadata = ["title"]
[images]
frame_rate = "30000/1001"
[find_shots.finder]
method = "content"
[find_faces.detector]
method = "yunet"
[find_faces.sampler]
method = "every_frame"
[[build_tracks.ignore]]
left = 0
top = 0
right = 10
bottom = 10.5
start = "5f"
[build_tracks.smoother]
method = "savitzky_golay"
window_frames = 9
[choose_people]
policy = "keep_only"
[[choose_people.selectors]]
method = "known_faces"
photos = ["a.jpg"]
[[choose_people.selectors]]
method = "time_and_place"
picks = [{ seconds = 1.5, x = 10, y = 20 }]
[[choose_people.overrides]]
then = "cover"
point = { frame = 3, x = 10, y = 20 }
[blur_faces.blur]
method = "solid"
[blur_faces.encoder]
preset = "fast"
[verify_blur]
repairs = 1
[runner]
method = "threads"
"""

VIDEO = "a" * 64
"""the hash of the video that the list of people is about"""


def draw_seeds(folder: Path) -> dict[str, list[Seed]]:
    """The sound files by kind; videos are drawn into the folder."""
    videos = {kind: [_drawn(folder, clip) for clip in clips] for kind, clips in _CLIPS.items()}
    people, plan = (Seed(".toml", text.encode()) for text in (_PEOPLE.format(video=VIDEO), _PLAN))
    return videos | _pictures() | {"people": [people], "plan": [plan]}


def _drawn(folder: Path, clip: Clip) -> Seed:
    path = draw(folder, clip)
    return Seed(path.suffix, path.read_bytes())
