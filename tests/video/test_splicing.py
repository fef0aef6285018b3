"""The source's own packets and ours in one stream: nothing of the source's is changed, and it plays as if it were one."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.video import EncoderSettings, probe_file
from tasks.video.encoders import choose_encoding
from tasks.video.nal import escaped, is_only_picture, unescaped
from tasks.video.splicing import why_not_copied

from .drawing import Clip, decoded, draw, packets
from .splicing import changed, spliced

H264 = {"g": "8", "bf": "2", "crf": "10", "sc_threshold": "0"}
HEVC = {"x265-params": "keyint=8:min-keyint=8:open-gop=0:scenecut=0:log-level=none"}
UNEVEN = [0, 3000, 3100, 9000, 9001, 20000, 50000, 50003, 90000, 91000, *range(100000, 138000, 1000)]

SPLICED = [
    (Clip("a.mp4", num_frames=48, options=H264), ".mp4"),  # the usual
    (Clip("a.mp4", num_frames=48, options=H264), ".mkv"),
    (Clip("a.mkv", num_frames=48, options=H264, rate=Fraction(10)), ".mov"),
    (Clip("a.mp4", num_frames=48, options=H264 | {"bf": "0", "profile": "baseline"}), ".mp4"),  # a simpler profile than ours
    (Clip("a.mp4", num_frames=48, options=H264 | {"x264-params": "cabac=0:slices=4"}), ".mp4"),  # several slices a picture
    (Clip("a.mp4", options=H264, time_base=Fraction(1, 90000), pts=UNEVEN), ".mp4"),  # variable frame rate
    (Clip("a.mp4", options=H264, time_base=Fraction(1, 12800), pts=[512 * n + 6400 for n in range(32)]), ".mp4"),  # begins late
    (Clip("a.mp4", num_frames=32, options=H264, pixel_format="yuvj420p", colours=(2, 1, 1, 1)), ".mp4"),  # full range
    (Clip("a.mov", num_frames=32, options=H264, pixel_format="yuv422p10le"), ".mov"),
    (Clip("a.mp4", num_frames=32, options=H264, pixel_format="yuv444p"), ".mp4"),
    (Clip("a.mp4", num_frames=32, options=H264, rotation_degrees=90), ".mp4"),
    (Clip("a.mp4", num_frames=48, codec="libx265", options=HEVC), ".mp4"),
    (Clip("a.mkv", num_frames=32, codec="libx265", options=HEVC, pixel_format="yuv420p10le", rate=Fraction(10)), ".mov"),
    (Clip("a.mp4", num_frames=32, codec="libx265", options=HEVC, pixel_format="yuv422p10le"), ".mkv"),
]


@pytest.mark.parametrize(("clip", "suffix"), SPLICED)
def test_copied_packets_are_the_sources_and_all_plays(tmp_path, clip, suffix, capfd):
    source, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    _, index = probe_file(source)
    groups = sorted(set(index.groups.tolist()))
    assert groups == list(range(len(index) // 8 + (len(index) % 8 > 0)))

    copied = spliced(source, target, set(groups[1::2]))
    before, after = packets(source), packets(target)
    # Packets come in order of decoding; a group's are together there too.
    assert [one == other for (_, one), (_, other) in zip(before, after, strict=True)] == copied.tolist()
    assert [sound for _, sound in packets(source, "audio")] == [sound for _, sound in packets(target, "audio")]

    av.logging.restore_default_callback()
    av.logging.set_libav_level(av.logging.WARNING)
    try:
        shown, pictures = decoded(source), decoded(target)
    finally:
        av.logging.set_level(None)
    assert capfd.readouterr().err == ""
    first, step = (shown[0].pts, shown[0].time_base), (pictures[0].pts, pictures[0].time_base)
    assert [(one.pts - step[0]) * step[1] for one in pictures] == [(one.pts - first[0]) * first[1] for one in shown]
    for number, (one, other) in enumerate(zip(shown, pictures, strict=True)):
        difference = np.abs(one.to_ndarray(format="gray").astype(int) - other.to_ndarray(format="gray"))
        assert difference.max() == 0 if copied[number] else difference.mean() < 4, number


def test_nothing_is_encoded_where_nothing_is_covered(tmp_path):
    source, target = draw(tmp_path, Clip(options=H264)), tmp_path / "out.mp4"
    assert spliced(source, target, set()).all()
    assert packets(source) == packets(target)


def test_ours_stand_under_numbers_that_the_source_has_not(tmp_path):
    """Both records are told to the decoder before the first packet, as the container asks for."""
    source, target = draw(tmp_path, Clip(options=H264, num_frames=32)), tmp_path / "out.mp4"
    spliced(source, target, {1})
    with av.open(str(target)) as container:
        record = container.streams.video[0].codec_context.extradata
        assert record[5] & 31 == 2
        assert container.streams.video[0].codec_context.codec_tag == "avc1"


def place_and_name(number, units):
    """A message of unknown meaning in the 11th packet: what cameras write there is where they are."""
    message = b"\x06\x05\x1c" + bytes(range(16)) + b"N59.9139E010" + b"\x80"
    return [message, *units] if number == 10 else units


def second_view(number, units):
    return [*units, b"\x74" + units[-1][1:]] if number == 10 else units  # type 20: a slice of another view


def sets_of_its_own(number, units):
    return [b"\x67\x64\x00\x0a\xac\xd9\x41", *units] if number == 10 else units  # that the header has not


def second_picture(number, units):
    return [*units, units[-1]] if number == 10 else units  # decoders show the first


def only_recovery_points(number, units):
    return [bytes([unit[0] & 0xE0 | 1]) + unit[1:] if unit[0] & 31 == 5 and number else unit for unit in units]


@pytest.mark.parametrize(
    ("change", "groups"),
    [
        (lambda _, units: units, [0, 1, 2]),  # a copy, to know that what follows is the change's doing
        (place_and_name, [0, 2]),
        (second_view, [0, 2]),
        (sets_of_its_own, [0, 2]),  # lost with a group that is encoded, and missed by those after it
        (second_picture, [0, 2]),
        (only_recovery_points, [0]),  # key frames past which later ones may refer: one long group
    ],
)
def test_a_group_that_holds_more_than_pictures_is_not_copied(tmp_path, change, groups):
    source = changed(draw(tmp_path, Clip(options=H264, audio=None)), tmp_path / "changed.mp4", change)
    _, index = probe_file(source)
    assert sorted(set(index.groups.tolist()) - {-1}) == groups


@pytest.mark.parametrize(
    ("codec", "options", "copied"),
    [
        ("libx264", H264 | {"x264-params": "crop-rect=0,0,8,0"}, True),  # the rest of a block, as 1080 lines have it
        ("libx264", H264 | {"x264-params": "crop-rect=0,0,32,0"}, False),
    ],
)
def test_what_is_cropped_away_is_not_copied(tmp_path, codec, options, copied):
    """A cropped picture has more in its packets than is shown: it may be a face."""
    info, index = probe_file(draw(tmp_path, Clip(codec=codec, options=options, audio=None)))
    assert info.width == (88 if copied else 64)
    assert (index.groups >= 0).any() == copied


def test_a_group_with_hidden_frames_is_not_copied(tmp_path):
    """An edit list that begins in the middle of a group: its packets would bring back what it hides."""
    source = draw(tmp_path, Clip(options=H264 | {"bf": "0"}, num_frames=32, audio=None))
    content = bytearray(source.read_bytes())
    place = content.index(b"elst")
    media_time = int.from_bytes(content[place + 16 : place + 20], "big")
    content[place + 16 : place + 20] = (media_time + 3 * 512).to_bytes(4, "big")
    source.write_bytes(content)
    info, index = probe_file(source)
    assert info.dropped == ("3 frames that an edit list hides",)
    assert index.groups.tolist()[:5] == [-1] * 5
    assert set(index.groups.tolist()) == {-1, 0, 1, 2}


@pytest.mark.parametrize(
    ("clip", "container_format", "settings", "why"),
    [
        (Clip(options=H264), "mp4", EncoderSettings(), None),
        (Clip(options=H264), "matroska", EncoderSettings(), None),
        (Clip(options=H264), "mpegts", EncoderSettings(), "only mp4, mov and mkv"),
        (Clip("a.ts", options=H264), "mp4", EncoderSettings(), "only mp4, mov and mkv"),
        (Clip("a.webm", codec="libvpx-vp9", audio=None, options={}), "matroska", EncoderSettings(), "vp9 is not copied"),
        (Clip(options=H264 | {"flags": "+ildct+ilme", "x264-params": "tff=1"}), "mp4", EncoderSettings(), "interlaced"),
        (Clip(options=H264), "mp4", EncoderSettings(codec="libx265"), "the source is h264, and libx265 writes"),
    ],
)
def test_the_reason_for_encoding_everything_is_said(tmp_path, clip, container_format, settings, why):
    info, index = probe_file(draw(tmp_path, clip))
    found = why_not_copied(info, index, container_format, choose_encoding(info, settings, container_format))
    assert found is None if why is None else why in found


def test_escaping_is_undone_exactly():
    for raw in (b"\0\0\0\0\0\1", b"\0\0\1", b"\0\0\3\0\0\2", bytes(9), b"\1\0\0\4"):
        unit = escaped(raw)
        assert unescaped(unit) == raw
        assert not any(unit[place : place + 3] in (b"\0\0\0", b"\0\0\1", b"\0\0\2") for place in range(len(unit)))


@pytest.mark.parametrize(
    ("unit", "codec", "expected"),
    [
        (b"\x06\x01\x01\x00\x80", "h264", True),  # timing
        (b"\x06\x05\x10" + bytes.fromhex("dc45e9bde6d948b7962cd820d923eeef") + b"\x80", "h264", False),  # x264's own, but not its words
        (b"\x06\x05\x10" + bytes(range(16)) + b"\x80", "h264", False),  # anybody's
        (b"\x06\x04\x0e\xb5\x00\x31GA94\x03\xc1\xff\xfc\x94\x2c\xff\x80", "h264", True),  # captions
        (b"\x06\x04\x08\xb5\x00\x31GA94\x03\x80", "h264", False),  # captions that are none
        (b"\x06\x04\x05\xb5\x00\x99GP\x80", "h264", False),  # another maker's
        (b"\x06\xff\x05\x00\x80", "h264", False),  # number 260
        (b"\x4e\x01\x89\x18" + bytes(range(24)) + b"\x80", "hevc", True),  # mastering display
        (b"\x4e\x01\x05\x10" + bytes(range(16)) + b"\x80", "hevc", False),
        (b"\x02\x09" + b"x", "hevc", False),  # of layer 1: a second view
        (b"\x02\x01" + b"x", "hevc", True),
    ],
)
def test_what_a_unit_may_hold(unit, codec, expected):
    assert is_only_picture([unit], codec) is expected
