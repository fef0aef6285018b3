"""What a rendered segment is: it depends on what the whole is to become, and is a part of the segment's key."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import av

from tasks.method import Settings
from tasks.video.encoders import EncoderSettings
from tasks.video.info import VideoInfo
from tasks.video.parallel import in_order
from tasks.video.picture_folder import PictureFolder
from tasks.video.pictures import webp
from tasks.video.pictures.encode import encode_picture
from tasks.video.pictures.kinds import BY_CODEC
from tasks.video.pictures.orientation import orientation_of
from tasks.video.still_to_video import video_frame, video_info
from tasks.video.write import encode_segment, encoder_of

_THE_SAME_CLOCK = (1980, 1, 1, 0, 0, 0)


class Rendered(NamedTuple):
    """A frame on its way to being written."""

    number: int
    original: av.VideoFrame
    """as decoded; its samples may have been changed in place since"""
    frame: av.VideoFrame
    """with its cover"""


class AsVideo(Settings):
    """A stretch of encoded video."""

    form: Literal["video"] = "video"
    in_order: bool = False
    """whether no frame may be stored before one that is shown earlier, for containers that know no times"""

    def write(self, frames: Iterable[Rendered], info: VideoInfo, encoder: EncoderSettings, path: Path) -> int:
        """Encodes the frames to a file, and says how many there were."""
        codec = encoder_of(info, encoder)
        pictures = (video_frame(each.frame, info, codec) for each in frames)
        return encode_segment(pictures, video_info(info, codec), encoder, path, reorder=not self.in_order)


class AsPictures(Settings):
    """An archive of pictures, stored by the numbers of their frames."""

    form: Literal["pictures"] = "pictures"
    codec: Literal["png", "mjpeg", "webp", "tiff", "bmp"]
    only_covered: bool
    """whether frames without cover are copied as files when the whole is put together"""

    def write(self, frames: Iterable[Rendered], info: VideoInfo, source: PictureFolder | None, path: Path) -> int:
        """Encodes the frames, several at once; `source` has the files that they were read from, whose colours and turn are carried on."""
        kind = BY_CODEC[self.codec]

        def encoded(each: Rendered) -> tuple[int, bytes]:
            if source is None:
                content = encode_picture(each.frame, each.original, kind, info)
                return each.number, kind.turned(content, orientation_of(info.display_matrix))
            # The time of a picture is its number in the folder, whichever part of it is written.
            original = source.picture(each.original.pts or 0)
            lossless = self.codec != "webp" or webp.is_lossless(original)
            return each.number, kind.carried(encode_picture(each.frame, each.original, kind, info, lossless=lossless), original)

        num_frames = 0
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for number, content in in_order(encoded, frames):
                archive.writestr(zipfile.ZipInfo(str(number), _THE_SAME_CLOCK), content)
                num_frames += 1
        return num_frames


def pictures_in(path: Path) -> Iterator[tuple[int, bytes]]:
    """The pictures of a segment, in order."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            yield int(entry.filename), archive.read(entry)
