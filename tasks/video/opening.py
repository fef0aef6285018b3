"""Opening a source: only the file that was named, only kinds of file that hold nothing but themselves."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.container.core import Flags
from av.stream import Discard, Disposition, Stream
from av.video.stream import VideoStream

from tasks.errors import BadVideo
from tasks.video.files import File

LARGEST_SIDE = 16384
"""pixels; what no codec in use goes beyond, and what memory can hold"""

# Playlists and scripts (hls, dash, concat, image sequences) name other files or hosts: they are left out on purpose.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,mpeg,avi,gif,flv,asf,ogg,nut,mxf,ivf,dv,dhav,"
    "h264,hevc,mpegvideo,m4v,mjpeg,yuv4mpegpipe,apng"
)
_OPTIONS = {
    "format_whitelist": _DEMUXERS,
    "max_pixels": str(LARGEST_SIDE * LARGEST_SIDE),
    # Without it a name such as `x%03d.png` or `a|b` could mean several files.
    "pattern_type": "none",
}
_BUFFER_BYTES = 1 << 18  # that FFmpeg asks for at once
_PLAYABLE = "copy or download it again, or convert it with a tool that can play it"


def open_source(path: File, *, guess_pts: bool = False, edited: bool = True, hardware: HWAccel | None = None) -> InputContainer:
    """The opened file, decoded by `hardware` if given; without `edited` all of it is read, whatever an edit list hides.

    Raises BadVideo where it is not there or not a kind of video that is read.
    """
    if isinstance(path, Path):
        check_file(path)
    unedited = {} if edited else {"ignore_editlist": "1"}
    try:
        if isinstance(path, Path):
            # The prefix keeps a name such as `http:x` a name.
            options = {**_OPTIONS, **unedited, "protocol_whitelist": "file"}
            container = av.open(f"file:{path}", "r", options=options, metadata_errors="replace", hwaccel=hardware)
        else:
            # FFmpeg is given bytes and no address, and may not open anything by itself.
            options = {**_OPTIONS, **unedited, "protocol_whitelist": "none"}
            container = av.open(path.open(), "r", options=options, metadata_errors="replace", buffer_size=_BUFFER_BYTES, hwaccel=hardware)
    except PermissionError as error:
        raise BadVideo(path, "may not be read", fix="change its permissions") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise BadVideo(path, f"cannot be read as a video ({explain(error)})", fix=_PLAYABLE) from error
    if not guess_pts:
        # FFmpeg's guesses at missing times are not to be told from real ones.
        container.flags &= ~cast(int, Flags.gen_pts.value)
    return container


def check_file(path: Path) -> None:
    """Raises BadVideo for what is no file, or an empty one."""
    if not path.exists():
        raise BadVideo(path, "there is no such file", fix="check the path")
    if path.is_dir():
        raise BadVideo(path, "is a folder, not a video file", fix="name a file in it")
    if not path.is_file():
        raise BadVideo(path, "is not a regular file", fix="copy the video to a file first")
    if path.stat().st_size == 0:
        raise BadVideo(path, "is empty (0 bytes)", fix="copy or download it again")


def picture_stream(container: InputContainer, path: File) -> VideoStream:
    """The stream that is the video: the first that is no cover art; raises BadVideo where there is none."""
    streams = [stream for stream in container.streams.video if not is_attached_picture(stream)]
    if not streams:
        found = sorted({stream.type for stream in container.streams if not is_attached_picture(stream)})
        held = f"only {' and '.join(found)}" if found else "nothing that plays"
        raise BadVideo(path, f"has no video stream ({held})", fix="give a file with moving pictures")
    stream: VideoStream = max(streams, key=lambda one: bool(one.disposition & Disposition.default))
    if stream.codec_context is None:
        raise BadVideo(path, "has video of a kind that cannot be decoded", fix=_PLAYABLE)
    if not (0 < stream.codec_context.width <= LARGEST_SIDE and 0 < stream.codec_context.height <= LARGEST_SIDE):
        size = f"{stream.codec_context.width}x{stream.codec_context.height}"
        raise BadVideo(path, f"has pictures of {size} pixels, outside 1 to {LARGEST_SIDE}", fix="scale it down first")
    return stream


def skip_other_streams(container: InputContainer, stream: VideoStream) -> None:
    """Do not even read the packets of other streams, where the container allows it."""
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all


def is_attached_picture(stream: Stream) -> bool:
    """Whether a video stream is cover art or a thumbnail rather than moving pictures."""
    return stream.type == "video" and bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def explain(error: BaseException) -> str:
    """What went wrong in FFmpeg's words, without its numbers and without the path."""
    return str(getattr(error, "strerror", None) or error).rstrip(".").lower() or type(error).__name__
