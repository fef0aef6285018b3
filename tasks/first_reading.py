"""The first time that a source is opened, and the first time that it is read to its end: in a process of its own (see `tasks.apart`).

Whatever comes through that can be read again where the work is done.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tasks import apart, photos
from tasks.errors import BadPhoto, BadVideo
from tasks.manifests import SizeChange, Video
from tasks.places import source_of
from tasks.tracks import Span
from tasks.video.encoders import EncoderSettings
from tasks.video.holding import check_holds, check_tracks
from tasks.video.info import FrameIndex, Tracks, VideoInfo
from tasks.video.sources import Images
from tasks.video.targets import Target, VideoTarget
from tasks.video.thumbnails import thumbnail
from tasks.video.whole import DAMAGED

_FOR_A_PHOTO = apart.Limit(20, BadPhoto)


def check(location: str) -> None:
    """Opens a source, and looks at its first frame. Raises BadVideo."""
    apart.done(_check, location, [location])


def _check(location: str) -> Generator[bytes, None, None]:
    source_of(location).check()
    yield from ()


def check_streams(location: str, target: Target, encoder: EncoderSettings, drop: Collection[Tracks]) -> None:
    """Raises BadSetting for a track that is left out and not there, BadOutput where the target cannot hold one that comes through."""
    container = target.container_format if isinstance(target, VideoTarget) else None
    apart.done(_check_streams, location, [location, target.location, container, encoder.model_dump_json(), list(drop)])


def _check_streams(
    location: str, target: str, container_format: str | None, encoder: str, drop: Sequence[Tracks]
) -> Generator[bytes, None, None]:
    file = source_of(location).file
    check_tracks(file, drop)
    if container_format is not None:
        check_holds(file, target, container_format, EncoderSettings.model_validate_json(encoder), drop)
    yield from ()


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """The picture, (H, W, 3) uint8 BGR, upright. Raises BadPhoto."""
    shape, (content,) = apart.done(_read_photo, path, [str(path.absolute())], limit=_FOR_A_PHOTO)
    return np.frombuffer(content, np.uint8).reshape(shape)


def _read_photo(path: str) -> Generator[bytes, None, tuple[int, ...]]:
    picture_bgr = photos.read_photo(Path(path))
    yield picture_bgr.tobytes()
    return picture_bgr.shape


def probe(location: str, content_hash: str, images: Images) -> tuple[VideoInfo, FrameIndex]:
    """What a source holds, and its frames. Raises BadVideo."""
    info, (index,) = apart.done(_probe, location, [location, content_hash, images.model_dump_json()])
    return VideoInfo.model_validate_json(info), FrameIndex.from_bytes(index)


def _probe(location: str, content_hash: str, images: str) -> Generator[bytes, None, str]:
    info, index = source_of(location).probe(content_hash, Images.model_validate_json(images))
    yield index.to_bytes()
    return info.model_dump_json()


class FirstReading:
    """All frames of a video as thumbnails; once they were read, what else was seen of them.

    damaged: frames that a decoder concealed or did not give, and those that may refer to them, numbered in the whole file
    sizes: the picture's first size, and each that is not the one before
    num_strays: how many frames came that the index does not have, or not there
    """

    def __init__(self, location: str, video: Video, size: tuple[int, int]) -> None:
        self._location, self._video, self._size = location, video, size
        self.damaged: tuple[Span, ...] = ()
        self.sizes: tuple[SizeChange, ...] = ()
        self.num_strays = 0

    def thumbnails(self) -> Iterator[npt.NDArray[np.uint8]]:
        """(H, W, 3) uint8 RGB of each frame; a missing one looks like the one before. Raises BadVideo for less than half of them."""
        info, (index, first), (width, height) = self._video.info, self._video.in_whole, self._size
        arguments = [self._location, info.model_dump_json(), first, first + info.num_frames - 1, width, height]
        running = apart.Running(_read_through, self._location, arguments, [index.to_bytes()])
        for content in running:
            yield np.frombuffer(content, np.uint8).reshape(height, width, 3)
        self.damaged = tuple((int(begin), int(end)) for begin, end in running.result["damaged"])
        self.sizes = tuple(SizeChange(frame=frame, width=width, height=height) for frame, width, height in running.result["sizes"])
        self.num_strays = int(running.result["strays"])


def _read_through(location: str, info: str, first: int, last: int, width: int, height: int, index: bytes) -> Generator[bytes, None, object]:
    source = source_of(location)
    reading = source.first_reading(VideoInfo.model_validate_json(info), FrameIndex.from_bytes(index), first, last)
    sizes: list[tuple[int, int, int]] = []
    shown, num_damaged = bytes(width * height * 3), 0
    for number, frame, is_damaged in reading:
        num_damaged += is_damaged
        if frame is not None:
            if not sizes or sizes[-1][1:] != (frame.width, frame.height):
                sizes.append((number, frame.width, frame.height))
            shown = thumbnail(frame, (width, height)).tobytes() if shown else shown
        yield shown
    if num_damaged > (num_frames := last + 1 - first) / 2:
        problem = f"less than half of it can be decoded: {num_frames - num_damaged} of {num_frames} frames"
        raise BadVideo(location, problem, fix=DAMAGED)
    return {"damaged": reading.damaged, "sizes": sizes, "strays": len(reading.strays)}
