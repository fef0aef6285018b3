"""The cover as a video: white where a frame is blurred, black elsewhere, lossless and without sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import assert_never

import av
import numpy as np

from tasks import progress
from tasks.blurs.regions import CoveredFace, window
from tasks.blurs.ways import NoBlur, Pixelate, Round, Solid, Square
from tasks.covering import steadied
from tasks.exports.appearances import Told
from tasks.faces import FaceBox
from tasks.video.muxer import open_target
from tasks.video.planes import Plane, planes
from tasks.video.upright import upright_size

FORMATS = {".mkv": "matroska", ".mov": "mov"}
Blur = Pixelate | Round | Square | Solid | NoBlur

_WHITE = 235  # as a plain ellipse is painted in a plane of brightness, whose white is below the highest value
_TO_FULL = np.minimum(255, np.arange(256) * 255 // _WHITE).astype(np.uint8)


def write_matte(of: Told, blur: Blur, path: Path) -> None:
    """8-bit grey, FFV1 or (in .mov, which cannot hold that) PNG, upright, with the source's frames and times
    (in .mkv to the millisecond).

    The soft edge of a blur is grey. Raises NoSpace and BadOutput.
    """
    info = of.info
    container_format = FORMATS[path.suffix.lower()]
    clock = {"video_track_timescale": str(info.time_base.denominator)} if container_format == "mov" else {}
    with open_target(path, container_format, clock) as output:
        codec, options = ("png", {}) if container_format == "mov" else ("ffv1", {"level": "3", "slicecrc": "1"})
        stream = output.container.add_stream(codec, rate=info.frame_rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = upright_size(*info.turn)
        stream.pix_fmt = "gray"
        stream.time_base = stream.codec_context.time_base = info.time_base
        for frame in progress.counted("write_matte", _frames(of, blur)):
            output.mux(stream.encode(frame[1]))
        output.mux(stream.encode(None))


def _frames(of: Told, blur: Blur) -> Iterator[tuple[int, av.VideoFrame]]:
    width, height, rotation_degrees, mirrored = of.info.turn
    steady = steadied(of.cover)
    begins = max(0, of.first_pts)  # a part is a video of its own, which begins when the whole did
    shift = begins - int(of.index.pts[0])
    for number, pts in enumerate(of.index.pts.tolist()):
        picture = av.VideoFrame(width, height, "gray")
        (plane,) = planes(picture)
        plane.samples[:] = 0
        boxes = zip(of.cover.at(number).boxes.tolist(), steady.at(number).boxes.tolist(), strict=True)
        for box, anchor in boxes:
            _paint(plane, CoveredFace(FaceBox(*box), FaceBox(*anchor), rotation_degrees), blur)  # type: ignore[arg-type]
        turned = np.rot90(plane.samples, -rotation_degrees // 90)
        grey = np.ascontiguousarray(_TO_FULL[turned[:, ::-1] if mirrored else turned])
        upright = av.VideoFrame.from_ndarray(grey, format="gray")
        upright.pts, upright.time_base = pts + shift, of.info.time_base
        yield number, upright


def _paint(plane: Plane, face: CoveredFace, blur: Blur) -> None:
    """White where the blur would hide the face."""
    match blur:
        case Pixelate() | Round() | Solid():
            Solid(expand=blur.expand, shape=blur.shape, lightness=1).cover([plane], face)
        case Square():
            plane.samples[window(plane, face.reach(blur.expand))] = _WHITE
        case NoBlur():
            Solid(lightness=1).cover([plane], face)
        case _:
            assert_never(blur)
