"""Attacks: a place hidden in packets that could be copied. It is in no result, and the report says that there was something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from tasks.video import probe_file
from tasks.video.messages import is_understood
from tasks.video.nal import escaped, is_parameter_set, is_slice, units_of
from tasks.video.parameter_sets import ParameterSets
from tasks.video.renumbering import SpliceError
from tasks.video.slice_ends import groups_in, hides_data

from .drawing import Clip, draw, packets, textured
from .splicing import changed, spliced

SECRET = b"+60.3913+005.3221/"  # where somebody was filmed
GROUPS = {"g": "8", "bf": "2", "crf": "10", "sc_threshold": "0"}
H264 = Clip(options=GROUPS, audio=None)
HEVC = Clip(codec="libx265", audio=None, options={"x265-params": "keyint=8:min-keyint=8:open-gop=0:scenecut=0:log-level=none"})
HEAD = b"x264 - core 155 r2917 0a84d98 - H.264/MPEG-4 AVC codec - Copyleft 2003-2018 - http://www.videolan.org/x264.html - options:"
X264 = bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef")
X265 = bytes.fromhex("2ca2de09b51747dbbb55a4fe7fc2fc4e")
CAPTIONS = b"\xb5\x00\x31GA94\x03\xc1\xff\xfc\x94\x2c"
UNSEEN = b"\xb5\x00\x31GA94\x03\xc9\xff\xf8" + b"\xf8".join(SECRET[place : place + 2] for place in range(0, 18, 2)) + b"\xff"
HIDDEN_IN = 10  # the packet, of the second group

Units = list[bytes]


def message(kind: int, content: bytes, codec: str = "h264") -> bytes:
    """A unit with one message."""
    assert len(content) < 255
    return escaped((b"\x06" if codec == "h264" else b"\x4e\x01") + bytes([kind, len(content)]) + content + b"\x80")


def before(unit: bytes) -> Callable[[Units], Units]:
    return lambda units: [unit, *units]


def behind(unit: bytes) -> Callable[[Units], Units]:
    return lambda units: [*units, unit]


def once(change: Callable[[Units], Units]) -> Callable[[int, Units], Units]:
    return lambda number, units: change(units) if number == HIDDEN_IN else units


LISTED = {
    "x264's number, and another content": (H264, before(message(5, X264 + SECRET))),
    "x264's words, and another content": (H264, before(message(5, X264 + b"x264 - core 165 " + SECRET))),
    "x264's settings, one of which is another": (H264, before(message(5, X264 + HEAD + b" cabac=1 zones=" + SECRET + b"\0"))),
    "behind x264's settings": (H264, before(message(5, X264 + b"x264 - core 165\0" + SECRET))),
    "x265's number, and another content": (HEVC, before(message(5, X265 + SECRET, "hevc"))),
    "a filler that is none": (H264, before(b"\x0c" + b"\xff" * 9 + SECRET + b"\x80")),
    "a filler of HEVC that is none": (HEVC, before(b"\x4c\x01" + SECRET + b"\x80")),
    "behind a filler's end": (H264, before(b"\x0c\xff\xff\x80" + SECRET)),
    "a filling message that is none": (H264, before(message(3, SECRET))),
    "a delimiter with more": (H264, before(b"\x09\x30" + SECRET)),
    "a delimiter of HEVC with more": (HEVC, before(b"\x46\x01\x50" + SECRET)),
    "captions of another kind": (H264, before(message(4, b"\xb5\x00\x31GA94\x06" + SECRET))),
    "behind the captions": (H264, before(message(4, CAPTIONS + b"\xff" + SECRET))),
    "more captions than it says": (H264, before(message(4, CAPTIONS + SECRET + b"\xff"))),
    "captions that nobody sees": (H264, before(message(4, UNSEEN))),
    "which part matters, and more": (H264, before(message(4, b"\xb5\x00\x31DTG1\x41\xf8" + SECRET))),
    "a delay that is too long": (H264, before(message(1, SECRET * 3))),
    "a recovery that is too long": (H264, before(message(6, b"\x84" + SECRET))),
    "two pictures in one, and more": (H264, before(message(45, b"\x81" + SECRET))),
    "a screen that is too long": (H264, before(message(137, bytes(24) + SECRET))),
    "light that is too long": (H264, before(message(144, bytes(4) + SECRET))),
    "behind the last message": (H264, before(b"\x06\x06\x01\xc4\x80" + SECRET)),
    "a second picture": (H264, behind(b"\x65\x88" + SECRET)),
    "a unit of no kind": (H264, behind(b"\x18" + SECRET)),
    "a unit of no kind, in HEVC": (HEVC, behind(b"\x60\x01" + SECRET)),
    "a message that pictures refer to": (H264, before(b"\x66" + message(6, b"\xc4")[1:] + SECRET)),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_group_with_something_hidden_is_encoded_and_listed(tmp_path: Path, name: str) -> None:
    clip, change = LISTED[name]
    source = changed(draw(tmp_path, clip), tmp_path / "changed.mp4", once(change))
    assert SECRET[:8] in source.read_bytes() or name == "captions that nobody sees"
    info, index = probe_file(source)
    assert sorted(set(index.groups.tolist())) == [-1, 0, 2]
    assert info.dropped == ("data beside the picture in the picture's own stream (in 1 packets)",)
    spliced(source, tmp_path / "out.mp4", {-1})
    content = (tmp_path / "out.mp4").read_bytes()
    assert all(SECRET[n : n + 8] not in content for n in range(len(SECRET) - 8))


def bare(units: Units) -> Units:
    return units


SILENT = {
    "as it is": (H264, bare),
    "as it is, in HEVC": (HEVC, bare),
    "delays": (H264, before(message(1, SECRET))),
    "what a buffer holds": (H264, before(message(0, SECRET))),
    "checksums": (HEVC, before(message(132, SECRET, "hevc"))),
    "a clock": (HEVC, before(message(136, SECRET, "hevc"))),
    "delimiters": (H264, before(b"\x09\x30")),
    "delimiters of HEVC": (HEVC, before(b"\x46\x01\x50")),
    "fillers": (H264, behind(b"\x0c" + b"\xff" * 30 + b"\x80")),
    "filling messages": (H264, before(message(3, b"\xff" * 30))),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_no_player_needs_is_not_copied(tmp_path: Path, name: str) -> None:
    clip, change = SILENT[name]
    plain = draw(tmp_path, clip)
    source = changed(plain, tmp_path / "changed.mp4", once(change))
    info, index = probe_file(source)
    assert (sorted(set(index.groups.tolist())), info.dropped) == ([0, 1, 2], ())
    assert spliced(source, tmp_path / "out.mp4", set()).all()
    assert packets(tmp_path / "out.mp4") == packets(plain)


UNDERSTOOD = {
    "captions": (4, CAPTIONS + b"\xff"),
    "captions as FFmpeg writes them": (4, b"\xb5\x00\x31GA94\x03\x42\x00\xfc\x94\x2c\xf9\x00\x00\xff"),
    "which part matters": (4, b"\xb5\x00\x31DTG1\x41\xf8"),
    "no part matters": (4, b"\xb5\x00\x31DTG1\x01"),
    "recovery": (6, b"\x84"),
    "two pictures side by side": (45, bytes.fromhex("81810000000120")),
    "the screen": (137, bytes(range(24))),
    "light": (144, b"\x03\xe8\x01\x90"),
    "another transfer": (147, b"\x12"),
}


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_messages_for_players_come_along(tmp_path: Path, name: str) -> None:
    source = changed(draw(tmp_path, H264), tmp_path / "changed.mp4", once(before(message(*UNDERSTOOD[name]))))
    assert spliced(source, tmp_path / "out.mp4", set()).all()
    assert packets(tmp_path / "out.mp4") == packets(source)


def test_how_two_pictures_are_packed_is_understood_as_x264_writes_it(tmp_path: Path) -> None:
    source = draw(
        tmp_path, Clip(options=GROUPS | {"x264-params": "frame-packing=3:nal-hrd=vbr:vbv-maxrate=2000:vbv-bufsize=2000"}, audio=None)
    )
    info, index = probe_file(source)
    assert (sorted(set(index.groups.tolist())), info.dropped, info.stereoscopic) == ([0, 1, 2], (), True)


def test_what_is_constant_is_said_once(tmp_path: Path) -> None:
    """Another screen in another picture would be another place to hide something in."""

    def change(number: int, units: Units) -> Units:
        return [message(137, bytes(24) if number < HIDDEN_IN else SECRET + bytes(6)), *units] if number in (0, HIDDEN_IN) else units

    source = changed(draw(tmp_path, H264), tmp_path / "changed.mp4", change)
    info, index = probe_file(source)
    assert sorted(set(index.groups.tolist())) == [-1, 0, 2]
    assert any("beside the picture" in line for line in info.dropped)


@pytest.mark.parametrize("clip", [H264, HEVC], ids=["H.264", "HEVC"])
@pytest.mark.parametrize("tail", [SECRET, b"\x80" + SECRET, b"\0\0\3" + SECRET])
def test_nothing_is_copied_with_parameter_sets_that_go_on(tmp_path: Path, clip: Clip, tail: bytes) -> None:
    source = draw(tmp_path, clip)
    sets = sets_of(source)
    for each in sets:
        target = tmp_path / "changed.mp4"
        rewritten(source, target, each, each + tail)
        info, index = probe_file(target)
        assert not (index.groups >= 0).any()
        assert info.dropped == ("data behind what the picture's decoder is told",)


def sets_of(path: Path) -> Units:
    """The parameter sets of an mp4 file's header."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        codec = stream.codec.canonical_name
        return [unit for unit in ParameterSets.from_stream(stream).units if is_parameter_set(unit, codec)]


def rewritten(source: Path, target: Path, old: bytes, new: bytes) -> None:
    """A copy whose decoder is told `new` instead of `old`."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        template = container.streams.video[0]
        stream = output.add_stream_from_template(template, opaque=True)
        record = template.codec_context.extradata
        counted = len(old).to_bytes(2, "big") + old
        assert record.count(counted) == 1
        stream.codec_context.extradata = record.replace(counted, len(new).to_bytes(2, "big") + new)
        for packet in container.demux(template):
            if packet.size:
                packet.stream = stream
                output.mux(packet)


KINDS = {
    "CABAC": Clip(options=GROUPS | {"crf": "28"}, audio=None),
    "CABAC, hardly anything in it": Clip(options=GROUPS | {"crf": "48"}, audio=None),
    "CABAC, slices": Clip(options=GROUPS | {"crf": "28", "x264-params": "slices=4"}, audio=None, height=128),
    "CABAC, times of others": Clip(options=GROUPS | {"bf": "5", "x264-params": "direct=temporal"}, audio=None, draws=textured),
    "CAVLC": Clip(options=GROUPS | {"x264-params": "cabac=0"}, audio=None),
    "CAVLC, slices": Clip(options=GROUPS | {"x264-params": "cabac=0:slices=4"}, audio=None, height=128),
    "10 bits": Clip(options=GROUPS, audio=None, pixel_format="yuv420p10le"),
    "HEVC": HEVC,
    "HEVC, hardly anything in it": Clip(codec="libx265", audio=None, options={"x265-params": HEVC.options["x265-params"] + ":crf=48"}),
    "HEVC, slices": Clip(
        codec="libx265",
        audio=None,
        num_frames=16,
        width=640,
        height=360,
        draws=textured,
        options={"x265-params": HEVC.options["x265-params"] + ":slices=4"},
    ),
    "HEVC, 10 bits": Clip(codec="libx265", audio=None, pixel_format="yuv422p10le", options=HEVC.options),
}


@pytest.mark.parametrize("name", KINDS)
def test_bytes_behind_a_slice_are_found_in_every_picture(tmp_path: Path, name: str) -> None:
    """In each slice in turn, from eight bytes on; and none are where there are none."""
    with av.open(str(draw(tmp_path, KINDS[name]))) as container:
        stream = container.streams.video[0]
        codec = stream.codec.canonical_name
        groups = list(groups_in((packet for packet in container.demux(stream) if packet.size), codec))
        assert not any(hides_data(group, stream) for group in groups)
        for place, slices in enumerate(groups[1]):
            for number, one in enumerate(slices):
                if len(one) >= 16:
                    hidden = SECRET[:8] if (place + number) % 2 else b"\x80" + SECRET
                    with_more = [*slices[:number], one + hidden, *slices[number + 1 :]]
                    assert hides_data([*groups[1][:place], with_more, *groups[1][place + 1 :]], stream), (place, number)


def test_a_group_that_is_too_large_to_be_looked_into_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.video.slice_ends._MOST_BYTES", 1 << 10)
    with pytest.raises(SpliceError, match="more than 0 MiB"):
        spliced(draw(tmp_path, H264), tmp_path / "out.mp4", set())


def test_padding_for_the_rate_is_no_hidden_data(tmp_path: Path) -> None:
    """ITU-T H.264, 7.4.2.10: words of zeros behind a slice."""
    source = changed(draw(tmp_path, H264), tmp_path / "changed.mp4", lambda _, units: [*units[:-1], units[-1] + b"\0\0\3" * 5])
    assert spliced(source, tmp_path / "out.mp4", set()).all()


@pytest.mark.parametrize("clip", [H264, HEVC], ids=["H.264", "HEVC"])
def test_no_stream_is_made_of_slices_that_go_on(tmp_path: Path, clip: Clip) -> None:
    source = changed(draw(tmp_path, clip), tmp_path / "changed.mp4", once(lambda units: [*units[:-1], units[-1] + SECRET]))
    assert all(is_slice(unit, "h264" if clip is H264 else "hevc") for unit in units_of(packets(source)[HIDDEN_IN][1], 4))
    with pytest.raises(SpliceError, match="in frames 8 to 23, something may be hidden behind a picture"):
        spliced(source, tmp_path / "out.mp4", {0})
    assert np.flatnonzero(spliced(source, tmp_path / "out.mp4", {1})).tolist() == [*range(8), *range(16, 24)]
    assert SECRET not in (tmp_path / "out.mp4").read_bytes()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + b" cabac=1\0", True),
        (HEAD + b" psy_rd=1.00:0.00 deadzone=21,11 analyse=0x3:0x113 ip_ratio=1.40 rc=crf", True),
        (HEAD + b" mastering-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1) cll=1000,400\0", True),
        (HEAD.replace(b" r2917 0a84d98", b"") + b" cabac=1\0", True),
        (HEAD.replace(b"r2917", b"r2935M") + b" cabac=1\0", True),
        (HEAD + b" cabac=1\0anna", False),
        (HEAD + b" cabac=Anna_lives_here\0", False),
        (HEAD + b" cabac=1\nanna=1\0", False),
        (HEAD + b" nr=0" * 900, False),  # too many
    ],
)
def test_settings_are_what_x264_writes(text: bytes, expected: bool) -> None:
    assert is_understood(5, X264 + text) is expected
