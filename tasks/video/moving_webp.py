"""An animated WebP as a video: FFmpeg does not decode it, Pillow does."""

from __future__ import annotations

import io
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tasks import MOST_PIXELS
from tasks.errors import BadVideo
from tasks.video.files import File, num_bytes_of, renewed, sha256_of
from tasks.video.hardware import ON_THE_CPU, DecoderSettings
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.pictures import webp
from tasks.video.read import UndamagedReading, ahead
from tasks.video.sources import Images
from tasks.video.whole import DAMAGED

_MOST_BYTES = 1 << 30
_TICK = Fraction(1, 1000)
_SHORTEST_MS = 10  # up to which browsers show a picture for the usual time instead
_USUAL_MS = 100


@dataclass(frozen=True)
class MovingWebp:
    """The file; it is read whole, and its frames one by one. There is no sound."""

    location: str
    picture: File
    file: None = None

    def content_hash(self) -> str:
        return sha256_of(self.picture)

    def check(self) -> None:
        renewed(self.picture)
        with closing(self._frames()) as frames:
            next(frames, None)

    def probe(self, content_hash: str | None, images: Images) -> tuple[VideoInfo, FrameIndex]:
        shown_ms, kinds, size = [], set[str](), (0, 0)
        for duration_ms, picture in self._frames():
            shown_ms.append(duration_ms)
            kinds.add(picture.mode)
            size = picture.size
        if not shown_ms:
            raise BadVideo(self.location, "has no frames", fix=DAMAGED)
        ends = np.cumsum(shown_ms, dtype=np.int64)
        num_frames, num_bytes = len(shown_ms), num_bytes_of(self.picture)
        seconds = int(ends[-1]) * _TICK
        info = VideoInfo(
            content_hash=content_hash or self.content_hash(),
            num_bytes=num_bytes,
            container="webp",
            stream_index=0,
            codec="webp",
            profile=None,
            pixel_format="rgb24",
            width=size[0],
            height=size[1],
            frame_rate=num_frames / seconds,
            time_base=_TICK,
            num_frames=num_frames,
            duration_seconds=float(seconds),
            rotation_degrees=0,
            display_matrix=None,
            sample_aspect=Fraction(1),
            bits_per_pixel=8 * num_bytes / (num_frames * size[0] * size[1]),
            colour_range="unspecified",
            colour_primaries=2,
            colour_transfer=2,
            colour_matrix=2,
            reorder_frames=0,
            seekable=False,
            audio=(),
            subtitles=(),
            dropped=("transparency",) if "RGBA" in kinds else (),
        )
        nowhere = np.full(num_frames, -1, np.int64)
        return info, FrameIndex(ends - shown_ms, np.arange(num_frames) == 0, nowhere)

    def frames(
        self, info: VideoInfo, index: FrameIndex, first: int, last: int, decoder: DecoderSettings = ON_THE_CPU
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """The decoder makes no difference. Each picture is made from those before it: reading begins with the first."""
        if not 0 <= first <= last < len(index):
            raise ValueError(f"frames {first} to {last} of a video with {len(index)}")
        return ahead(self._between(info, index, first, last))

    def first_reading(self, info: VideoInfo, index: FrameIndex, first: int, last: int) -> UndamagedReading:
        return UndamagedReading(self._between(info, index, first, last))

    def _between(self, info: VideoInfo, index: FrameIndex, first: int, last: int) -> Iterator[tuple[int, av.VideoFrame]]:
        number = -1
        for number, (_, picture) in enumerate(self._frames()):
            if number > last:
                return
            if number >= first:
                if picture.size != (info.width, info.height):
                    raise BadVideo(self.location, f"frame {number} is not the picture that was probed", fix="start again")
                frame = av.VideoFrame.from_ndarray(_on_black(picture), "rgb24")
                frame.pts, frame.time_base = int(index.pts[number]), info.time_base
                yield number, frame
        if number < last:
            raise BadVideo(self.location, f"has {number + 1} frames where there were {len(index)}", fix="start again")

    def _frames(self) -> Generator[tuple[int, Any], None, None]:
        """Milliseconds and picture (RGB or RGBA) of each."""
        from PIL import Image

        content = self._content()
        width, height = webp.size_of_moving(content)
        if width * height > MOST_PIXELS:
            raise self._too_large(f"{width}x{height} pixels, more than {MOST_PIXELS // 10**6} million")
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS  # no warnings below that
        try:
            with Image.open(io.BytesIO(content), formats=["WEBP"]) as file:
                for number in range(getattr(file, "n_frames", 1)):
                    file.seek(number)
                    file.load()
                    duration_ms = int(file.info.get("duration", 0))
                    yield duration_ms if duration_ms > _SHORTEST_MS else _USUAL_MS, file
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError) as error:
            raise BadVideo(self.location, "is damaged, or ends early", fix=DAMAGED) from error

    def _content(self) -> bytes:
        if num_bytes_of(self.picture) > _MOST_BYTES:
            raise self._too_large("more bytes than any picture that is read")
        try:
            return self.picture.read_bytes()
        except OSError as error:
            raise BadVideo(self.location, f"cannot be read ({error.strerror})", fix="check that file") from error

    def _too_large(self, what: str) -> BadVideo:
        return BadVideo(self.location, f"has {what}", fix="scale it down first")


def _on_black(picture: Any) -> npt.NDArray[np.uint8]:
    """(H, W, 3) uint8. What is transparent is not shown, whatever colour it has."""
    from PIL import Image

    if picture.mode != "RGBA":
        return np.asarray(picture.convert("RGB"), np.uint8)
    black = Image.new("RGBA", picture.size, (0, 0, 0, 255))
    return np.asarray(Image.alpha_composite(black, picture).convert("RGB"), np.uint8)
