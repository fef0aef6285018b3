"""A source through the whole of writing: encoded in segments as a job does it, and joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import av

from tasks.video import EncoderSettings, FrameIndex, VideoInfo, encode_segment, join_segments, probe_file, read_frames
from tasks.video.encoders import Encoding, choose_encoding
from tasks.video.join import container_format_of
from tasks.video.segments import Piece

DEFAULTS = EncoderSettings()
Change = Callable[[av.VideoFrame], av.VideoFrame]


def rendered(
    path: Path,
    target: Path,
    settings: EncoderSettings = DEFAULTS,
    keep: Sequence[str] = (),
    change: Change = lambda frame: frame,
) -> tuple[VideoInfo, FrameIndex, Encoding]:
    """The source in two segments, every frame changed; what was found in it, and how it was written."""
    info, index = probe_file(path)
    encoding = choose_encoding(info, settings, container_format_of(target))
    middle = len(index) // 2
    stretches = [(0, middle - 1), (middle, len(index) - 1)] if middle else [(0, len(index) - 1)]
    segments = []
    for number, (first, last) in enumerate(stretches):
        segments.append(Piece(first, last, target.with_name(f"{target.name}.{number}")))
        frames: Iterable[av.VideoFrame] = (change(frame) for _, frame in read_frames(path, info, index, first, last))
        encode_segment(frames, info, encoding.settings, segments[-1].path)
    join_segments(segments, path, info, index, target, keep=keep)
    return info, index, encoding
