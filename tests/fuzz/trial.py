"""What is done with a hostile file: all that the program does with one of its kind before it is shown to anybody."""

from __future__ import annotations

import json
import traceback
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tasks import by_hand, photos, plan
from tasks.errors import VeilError
from tasks.first_reading import _check, _probe, _read_through
from tasks.places import source_of
from tasks.video import EncoderSettings, encode_segment, join_segments, read_frames
from tasks.video.encoders import choose_encoding
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.segments import Piece
from tasks.video.sources import Images
from tests.fuzz.seeds import VIDEO

T = TypeVar("T")
_THUMBNAIL = (48, 27)
_STRETCH = 6
_WRITTEN = 4  # one in so many videos is written too
_MOST_SIDE = 512
_QUICK = EncoderSettings(codec="libx264", preset="ultrafast", threads=1)
_ROOT = str(Path(__file__).parents[2])


class Outcome(NamedTuple):
    """How it ended.

    how: result, error (one that is explained), memory, bug (any other exception), crash, slow
    said: the error's class, the exception's class and place, the signal's name
    """

    how: str
    said: str = ""
    details: str = ""


def outcome_of(path: Path, kind: str) -> Outcome:
    """Reads the file."""
    try:
        TRIALS.get(kind, video if kind in VIDEOS else picture)(path)
    except VeilError as error:
        if "\n" in str(error):
            return Outcome("bug", f"{type(error).__name__} of several lines", str(error))
        return Outcome("error", type(error).__name__, str(error))
    except MemoryError:
        return Outcome("memory", "MemoryError", traceback.format_exc())
    except Exception as error:
        if "can't start new thread" in str(error):
            return Outcome("memory", "no thread", traceback.format_exc())
        return Outcome("bug", f"{type(error).__name__} {_place(error)}", traceback.format_exc())
    return Outcome("result")


def _place(error: Exception) -> str:
    """Where the project's own code raised it, or called what did."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if frame.filename.startswith(f"{_ROOT}/tasks")] or frames
    return f"{ours[-1].filename.removeprefix(_ROOT).lstrip('/')}:{ours[-1].name}"


def video(path: Path) -> None:
    """Opened, probed, read to its end, and a stretch in its middle as it is read to be worked on; some of them are written too."""
    info, index = _first_read(str(path))
    middle = len(index) // 2
    last = min(middle + _STRETCH, len(index) - 1)
    with closing(source_of(str(path)).frames(info, index, middle, last)) as frames:  # type: ignore[type-var]
        read = [(number, frame.pts, frame.width, frame.height) for number, frame in frames]
    assert read == [(number, int(index.pts[number]), info.width, info.height) for number in range(middle, last + 1)], "other frames"
    if path.is_file() and zlib.crc32(path.read_bytes()) % _WRITTEN == 0 and max(info.width, info.height) <= _MOST_SIDE:
        _written(path, info, index)


def _written(path: Path, info: VideoInfo, index: FrameIndex) -> None:
    """As the program ends: the picture encoded, the sound and all else as they are."""
    piece = Piece(0, len(index) - 1, path.with_name("piece.nut"))
    with closing(read_frames(path, info, index, 0, len(index) - 1)) as frames:  # type: ignore[type-var]
        encode_segment((frame for _, frame in frames), info, choose_encoding(info, _QUICK, "matroska").settings, piece.path)
    join_segments([piece], path, info, index, path.with_name("out.mkv"))


def picture(path: Path) -> None:
    """As the frame of a folder of pictures, and as a photo."""
    trouble = [one for one in (_refused(video, path.parent), _refused(photos.read_photo, path)) if one]
    if trouble:
        raise trouble[0]


def _refused(function: Callable[[Path], Any], path: Path) -> VeilError | None:
    try:
        function(path)
    except VeilError as error:
        return error
    return None


def _first_read(location: str) -> tuple[VideoInfo, FrameIndex]:
    """As `tasks.first_reading` does it, without a process apart."""
    _done(_check(location))
    said, (content,) = _done(_probe(location, "0" * 64, Images().model_dump_json()))
    info, index = VideoInfo.model_validate_json(said), FrameIndex.from_bytes(content)
    assert (np.diff(index.pts) > 0).all(), "times do not increase"
    assert len(index) == info.num_frames
    found, thumbnails = _done(_read_through(location, said, 0, len(index) - 1, *_THUMBNAIL, index.to_bytes()))
    assert len(thumbnails) == len(index), "a frame is missing"
    assert {len(one) for one in thumbnails} == {3 * _THUMBNAIL[0] * _THUMBNAIL[1]}
    others = {(width, height) for _, width, height in found["sizes"]} - {(info.width, info.height)}
    read = {"damaged": tuple(map(tuple, found["damaged"])), "other_sizes": tuple(others)}
    return info.model_copy(update=read), index


def _done(work: Generator[bytes, None, T]) -> tuple[T, list[bytes]]:
    parts = []
    while True:
        try:
            parts.append(next(work))
        except StopIteration as end:
            return json.loads(json.dumps(end.value)), parts


def people(path: Path) -> None:
    by_hand.with_files_read(plan.Plan(people=str(path)), VIDEO)


def a_plan(path: Path) -> None:
    """As `--plan` takes it; what it says can be written down."""
    plan.make_plan(plan.load_values(path)).model_dump_json()


VIDEOS = frozenset({"mp4", "matroska", "ts", "avi", "streams"})
TRIALS: dict[str, Callable[[Path], None]] = {"people": people, "plan": a_plan}
