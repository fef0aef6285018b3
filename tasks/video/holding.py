"""Whether a kind of container can hold what is to go into it: found out before any work, by beginning to write one in memory."""

from __future__ import annotations

import io
from typing import Any

import av

from tasks.errors import BadOutput
from tasks.video.encoders import EncoderSettings, check_encoder
from tasks.video.files import File
from tasks.video.opening import open_source
from tasks.video.targets import VideoTarget


def check_holds(source: File | None, target: VideoTarget, settings: EncoderSettings) -> None:
    """Raises BadOutput where the target's container cannot hold a stream that is copied, BadSetting where it cannot hold the encoder's."""
    container_format = target.container_format
    check_encoder(settings, container_format)
    if source is None:
        return
    with open_source(source) as container:
        for stream in container.streams:
            if stream.type in ("audio", "subtitle") and stream.codec_context is not None and not _holds(container_format, stream):
                problem = f"a {container_format} file cannot hold the {stream.type} stream {stream.index} ({stream.codec.canonical_name})"
                raise BadOutput(target.location, problem, fix="choose a name that ends in .mkv")


def _holds(container_format: str, stream: Any) -> bool:
    try:
        with av.open(io.BytesIO(), "w", format=container_format) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.FFmpegError, ValueError):
        return False
    return True
