"""Faces and places hidden in every corner of a file, and that none of them comes through; and what comes through when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tasks.errors import BadSetting
from tasks.video import EncoderSettings, probe_file
from tasks.video.headers import clean_header
from tasks.video.metadata import check_keys, left_out

from .boxes import add_boxes, box
from .drawing import Clip, decoded, draw, packets, picture, tone
from .rendering import rendered

SECRET = b"+60.3913+005.3221/"  # where somebody was filmed
WORDS = SECRET.decode()


def face() -> bytes:
    """A picture as a file, which has a face's place in its comment."""
    _, jpeg = cv2.imencode(".jpg", np.full((32, 32, 3), 120, np.uint8))
    return bytes(jpeg[:2]) + b"\xff\xfe" + (len(SECRET) + 2).to_bytes(2, "big") + SECRET + bytes(jpeg[2:])


def in_boxes(*places: tuple[str, bytes], name: str = "a.mp4") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = draw(folder, Clip(name))
        for way, boxes in places:
            add_boxes(path, way.split(), boxes)
        return path

    return make


def quicktime_text(name: str, words: bytes) -> bytes:
    return box(name, len(words).to_bytes(2, "big") + bytes(2) + words)


def itunes_cover() -> bytes:
    picture_box = box("covr", box("data", (13).to_bytes(4, "big") + bytes(4) + face()))
    return box("meta", bytes(4) + box("hdlr", bytes(8) + b"mdirappl" + bytes(9)) + box("ilst", picture_box))


def sphere() -> bytes:
    """Google's Spherical Video V2: nobody's metadata, no turn, and the whole of an equirectangular picture."""
    projection = box("prhd", bytes(4 + 12)) + box("equi", bytes(4 + 16))
    return box("sv3d", box("svhd", bytes(4) + b"\0") + box("proj", projection))


def loci(words: bytes) -> bytes:
    return box("loci", bytes(6) + words + b"\0" + bytes(1 + 12) + b"earth\0\0")


def said(name: str, key: str) -> Callable[[Path], Path]:
    """The secret as the value of a key that no muxer knows."""
    options = {"movflags": "use_metadata_tags"} if name.endswith(("mp4", "mov")) else {}
    return lambda folder: draw(folder, Clip(name, metadata={key: WORDS}, container_options=options))


def named_track(folder: Path) -> Path:
    path = folder / "a.mkv"
    with av.open(str(draw(folder, Clip("b.mkv")))) as film, av.open(str(path), "w") as container:
        copies = [container.add_stream_from_template(one, opaque=True) for one in film.streams]
        for copy in copies:
            copy.metadata.update({"title": WORDS, "handler_name": WORDS, "LOCATION": WORDS})
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
    return path


def telemetry(kind: str) -> Callable[[Path], Path]:
    """A second track of samples that are no sound: a camera's positions (GoPro's `gpmd`, Apple's `mebx`)."""

    def make(folder: Path) -> Path:
        path = folder / "a.mov"
        with av.open(str(path), "w") as container:
            video = container.add_stream("libx264", rate=25)
            video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
            track = container.add_stream("pcm_s16le", rate=48000, layout="mono")
            for number in range(12):
                container.mux(video.encode(picture(number, 96, 64)))
            frame = av.AudioFrame.from_ndarray(np.frombuffer(SECRET * 1000, np.int16)[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = 48000, 0
            container.mux(track.encode(frame))
            for stream in (video, track):
                container.mux(stream.encode(None))
        content = path.read_bytes()
        assert content.count(b"sowt") == content.count(b"soun") == 1
        path.write_bytes(content.replace(b"sowt", kind.encode()).replace(b"soun", b"meta"))
        return path

    return make


def klv(folder: Path) -> Path:
    """A drone's transport stream, with its positions beside the picture."""
    path = folder / "a.ts"
    with av.open(str(draw(folder, Clip("b.ts", audio=None)))) as film, av.open(str(path), "w") as container:
        video = container.add_stream_from_template(film.streams.video[0], opaque=True)
        data = container.add_data_stream("klv")
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
                position = av.Packet(SECRET)
                position.pts = position.dts = packet.dts
                position.time_base, position.stream = packet.time_base, data
                container.mux(position)
    return path


def attached(folder: Path) -> Path:
    """A font, and a picture of a face as cover."""
    path = folder / "a.mkv"
    with av.open(str(draw(folder, Clip("b.mkv", audio=None)))) as film, av.open(str(path), "w") as container:
        video = container.add_stream_from_template(film.streams.video[0], opaque=True)
        container.add_attachment("cover.jpg", "image/jpeg", face())
        container.add_attachment(f"{WORDS}.ttf".replace("/", ""), "application/x-truetype-font", b"font of " + SECRET)
        for packet in film.demux(video=0):
            if packet.size:
                packet.stream = video
                container.mux(packet)
    return path


def in_the_stream(folder: Path) -> Path:
    """SEI of nobody's kind, user_data_unregistered, before the first picture: where cameras put their positions."""
    path = draw(folder, Clip("a.h264", audio=None, container_format="h264"))
    payload = bytes(range(16)) + SECRET
    sei = b"\0\0\0\1\6\5" + bytes([len(payload)]) + payload + b"\x80"
    content = path.read_bytes()
    first = content.index(b"\0\0\1\x65")
    path.write_bytes(content[: first - 1] + sei + content[first - 1 :])
    return path


def in_each_jpeg(folder: Path) -> Path:
    """Motion JPEG whose pictures have EXIF."""
    path = folder / "a.avi"
    exif = b"Exif\0\0" + SECRET
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p"
        for number in range(6):
            for encoded in stream.encode(picture(number, 96, 64, "yuvj420p")):
                jpeg = bytes(encoded)
                packet = av.Packet(jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:])
                packet.pts, packet.dts, packet.time_base, packet.stream = encoded.pts, encoded.dts, encoded.time_base, stream
                container.mux(packet)
    return path


def vorbis_comments(folder: Path) -> Path:
    """Sound whose header says where it was recorded: a decoder needs the header, and not what it says."""
    path = folder / "a.mkv"
    with av.open(str(folder / "b.mkv"), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        sound = container.add_stream("vorbis", rate=48000, options={"strict": "experimental"}, layout="stereo")
        for number in range(12):
            container.mux(video.encode(picture(number, 96, 64)))
        for number in range(20):
            container.mux(sound.encode(tone(number * 1024)))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    with av.open(str(folder / "b.mkv")) as film, av.open(str(path), "w") as container:
        copies = [container.add_stream_from_template(one, opaque=True) for one in film.streams]
        header = film.streams.audio[0].codec_context.extradata
        copies[1].codec_context.extradata = with_comment(header, b"LOCATION=" + SECRET)
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
    return path


def with_comment(header: bytes, comment: bytes) -> bytes:
    lengths = (header[1], header[2])
    identification, setup = header[3 : 3 + lengths[0]], header[3 + sum(lengths) :]
    words = b"\x03vorbis" + bytes(4) + (1).to_bytes(4, "little") + len(comment).to_bytes(4, "little") + comment + b"\x01"
    return bytes([2, len(identification), len(words)]) + identification + words + setup


SCRIPT = f"""[Script Info]
; {WORDS}
Title: {WORDS}
Original Script: {WORDS}
ScriptType: v4.00+
PlayResX: 96

[Aegisub Project Garbage]
Video File: /home/anna/{WORDS}

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Fonts]
fontname: {WORDS}.ttf
!!!!

[Graphics]
filename: {WORDS}.bmp
!!!!

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.10,0:00:00.50,Default,,0,0,0,,God dag
"""


def in_subtitles(folder: Path) -> Path:
    (folder / "words.ass").write_text(SCRIPT)
    path = folder / "a.mkv"
    with (
        av.open(str(draw(folder, Clip("b.mkv", audio=None)))) as film,
        av.open(str(folder / "words.ass")) as titles,
        av.open(str(path), "w") as container,
    ):
        for stream, copy in [
            (one, container.add_stream_from_template(one, opaque=True)) for one in (film.streams.video[0], titles.streams.subtitles[0])
        ]:
            for packet in stream.container.demux(stream):
                if packet.size:
                    packet.stream = copy
                    container.mux(packet)
    return path


ENTRY = "moov trak mdia minf stbl stsd avc1"


@dataclass(frozen=True)
class Place:
    """A file with the secret in one corner of it."""

    make: Callable[[Path], Path]
    says: str
    """what is said of it"""
    suffix: str = ".mp4"


PLACES = {
    "QuickTime's location": Place(in_boxes(("moov", box("udta", quicktime_text("\xa9xyz", SECRET)))), "metadata: location"),
    "3GPP's location": Place(in_boxes(("moov", box("udta", loci(SECRET)))), "metadata: location"),
    "a track's location": Place(in_boxes(("moov trak", box("udta", quicktime_text("\xa9xyz", SECRET)))), ""),
    "Apple's keys": Place(said("a.mov", "com.apple.quicktime.location.ISO6709"), "metadata: com.apple.quicktime.location.ISO6709"),
    "Android's keys": Place(said("a.mp4", "com.android.capture"), "metadata: com.android.capture"),
    "make": Place(said("a.mov", "com.apple.quicktime.make"), "metadata: com.apple.quicktime.make"),
    "model": Place(said("a.mov", "com.apple.quicktime.model"), "metadata: com.apple.quicktime.model"),
    "a comment": Place(said("a.mp4", "comment"), "metadata: comment"),
    "XMP": Place(in_boxes(("", box("uuid", bytes(16) + SECRET))), ""),
    "XMP inside": Place(in_boxes(("moov", box("udta", box("XMP_", SECRET)))), ""),
    "space that is free": Place(in_boxes(("", box("free", SECRET))), ""),
    "a camera's own box": Place(in_boxes(("moov", box("udta", box("CAME", SECRET)))), ""),
    "Matroska's tags": Place(said("a.mkv", "location"), "metadata: LOCATION", ".mkv"),
    "Matroska's title": Place(said("a.mkv", "title"), "metadata: title", ".mkv"),
    "names of tracks": Place(named_track, "metadata of stream 0: title", ".mkv"),
    "AVI's words": Place(
        lambda folder: draw(folder, Clip("a.avi", codec="mpeg4", audio="mp3", metadata={"comment": WORDS})), "metadata: comment"
    ),
    "GoPro's positions": Place(telemetry("gpmd"), "data stream 1"),
    "Apple's timed metadata": Place(telemetry("mebx"), "data stream 1"),
    "a drone's positions": Place(klv, "data stream 1"),
    "cover and font": Place(attached, "attached picture stream 1", ".mkv"),
    "cover in iTunes' manner": Place(in_boxes(("moov", box("udta", itunes_cover()))), "attached picture"),
    "an ICC profile": Place(in_boxes((ENTRY, box("colr", b"prof" + bytes(128) + SECRET))), "an ICC profile"),
    "chapters": Place(lambda folder: chapters(folder, WORDS), "chapters"),
    "SEI": Place(in_the_stream, "inside the picture's stream"),
    "EXIF in each picture": Place(in_each_jpeg, ""),
    "comments in a sound's header": Place(vorbis_comments, "", ".mkv"),
    "a subtitle's header": Place(in_subtitles, "", ".mkv"),
}


def chapters(folder: Path, title: str) -> Path:
    path = folder / "a.mkv"
    with av.open(str(path), "w") as container:
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": {"title": title, "picture": "face.jpg"}}]
        )
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(12):
            container.mux(stream.encode(picture(number, 96, 64)))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", PLACES)
def test_what_is_hidden_in_a_file_stays_behind(tmp_path, name):
    place = PLACES[name]
    path, target = place.make(tmp_path), tmp_path / f"out{place.suffix}"
    assert SECRET in path.read_bytes()
    info, _, _ = rendered(path, target)
    assert place.says in "\n".join(info.dropped)
    assert WORDS not in info.model_dump_json(exclude={"content_hash"})
    assert SECRET not in target.read_bytes()
    with av.open(str(target)) as container:
        assert {stream.type for stream in container.streams} <= {"video", "audio", "subtitle"}
        assert len(container.streams.video) == 1
        assert container.chapters() == []
        everything = [container.metadata, *(stream.metadata for stream in container.streams)]
    assert WORDS not in str(everything)
    assert probe_file(target)[0].dropped == ()
    # What is copied still plays.
    for kind, one in (("audio", info.audio), ("subtitle", info.subtitles)):
        if one:
            assert [payload for _, payload in packets(target, kind)] == [payload for _, payload in packets(path, kind)]
            with av.open(str(target)) as container:
                assert list(container.decode(**{"subtitles" if kind == "subtitle" else kind: 0}))


def test_frames_that_an_edit_list_hides_are_not_in_the_file(tmp_path):
    """A player that ignores edit lists would show them, with their faces."""
    path = draw(tmp_path, Clip("a.mov", time_base=Fraction(1, 1000), pts=[-200 + 40 * n for n in range(20)]))
    info, index, _ = rendered(path, tmp_path / "out.mov")
    assert "5 frames that an edit list hides" in info.dropped
    for name, num_frames in [("a.mov", 20), ("out.mov", 15)]:
        with av.open(str(tmp_path / name), options={"ignore_editlist": "1"}) as container:
            assert len(list(container.decode(video=0))) == num_frames
    assert len(index) == 15


def telecine(folder: Path) -> Path:
    """MPEG-2 that asks for fields to be shown again: a bit in each picture's header."""
    path = draw(folder, Clip("a.mkv", codec="mpeg2video", audio=None, options={"bf": "0", "b": "2000000"}))
    content = bytearray(path.read_bytes())
    place = content.find(b"\0\0\1\xb5\x8f")
    while place >= 0:
        content[place + 7] |= 2
        place = content.find(b"\0\0\1\xb5\x8f", place + 4)
    path.write_bytes(content)
    return path


LOST = [
    (telecine, "marks that repeat fields (soft telecine); each frame's time is kept"),
    (in_boxes((ENTRY, sphere())), "that the picture is a sphere (360 degrees)"),
    (lambda folder: draw(folder, Clip("a.mkv", codec="ffv1", pixel_format="yuva420p", options={}, audio=None)), "transparency"),
]


@pytest.mark.parametrize(("make", "said"), LOST)
def test_what_a_picture_loses_is_said(tmp_path, make, said):
    info, index, _ = rendered(make(tmp_path), tmp_path / "out.mkv")
    after, times = probe_file(tmp_path / "out.mkv")
    assert info.dropped == (said,)
    assert after.dropped == ()
    assert len(times) == len(index)


def test_two_pictures_in_one_stay_so_where_the_encoder_can_say_it(tmp_path):
    path = in_boxes((ENTRY, box("st3d", bytes(4) + b"\1")))(tmp_path)
    info, _, encoding = rendered(path, tmp_path / "out.mp4")
    assert (info.stereoscopic, probe_file(tmp_path / "out.mp4")[0].stereoscopic, encoding.notes) == (True, True, ())
    _, _, encoding = rendered(path, tmp_path / "out.mkv", EncoderSettings(codec="ffv1"))
    assert not probe_file(tmp_path / "out.mkv")[0].stereoscopic
    assert encoding.notes == ("that the picture is two, for two eyes",)


def test_a_second_picture_is_gone(tmp_path):
    path, target = draw(tmp_path, Clip(cover=True, second_video=True)), tmp_path / "out.mp4"
    rendered(path, target)
    with av.open(str(target)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


CAPTION = bytes([0xFC, 0x94, 0x2C])  # one pair of bytes of CEA-608


def test_closed_captions_are_subtitles_and_stay(tmp_path):
    """ATSC A/53 in the picture's own stream; where an encoder cannot write them, that is said."""
    path = draw(tmp_path, Clip("a.h264", audio=None, container_format="h264"))
    payload = b"\xb5\x00\x31GA94\x03\xc1\xff" + CAPTION + b"\xff"
    sei = b"\0\0\0\1\6\4" + bytes([len(payload)]) + payload + b"\x80"
    content = path.read_bytes()
    first = content.index(b"\0\0\1\x65")
    path.write_bytes(content[: first - 1] + sei + content[first - 1 :])
    info, _, encoding = rendered(path, tmp_path / "out.mp4")
    before, after = (bytes(decoded(file)[0].side_data["A53_CC"]) for file in (path, tmp_path / "out.mp4"))
    assert info.closed_captions
    assert before == after == CAPTION
    assert encoding.notes == ()
    for encoder in ("libx265", "ffv1"):
        _, _, encoding = rendered(path, tmp_path / "out.mkv", EncoderSettings(codec=encoder))
        assert "A53_CC" not in [data.type.name for data in decoded(tmp_path / "out.mkv")[0].side_data]
        assert encoding.notes == ("closed captions inside the picture's stream",)


EVERYTHING = {
    "title": "Birthday",
    "artist": "Anna",
    "album": "2020",
    "genre": "Home",
    "comment": "by the lake",
    "description": "Long",
    "copyright": "Anna",
    "date": "2020",
    "creation_time": "2020-01-02T03:04:05.000000Z",
    "location": "+60.3+5.3/",
    "make": "Phone",
}


KEPT = [
    (key, name)
    for key in EVERYTHING
    for name in ("a.mp4", "a.mov", "a.mkv")
    if key not in ("location", "make") and (key, name) != ("description", "a.mov")  # for which FFmpeg has no box
]


@pytest.mark.parametrize(("key", "name"), KEPT)
def test_what_keep_metadata_brings_back(tmp_path, key, name):
    path, target = draw(tmp_path, Clip(name, metadata=EVERYTHING, num_frames=4)), tmp_path / f"out{name[1:]}"
    info, _, _ = rendered(path, target, keep=check_keys([key]))
    with av.open(str(target)) as container:
        found = {name.lower(): value for name, value in container.metadata.items()}
    assert found[key] == EVERYTHING[key]
    assert not (set(EVERYTHING) - {key}) & set(found)
    said = [line.lower() for line in left_out(info.dropped, (key,))]
    assert f"metadata: {key}" not in said
    assert "metadata: location" in said


def test_keys_of_quicktime_are_the_same_under_another_name(tmp_path):
    clip = Clip("a.mov", metadata={"com.apple.quicktime.title": "Birthday"}, container_options={"movflags": "use_metadata_tags"})
    rendered(draw(tmp_path, clip), tmp_path / "out.mp4", keep=("title",))
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.metadata["title"] == "Birthday"


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov"])
def test_chapters_come_back_with_their_titles_alone(tmp_path, suffix):
    info, _, _ = rendered(chapters(tmp_path, "At home"), tmp_path / f"out{suffix}", keep=("chapters",))
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        (chapter,) = container.chapters()
    assert (chapter["start"] * chapter["time_base"], chapter["end"] * chapter["time_base"]) == (0, Fraction(2, 5))
    assert chapter["metadata"] == {"title": "At home"}
    assert left_out(info.dropped, ("chapters",)) == ()


def test_titles_of_tracks_come_back(tmp_path):
    info, _, _ = rendered(named_track(tmp_path), tmp_path / "out.mkv", keep=("track_titles",))
    with av.open(str(tmp_path / "out.mkv")) as container:
        found = [dict(stream.metadata) for stream in container.streams]
    assert found[1]["title"] == WORDS
    assert "location" not in str(found).lower()
    assert "title" not in str([line for line in left_out(info.dropped, ("track_titles",)) if "stream 1" in line])


def test_a_picture_as_words_is_no_title(tmp_path):
    for words in ("x" * 10_001, "data:image/jpeg;base64,/9j/4AAQ"):
        path = draw(tmp_path, Clip("a.mkv", metadata={"title": words}, num_frames=2))
        rendered(path, tmp_path / "out.mkv", keep=("title",))
        assert words.encode()[:10_000] not in (tmp_path / "out.mkv").read_bytes()


REFUSED = [
    ("location", "never kept"),
    ("com.apple.quicktime.location.ISO6709", "never kept"),
    ("\xa9xyz", "never kept"),
    ("GPSLatitude", "never kept"),
    ("make", "never kept"),
    ("com.android.model", "never kept"),
    ("serial_number", "never kept"),
    ("lyrics", "nothing that is kept"),
    ("", "nothing that is kept"),
]


@pytest.mark.parametrize(("key", "problem"), REFUSED)
def test_places_and_devices_are_never_kept(key, problem):
    with pytest.raises(BadSetting, match=problem) as caught:
        check_keys(["title", key])
    assert "choose from: title, artist" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_headers_without_words_are_left_alone():
    for codec, header in [("aac", b"\x11\x90"), ("opus", b"OpusHead" + bytes(11)), ("vorbis", b"\1no lacing"), ("aac", None)]:
        assert clean_header(codec, header) == header


def test_headers_lose_their_words():
    assert clean_header("flac", b"fLaC" + bytes(4 + 34) + SECRET) == b"fLaC" + bytes(4 + 34)
    long = bytes([2, 255, 45, 20]) + bytes(300) + b"\x03vorbis" + SECRET[:13] + b"setup"
    assert clean_header("vorbis", long) == bytes([2, 255, 45, 16]) + bytes(300) + b"\x03vorbis" + bytes(8) + b"\x01" + b"setup"
    head = ["[Script Info]", "ScriptType: v4.00+", "PlayResX: 96"]
    styles = ["[V4+ Styles]", "Format: Name, Fontname, Fontsize", "Style: Default,Arial,20"]
    events = SCRIPT.rsplit("\n\n", maxsplit=1)[-1].splitlines()
    cleaned = clean_header("ass", SCRIPT.encode()).decode()
    assert [line for line in cleaned.splitlines() if line] == [*head, *styles, *events]


TIMECODES = [
    ("a.mov", "01:02:03:04", Fraction(25), ".mov"),
    ("a.mov", "01:02:03:04", Fraction(25), ".mp4"),
    ("a.mp4", "01:02:03;04", Fraction(30000, 1001), ".mov"),  # numbers are dropped
    ("a.mkv", "10:00:00:00", Fraction(24), ".mov"),  # a tag there, a track here
    ("a.mov", "10:00:00:00", Fraction(24), ".mkv"),
]


@pytest.mark.parametrize(("name", "timecode", "rate", "suffix"), TIMECODES)
def test_timecode_is_kept(tmp_path, name, timecode, rate, suffix):
    path, target = draw(tmp_path, Clip(name, metadata={"timecode": timecode}, rate=rate)), tmp_path / f"out{suffix}"
    info, _, _ = rendered(path, target)
    assert info.timecode == timecode == probe_file(target)[0].timecode
    assert info.dropped == ()
    with av.open(str(target)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio", *(["data"] if suffix != ".mkv" else [])]


def test_tracks_keep_language_and_standing(tmp_path):
    """Two languages, of which the second is the one to play and is for those who do not see."""
    path = draw(tmp_path, Clip("b.mkv", audio_tracks=2))
    standing = av.stream.Disposition.default | av.stream.Disposition.visual_impaired
    with av.open(str(path)) as film, av.open(str(tmp_path / "a.mkv"), "w") as container:
        copies = [container.add_stream_from_template(one, opaque=True) for one in film.streams]
        copies[1].metadata["language"], copies[2].metadata["language"] = "nor", "eng"
        copies[2].disposition = standing
        for packet in film.demux():
            if packet.size:
                packet.stream = copies[packet.stream_index]
                container.mux(packet)
    rendered(tmp_path / "a.mkv", tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        first, second = container.streams.audio
        assert (first.language, second.language) == ("nor", "eng")
        assert second.disposition & standing == standing
        assert not first.disposition & av.stream.Disposition.default
