"""What a container cannot hold is known before any work, and is what would go wrong at the end of it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tasks.errors import BadOutput, BadSetting
from tasks.places import source_of, target_of
from tasks.video.holding import check_holds, check_tracks
from tasks.video.info import LostTrack, VideoInfo
from tasks.video.join import FORMATS
from tasks.video.probe import probe_file
from tasks.video.write import EncoderSettings
from tests.video.clocks import record
from tests.video.drawing import Clip, draw, with_titles
from tests.video.rendering import rendered

SOUND = [
    ("aac.mp4", "aac"),  # begins before the picture, which NUT cannot say
    ("adts.ts", "aac"),  # each packet with a header of its own, which AVI does not take
    ("opus.mkv", "libopus"),
    ("flac.mkv", "flac"),  # FFmpeg writes it into .ts, and nobody finds it there
    ("pcm.mov", "pcm_s16le"),
]
ENDINGS = [ending for ending in FORMATS if ending not in (".m4v", ".webm")]


def why_not(path: Path, ending: str, drop: tuple[str | int, ...] = ()) -> str:
    """What is said before any work; "" for nothing."""
    source = source_of(str(path))
    target = target_of(str(path.with_name(f"out{ending}")), source)
    info, index = probe_file(path)
    try:
        check_holds(path, target.location, FORMATS[ending], EncoderSettings(), drop)
        target.check_fits(source, info.without(drop), index, None)
    except BadOutput as error:
        return str(error)
    return ""


def sound_of(path: Path, ending: str) -> str | None:
    """The codec of the sound of what is written; None where there is none, or nothing is written."""
    target = path.with_name(f"written{ending}")
    try:
        rendered(path, target)
    except BadOutput:
        return None
    with av.open(str(target)) as container:
        return next((stream.codec.canonical_name for stream in container.streams.audio if stream.codec_context is not None), None)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(("name", "codec"), SOUND)
def test_what_is_said_before_is_what_would_happen(name: str, codec: str, ending: str, tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(name, audio=codec, num_frames=40))
    said = why_not(path, ending)
    assert bool(said) == (sound_of(path, ending) is None), said
    assert why_not(path, ending, (1,)) == why_not(path, ending, ("audio",)) == ""


@pytest.mark.parametrize(
    ("name", "codec", "ending", "ways_out"),
    [
        ("a.mkv", "flac", ".ts", ".mkv or .mp4"),  # not .mov, which does not hold it either
        ("a.mkv", "libopus", ".mov", ".mkv or .mp4"),
    ],
)
def test_the_ways_out_are_tried_too(name: str, codec: str, ending: str, ways_out: str, tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(name, audio=codec, num_frames=40))
    what = f"a {FORMATS[ending]} file cannot hold the audio stream 1 ({codec.removeprefix('lib')})"
    fix = f"choose a name that ends in {ways_out}, or leave the stream out with --drop 1"
    assert why_not(path, ending) == f"{tmp_path}/out{ending}: {what}; {fix}"


@pytest.mark.parametrize(("ending", "holds"), [(".mkv", True), (".mp4", False), (".ts", False), (".avi", False)])
def test_subtitles_are_tried(ending: str, holds: bool, tmp_path: Path) -> None:
    path = with_titles(draw(tmp_path, Clip("a.mkv")), tmp_path / "titled.mkv")
    said = why_not(path, ending)
    assert holds or "cannot hold the subtitle stream 2 (subrip); choose a name that ends in .mkv, or leave the stream out" in said, said
    assert why_not(path, ending, ("subtitles",)) == ""


def test_sound_that_avi_begins_too_late_is_said_before(tmp_path: Path) -> None:
    path = record(tmp_path / "late.mkv", 50, sound_starts_seconds=0.6, container_format="matroska")
    assert "sound starts 0.5" in why_not(path, ".avi")


@pytest.mark.parametrize(
    ("number", "problem", "fix"),
    [
        (0, "is the picture itself", r"choose from: 1 \(audio\), 2 \(audio\)"),
        (3, "is no track that goes with the picture", r"choose from: 1 \(audio\), 2 \(audio\)"),
    ],
)
def test_only_tracks_that_are_there_can_be_left_out(number: int, problem: str, fix: str, tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(audio_tracks=2))
    check_tracks(path, ("audio", "subtitles", 1, 2))
    with pytest.raises(BadSetting, match=f"drop {number}: {problem}; {fix}"):
        check_tracks(path, (number,))
    with pytest.raises(BadSetting, match="drop 1: is no track that goes with the picture; leave it out: there is no other track"):
        check_tracks(None, (1,))


def test_tracks_that_play_and_are_lost_are_known(tmp_path: Path) -> None:
    """Cover art is none; a track of sound whose kind FFmpeg does not know is one."""
    path = draw(tmp_path, Clip("a.mov", audio="alac", audio_tracks=2, second_video=True))
    content = path.read_bytes()
    last = content.rindex(b"stsd")
    path.write_bytes(content[:last] + content[last:].replace(b"alac", b"zzzz", 1))
    camera = LostTrack(index=1, kind="video", what="a second camera track (stream 1, h264)")
    sound = LostTrack(index=3, kind="audio", what="sound of a kind that is not known (stream 3)")
    info, _ = probe_file(path)
    assert info.lost == (camera, sound)
    assert [one.index for one in info.audio] == [2]
    assert kept(info.without((1,))) == ([2], [sound])
    assert kept(info.without(("audio",))) == ([], [camera])
    assert kept(info.without((2, "subtitles"))) == ([], [camera, sound])
    assert probe_file(draw(tmp_path, Clip("b.mp4", cover=True)))[0].lost == ()


def kept(info: VideoInfo) -> tuple[list[int], list[LostTrack]]:
    return [one.index for one in info.audio], list(info.lost)
