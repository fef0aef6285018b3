"""What the `veil` command answers to what cannot be done: one line that names it and the way out, and nothing left behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np
import pytest

from flows import cli
from flows.commands import plan_of
from tests.clips import Clip
from tests.conftest import use_store

_SAID = "Reading the (file|photos)|Finding (shots|faces)|Following faces|Joining tracks|Choosing people|Blurring|Checking the result"
PROGRESS = re.compile(rf"({_SAID}) +\S")
LONG_WORK = re.compile(r"Finding|Following|Blurring|Checking")


@dataclass(frozen=True)
class Desk:
    """A folder of things that are wrong, and two that are right; results go into a folder of their own."""

    inputs: Path
    outputs: Path

    @property
    def output(self) -> Path:
        return self.outputs / "out.mp4"


@pytest.fixture(scope="module")
def inputs(two_people_clip: Clip, no_faces_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    whole = two_people_clip.video.read_bytes()
    (folder / "good.mp4").write_bytes(whole)
    (folder / "truncated.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("This is not a video.\n" * 400)
    (folder / "folder.mp4").mkdir()
    with av.open(str(folder / "sound.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    people = [cv2.imread(str(two_people_clip.photo(person))) for person in ("collins", "hopper")]
    cv2.imwrite(str(folder / "collins.jpg"), people[0])
    cv2.imwrite(str(folder / "both.jpg"), np.hstack(people))
    with av.open(str(no_faces_clip.video)) as container:
        cv2.imwrite(str(folder / "nobody.jpg"), next(container.decode(video=0)).to_ndarray(format="bgr24"))
    (folder / "text.jpg").write_text("no picture")
    (folder / "no pictures").mkdir()
    (folder / "broken.toml").write_text("[blur_faces\n")
    (folder / "wrong.toml").write_text("[blur_faces]\nstrength = 3\n")
    (folder / "in the way").write_text("a file where a folder should be")
    return folder


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results store for all rows: what one finds out, the next knows."""
    with pytest.MonkeyPatch.context() as patch:
        use_store(tmp_path_factory.mktemp("stores") / "results", patch)
        yield Path(os.environ["VEIL_RESULTS"])


@pytest.fixture
def desk(inputs: Path, tmp_path: Path) -> Desk:
    (tmp_path / "outputs").mkdir()
    return Desk(inputs, tmp_path / "outputs")


@dataclass(frozen=True)
class Row:
    """`{in}` and `{out}` stand for the folders, `§` in words for a space."""

    words: str
    says: tuple[str, ...]  # patterns, all of which the line has
    status: int = 2
    output: str = "{out}/out.mp4"
    reaches: Literal["nothing", "flow", "long stages"] = "nothing"  # how far it gets before it is known
    before: Callable[[Desk], object] | None = field(default=None, repr=False)


def here(desk: Desk) -> None:
    desk.output.write_bytes(b"mine")


GOOD = "{in}/good.mp4"
TABLE: dict[str, Row] = {
    # the source
    "missing": Row("{in}/none.mp4", ("{in}/none.mp4: there is no such file", "check the path")),
    "missing, output is there": Row("{in}/none.mp4 --overwrite", ("{in}/none.mp4: there is no such file",), before=here),
    "folder": Row("{in}/folder.mp4", ("{in}/folder.mp4: holds no pictures", "name a folder of")),
    "zero bytes": Row("{in}/empty.mp4", ("{in}/empty.mp4: is empty", "download it again"), reaches="flow"),
    "text": Row("{in}/text.mp4", ("{in}/text.mp4: cannot be read as a video", "convert it"), reaches="flow"),
    "sound only": Row("{in}/sound.mp4", ("{in}/sound.mp4: has no video stream", "audio", "moving pictures"), reaches="flow"),
    "truncated": Row(
        "{in}/truncated.mp4", ("{in}/truncated.mp4: ", "download it again"), reaches="flow"
    ),  # the index is at its end: not to be opened
    "device": Row("/dev/null", ("/dev/null: is not a regular file",), reaches="flow"),
    # the photos
    "photo missing": Row(GOOD + " --keep {in}/none.jpg", ("{in}/none.jpg: is not there", "give a photo")),
    "photo is no picture": Row(GOOD + " --keep {in}/text.jpg", ("{in}/text.jpg: is not a picture", "JPEG"), reaches="flow"),
    "photo without a face": Row(GOOD + " --only {in}/nobody.jpg", ("{in}/nobody.jpg: no face", "from the front"), reaches="flow"),
    "photo with two faces": Row(
        GOOD + " --keep {in}/both.jpg", ("{in}/both.jpg: 2 faces", "one \\d+% from the left", "cut out the one"), reaches="flow"
    ),
    "one of two photos is bad": Row(GOOD + " --keep {in}/collins.jpg {in}/nobody.jpg", ("{in}/nobody.jpg: no face",), reaches="flow"),
    "photos' folder without any": Row(GOOD + " --keep {in}/no§pictures", ("no pictures: holds no pictures", ".jpg")),
    # the settings
    "unknown setting": Row(GOOD + " --set blur_faces.blurr=1", ("blur_faces.blurr: is no setting", "blur, copy_untouched, decoder")),
    "unknown stage": Row(GOOD + " --set blurr.blur=1", ("blurr: is no setting", "blur_faces, build_tracks")),
    "unknown setting of a method": Row(
        GOOD + " --set blur_faces.blur.method=solid --set blur_faces.blur.tiles=4", ("tiles: is no setting", "expand, lightness, method")
    ),
    "unknown method": Row(
        GOOD + " --set blur_faces.blur.method=invisible", ("'invisible'", "choose one of: pixelate, round, square, solid")
    ),
    "value out of range": Row(
        GOOD + " --set blur_faces.blur.tiles=99", ("blur_faces.blur.pixelate.tiles: .*less than or equal to 25, not 99",)
    ),
    "set without a value": Row(GOOD + " --set blur_faces", ("--set blur_faces: has no value", "STAGE.NAME=VALUE")),
    "set a stage to a number": Row(GOOD + " --set blur_faces=3", ("blur_faces: ", "change that setting")),
    "policy that asks": Row(
        GOOD + " --set choose_people.policy=ask", ("choose_people.policy ask: waits for an answer in Prefect's UI", "--decisions")
    ),
    "set the people to a number": Row(GOOD + " --set choose_people=3 --keep {in}/collins.jpg", ("choose_people",)),
    "plan missing": Row(GOOD + " --plan {in}/none.toml", ("{in}/none.toml: cannot be read", "TOML")),
    "plan is no TOML": Row(GOOD + " --plan {in}/broken.toml", ("{in}/broken.toml: is not TOML", "line 1")),
    "plan with an unknown setting": Row(
        GOOD + " --plan {in}/wrong.toml", ("blur_faces.strength: is no setting", "blur, copy_untouched, decoder")
    ),
    "unknown encoder": Row(GOOD + " --encoder libx264rgb", ("--encoder libx264rgb: is no encoder", "choose from: libx264, libx265")),
    "options for FFmpeg": Row(GOOD + " --encoder libx264:fast:crf=1", ("--encoder libx264:fast:crf=1: 'fast:crf=1' is no preset",)),
    "unknown preset": Row(GOOD + " --encoder libx265:placebo", ("'placebo' is no preset", "ultrafast, superfast")),
    "encoder without presets": Row(GOOD + " --encoder ffv1:slow", ("ffv1 has no presets", "write --encoder ffv1")),
    "encoder and container": Row(
        GOOD + " --encoder prores_ks", ("prores_ks: a mp4 file does not hold prores", "choose libx264 or libx265")
    ),
    "sound and container": Row(GOOD, ("{out}/out.webm: a webm file cannot hold the audio stream 1", ".mkv"), output="{out}/out.webm"),
    "metadata that tells": Row(GOOD + " --keep-metadata location", ("--keep-metadata location: .*never kept", "choose from: title")),
    "metadata of no kind": Row(GOOD + " --keep-metadata lyrics", ("--keep-metadata lyrics: is nothing that is kept",)),
    "metadata in a plan": Row(GOOD + " --set keep_metadata=['make']", ("keep_metadata.0: ", "'title'")),
    # the tracks, and how fast pictures come
    "drop the picture": Row(GOOD + " --drop 0", ("drop 0: is the picture itself", "choose from: 1 \\(audio\\)")),
    "drop what is not there": Row(GOOD + " --drop 7", ("drop 7: is no track", "choose from: 1 \\(audio\\)")),
    "drop a word": Row(GOOD + " --drop lyrics", ("--drop lyrics: is no track", "write audio, subtitles, or a stream's number")),
    "drop a word in a plan": Row(GOOD + " --set drop=['lyrics']", ("drop.0", "'audio' or 'subtitles'")),
    "frame rate of a film": Row(
        GOOD + " --frame-rate 30", ("{in}/good.mp4: says itself when its pictures are shown", "leave out --frame-rate"), reaches="flow"
    ),
    "frame rate is no number": Row(GOOD + " --frame-rate fast", ("images.frame_rate: is no frame rate: write 25", "'fast'")),
    "frame rate is none": Row(GOOD + " --frame-rate 30/0", ("images.frame_rate: is no frame rate",)),
    "frame rate takes forever": Row(GOOD + " --frame-rate 1e999999999", ("images.frame_rate: is no frame rate",)),
    # the points
    "at is no point": Row(GOOD + " --at 1:00", ("--at 1:00: is not a time and a place", "TIME,X,Y")),
    "at is no time": Row(GOOD + " --at soon,1,2", ("--at soon,1,2: is not a time",)),
    "at negative": Row(GOOD + " --at=-1,1,2", ("--at -1,1,2: is not a time",)),
    "at outside the picture": Row(GOOD + " --at=1,-5,2", ("x: .*greater than or equal to 0",)),
    "beyond the end": Row(GOOD + " --at 1:00:00,10,10", ("3600 s: is beyond the video's end", "before 4.00 s"), reaches="long stages"),
    "beyond the end, early": Row(GOOD + " --at 1:00:00,10,10", ("beyond the video's end",), reaches="flow"),
    "meets no face": Row(GOOD + " --at 0.2,5,350", ("\\(5, 350\\) at 0.2 s: no face is there", "\\(\\d+, \\d+\\)"), reaches="long stages"),
    "keep-picked without at": Row(GOOD + " --keep-picked", ("--keep-picked: nobody is picked", "--at")),
    "keep-picked with photos": Row(GOOD + " --only {in}/collins.jpg --keep-picked", ("--keep-picked",)),
    # the output
    "output is the input": Row(GOOD, ("good.mp4: is the input itself", "choose another name"), output=GOOD),
    "output is the input, overwrite": Row(GOOD + " --overwrite", ("good.mp4: is the input itself",), output=GOOD),
    "output exists": Row(GOOD, ("{out}/out.mp4: exists already", "--overwrite"), before=here),
    "output is a folder": Row(GOOD, ("{out}: is a folder",), output="{out}"),
    "output's folder missing": Row(GOOD, ("{out}/none: is not a folder", "make it first"), output="{out}/none/out.mp4"),
    "output's folder is a file": Row(GOOD, ("{in}/in the way: is not a folder",), output="{in}/in§the§way/out.mp4"),
    "output of an unknown kind": Row(GOOD, ("{out}/out.wmv: is not named as a kind of video", ".mp4, .m4v"), output="{out}/out.wmv"),
    "output without a kind": Row(GOOD, ("{out}/out: is not named as a kind of video",), output="{out}/out"),
    "report cannot be written": Row(GOOD + " --report {out}/none/report.json", ("{out}/none/report.json: cannot be written",)),
    "report is the output": Row(GOOD + " --report {out}/out.mp4", ("{out}/out.mp4: ",)),
    "report is the input": Row(GOOD + " --report {in}/good.mp4", ("{in}/good.mp4: ",)),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_cannot_be_done(
    name: str, desk: Desk, stores: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    row = TABLE[name]
    if row.reaches == "nothing":
        monkeypatch.setattr("flows.blur_video.blur_video", _not_reached)
    else:
        request.getfixturevalue("prefect_server")
    if row.before:
        row.before(desk)
    before = everything(desk.inputs), everything(desk.outputs)
    output = _filled(row.output, desk)

    status = cli.main(["blur", *[_filled(word, desk) for word in row.words.split()], "-o", output])

    lines = capfd.readouterr().err.splitlines()
    assert_one_line(lines, [_filled(pattern, desk, re.escape) for pattern in row.says])
    assert status == row.status
    assert (everything(desk.inputs), everything(desk.outputs)) == before, "something is left behind, or changed"
    if row.reaches != "long stages":
        assert not any(LONG_WORK.match(line) for line in lines), "it was known before all that work"


def _not_reached(*_: object, **__: object) -> None:
    raise AssertionError("it was known before the flow was started")


def _filled(text: str, desk: Desk, quoted: Callable[[str], str] = str) -> str:
    return text.replace("{in}", quoted(str(desk.inputs))).replace("{out}", quoted(str(desk.outputs))).replace("§", " ")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def assert_one_line(lines: list[str], says: list[str]) -> None:
    """Besides progress there is one line, the last."""
    said = [line for line in lines if line and not PROGRESS.match(line)]  # for empty lines see test_no_empty_line
    assert len(said) == 1, "\n".join(lines)
    assert said == lines[-1:]
    assert said[0].startswith("veil: "), said[0]
    assert "; " in said[0], "no way out is given"
    for pattern in says:
        assert re.search(pattern, said[0]), f"{said[0]!r} has no {pattern!r}"


# Trouble with disks ----------------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, kilobytes: int, mode: str = "rw") -> Iterator[Path]:
    """A disk of its own at `folder`; skips where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,{mode}", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("needs to be allowed to mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_output_disk_full(desk: Desk, prefect_server: str, stores: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with small_disk(tmp_path / "disk", 64) as disk:
        status = cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", f"{disk}/out.mp4"])
        left = list(disk.iterdir())
    assert_one_line(capfd.readouterr().err.splitlines(), [f"{tmp_path}/disk", "the disk is full", "free some space"])
    assert status == cli.USAGE_ERROR
    assert not left


@pytest.mark.parametrize("kilobytes", [4, 64], ids=["at once", "while blurring"])
def test_results_disk_full(
    kilobytes: int, desk: Desk, prefect_server: str, stores: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with small_disk(tmp_path / "disk", kilobytes) as disk, pytest.MonkeyPatch.context() as patch:
        use_store(disk / "results", patch)
        if kilobytes == 4:
            (disk / "filler").write_bytes(b"x" * 4096)
        status = cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output)])
        unfinished = list((disk / "results").rglob(".new-*"))
    assert_one_line(capfd.readouterr().err.splitlines(), [f"{tmp_path}/disk", "the disk is full", "VEIL_RESULTS"])
    assert status == cli.USAGE_ERROR
    assert not unfinished
    assert not list(desk.outputs.iterdir())


STORES = [
    pytest.param("{in}/in§the§way/results", id="in a file"),
    pytest.param("{in}/in§the§way", id="a file"),
    pytest.param(
        "/proc/none/results",
        id="where there can be none",
    ),
]


@pytest.mark.parametrize("place", STORES)
def test_results_cannot_be_kept(
    place: str, desk: Desk, stores: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.blur_video.blur_video", _not_reached)
    monkeypatch.setenv("VEIL_RESULTS", _filled(place, desk))
    status = cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output)])
    assert_one_line(capfd.readouterr().err.splitlines(), [re.escape(_filled(place, desk)), "VEIL_RESULTS"])
    assert status == cli.FAILURE
    assert not list(desk.outputs.iterdir())


def test_output_folder_cannot_be_written(
    desk: Desk, stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A folder that not even root can write to."""
    monkeypatch.setattr("flows.blur_video.blur_video", _not_reached)
    with small_disk(tmp_path / "disk", 64, "ro") as disk:
        status = cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", f"{disk}/out.mp4"])
    assert_one_line(capfd.readouterr().err.splitlines(), ["/disk: cannot be written to", "choose another"])
    assert status == cli.USAGE_ERROR


def test_pipe_is_not_read(desk: Desk, stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.blur_video.blur_video", _not_reached)
    pipe, was_read = tmp_path / "pipe.mp4", threading.Event()
    os.mkfifo(pipe)

    def wait_for_a_reader() -> None:
        os.close(os.open(pipe, os.O_WRONLY))
        was_read.set()

    threading.Thread(target=wait_for_a_reader, daemon=True).start()
    try:
        assert cli.main(["blur", str(pipe), "-o", str(desk.output)]) == cli.USAGE_ERROR
        assert not was_read.is_set()
    finally:
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))  # lets the thread end


# Through a process of its own ----------------------------------------------------------------------------------------------------


def _veil(*words: str) -> list[str]:
    return [sys.executable, "-m", "flows.cli", *words]


def test_process_says_one_line(desk: Desk, stores: Path) -> None:
    """Before Prefect is loaded."""
    ended = subprocess.run(_veil("blur", f"{desk.inputs}/none.mp4", "-o", str(desk.output)), capture_output=True, text=True, check=False)
    assert_one_line(ended.stderr.splitlines(), ["none.mp4: there is no such file"])
    assert (ended.returncode, ended.stdout) == (2, "")


def test_process_says_one_line_from_within_a_stage(desk: Desk, prefect_server: str, stores: Path) -> None:
    """Nothing of Prefect's is printed, neither its log nor a traceback."""
    ended = subprocess.run(_veil("blur", f"{desk.inputs}/text.mp4", "-o", str(desk.output)), capture_output=True, text=True, check=False)
    assert_one_line(ended.stderr.splitlines(), ["text.mp4: cannot be read as a video"])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert not list(desk.outputs.iterdir())


def test_no_empty_line(prefect_server: str, desk: Desk, stores: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cli.main(["blur", f"{desk.inputs}/empty.mp4", "-o", str(desk.output)])
    assert "" not in capfd.readouterr().err.splitlines()


@pytest.mark.slow
def test_process_starts_its_own_server(desk: Desk, tmp_path: Path) -> None:
    """Nothing runs before, and nothing after."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    own |= {"PREFECT_HOME": str(tmp_path / "home"), "VEIL_RESULTS": str(tmp_path / "results")}
    words = _veil("blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output))
    ended = subprocess.run(words, capture_output=True, text=True, check=False, env=own)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stderr.splitlines()
    assert [line for line in lines if line and not PROGRESS.match(line)] == lines[-1:], ended.stderr
    assert [path.name for path in desk.outputs.iterdir()] == ["out.mp4"]


# What goes well ------------------------------------------------------------------------------------------------------------------


def test_done_twice_says_so(desk: Desk, prefect_server: str, stores: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output), "--report", str(desk.outputs / "report.json")]
    assert cli.main(words) == 0
    first = capfd.readouterr().err
    assert cli.main(words) == 0
    second = capfd.readouterr().err
    assert all(PROGRESS.match(line) for line in first.splitlines()[:-1] if line), first
    assert re.search(r"out.mp4: 2 of 2 people blurred in 9\d of 96 frames", first)
    assert second.startswith("Nothing to do")
    assert second.splitlines()[-1] == first.splitlines()[-1]
    assert sorted(path.name for path in desk.outputs.iterdir()) == ["out.mp4", "report.json"]


def test_failed_overwrite_leaves_the_old_output(desk: Desk, prefect_server: str, stores: Path, capfd: pytest.CaptureFixture[str]) -> None:
    here(desk)
    words = ["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output), "--overwrite", "--at", "0.2,5,350"]
    assert cli.main(words) == cli.USAGE_ERROR
    assert everything(desk.outputs) == {"out.mp4": b"mine"}


def test_preview_is_the_first_seconds(desk: Desk, prefect_server: str, stores: Path) -> None:
    assert cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output), "--preview", "1s"]) == 0
    with av.open(str(desk.output)) as container:
        num_frames = sum(1 for _ in container.decode(video=0))
    assert num_frames == pytest.approx(24, abs=1)


@pytest.mark.parametrize(
    ("option", "text"),
    [("--preview", "soon"), ("--preview", "-1"), ("--preview", "0"), ("--preview", ""), ("--from", "now"), ("--to", "1.5f")],
)
def test_moments_that_are_none(
    option: str, text: str, desk: Desk, stores: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.blur_video.blur_video", _not_reached)
    status = cli.main(["blur", f"{desk.inputs}/good.mp4", "-o", str(desk.output), f"{option}={text}"])
    assert_one_line(capfd.readouterr().err.splitlines(), [option])
    assert status == cli.USAGE_ERROR


def test_boxes_are_a_setting_of_the_blur() -> None:
    words = ["blur", "in.mp4", "-o", "out.mp4", "--show", "boxes", "--set", "blur_faces.blur.method=none"]
    asked = plan_of(cli.parser_of_words().parse_args(words)).blur_faces
    assert (asked.show, asked.shows_faces) == ("boxes", True)


@pytest.mark.parametrize(
    ("words", "strictness"),
    [
        ([], "balanced"),
        (["--keep", "anna.jpg"], "balanced"),
        (["--keep", "anna.jpg", "--strictness", "safe"], "safe"),
        (["--set", "choose_people.strictness=safe"], "safe"),
        (["--set", "choose_people.strictness=safe", "--strictness", "sharp"], "sharp"),  # its own word wins
    ],
)
def test_one_word_says_how_sure_it_must_be(words: list[str], strictness: str) -> None:
    chosen = plan_of(cli.parser_of_words().parse_args(["blur", "in.mp4", "-o", "out.mp4", *words])).choose_people
    assert chosen.strictness == strictness
    assert chosen.policy == ("keep_only" if "--keep" in words else "blur_everyone")


class NoServer:
    def wait(self) -> None:
        """There is nothing to wait for."""


def test_what_a_server_says_is_done_must_lie_there(
    no_faces_clip: Clip, stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A server may answer that a run is completed, with a report of its own, and nothing was done."""
    monkeypatch.setattr("flows.commands.EmbeddedServer", NoServer)
    monkeypatch.setattr("flows.blur_video.blur_video", lambda *_, **__: "a report that is made up")
    assert cli.main(["blur", str(no_faces_clip.video), "-o", str(tmp_path / "out.mp4")]) == cli.FAILURE
    assert f"{tmp_path}/out.mp4: is not there as the run says that it has written it; " in capsys.readouterr().err
