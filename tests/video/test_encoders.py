"""Which encoder is taken, what is refused before any work, and what happens where hardware is not there."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tasks.errors import BadOutput, BadSetting
from tasks.places import source_of, target_of
from tasks.video import EncoderSettings, probe_file, read_frames
from tasks.video import hardware as hardware_module
from tasks.video.encoders import CODECS, Encoding, choose_encoding, holds
from tasks.video.hardware import DecoderSettings, choose_decoder, why_not_decoding, why_not_encoding
from tasks.video.hdr import ContentLight
from tasks.video.holding import check_holds
from tasks.video.quality import crf_of
from tasks.video.write import encoder_options
from tests.fakes import video_info

from .drawing import Clip, draw

NVENC = ("h264_nvenc", "hevc_nvenc", "av1_nvenc")

HELD = [
    ("mp4", ["libx264", "libx265", "libvpx-vp9", "libsvtav1"]),
    ("mov", ["libx264", "libx265", "prores_ks"]),
    ("matroska", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "prores_ks", "ffv1"]),
    ("webm", ["libvpx-vp9", "libsvtav1"]),
    ("mpegts", ["libx264", "libx265"]),
    ("nut", ["libx264", "libx265", "libvpx-vp9", "libsvtav1", "ffv1"]),
]


@pytest.mark.parametrize(("container", "encoders"), HELD)
def test_what_a_container_holds(container, encoders):
    assert [one for one in CODECS if one not in NVENC and holds(container, one)] == encoders
    for encoder in set(CODECS) - set(encoders) - set(NVENC):
        with pytest.raises(BadSetting, match=f"the encoder {encoder}: a {container} file does not hold") as caught:
            choose_encoding(video_info(), EncoderSettings(codec=encoder), container)
        assert encoders[0] in caught.value.fix


def test_auto_never_asks_for_what_the_container_cannot_hold():
    for codec in (*CODECS.values(), "mpeg4", "dnxhd", "gif"):
        for container, _ in HELD:
            assert holds(container, choose_encoding(video_info(codec=codec), EncoderSettings(), container).encoder)


SOURCES = [
    ({"codec": "h264"}, "libx264"),
    ({"codec": "h264", "pixel_format": "yuv420p12le"}, "libx265"),  # x264 has no 12 bits
    ({"codec": "h264", "pixel_format": "yuv420p14le"}, "ffv1"),  # nor has x265 14
    ({"codec": "av1", "pixel_format": "yuv422p10le"}, "libx265"),  # SVT-AV1 knows 4:2:0 only
    ({"codec": "av1", "pixel_format": "yuv444p"}, "libvpx-vp9"),
    ({"codec": "vp9", "pixel_format": "yuv420p10le"}, "libsvtav1"),
    ({"codec": "prores", "pixel_format": "yuv444p12le"}, "prores_ks"),
    ({"codec": "vp8"}, "libvpx-vp9"),
    ({"codec": "mpeg4"}, "libx264"),
    ({"codec": "ffv1", "lossless": True, "pixel_format": "gbrp"}, "ffv1"),
]


@pytest.mark.parametrize(("source", "encoder"), SOURCES)
def test_the_nearest_that_holds_the_picture(source, encoder):
    encoding = choose_encoding(video_info(**source), EncoderSettings())
    assert encoding.encoder == encoder
    said = [note for note in encoding.notes if note.startswith("the codec")]
    assert bool(said) == (CODECS[encoder] != source["codec"] and source["codec"] != "mpeg4")


@pytest.mark.parametrize(
    ("encoder", "source", "lost"),
    [
        ("libx264", "yuv422p12le", "bits per sample"),
        ("libsvtav1", "yuv422p", "resolution of colour"),
        ("libsvtav1", "yuv444p12le", "bits per sample, resolution of colour"),
        ("prores_ks", "gbrp", "RGB as it was, rounded"),
    ],
)
def test_what_a_named_encoder_loses_is_said(encoder, source, lost):
    encoding = choose_encoding(video_info(pixel_format=source), EncoderSettings(codec=encoder))
    assert encoding.notes[0].startswith(f"{lost}: the picture is {source}, and {encoder} writes ")


LOSSLESS = [
    ("auto", "auto", "yuv420p10le", "ffv1", False),
    ("ffv1", 20, "yuv420p", "ffv1", False),  # which knows no other
    ("libx264", "auto", "yuv420p", "libx264", False),
    ("libx264", "auto", "yuv420p10le", "libx264", True),
    ("libx264", 18, "yuv420p", "libx264", True),
    ("libx265", "auto", "yuv420p12le", "libx265", False),
    ("prores_ks", "auto", "yuv422p10le", "prores_ks", True),
]


@pytest.mark.parametrize(("codec", "crf", "pixel_format", "encoder", "said"), LOSSLESS)
def test_a_lossless_source_stays_so_or_it_is_said(codec, crf, pixel_format, encoder, said):
    info = video_info(codec="ffv1", lossless=True, pixel_format=pixel_format)
    encoding = choose_encoding(info, EncoderSettings(codec=codec, crf=crf))
    assert encoding.encoder == encoder
    assert (f"losslessness: {encoder} encodes the picture with loss" in encoding.notes) == said


def test_settled_settings_lead_to_the_same_encoding():
    for info in (video_info(), video_info(codec="av1", pixel_format="yuv422p"), video_info(codec="ffv1", lossless=True)):
        encoding = choose_encoding(info, EncoderSettings(), "matroska")
        again = choose_encoding(info, encoding.settings)
        assert again.model_copy(update={"notes": ()}) == encoding.model_copy(update={"notes": ()})


QUALITIES = [
    ({"quantiser": 35.0}, 18),  # poor: 18 is far above it
    ({"quantiser": 24.0}, 18),
    ({"quantiser": 20.0}, 14),
    ({"quantiser": 2.0}, 4),  # finer is of no use
    ({"bits_per_pixel": 0.01}, 18),
    ({"bits_per_pixel": 0.3}, 12),  # twice what is good: half the step
    ({"codec": "hevc", "bits_per_pixel": 0.3}, 8),  # HEVC says more with it
    ({"codec": "prores", "bits_per_pixel": 3.0}, 1 + 3),
    ({"lossless": True}, 0),
    ({}, 18),  # nothing is known
]


@pytest.mark.parametrize(("source", "crf"), QUALITIES)
def test_quality_follows_the_source(source, crf):
    assert crf_of(video_info(**source)) == crf
    assert choose_encoding(video_info(**source), EncoderSettings(crf=30)).crf == 30


def test_streams_are_tried_before_any_work(tmp_path):
    path = draw(tmp_path, Clip(num_frames=2))
    source = source_of(str(path))
    mov, webm, mp4 = (target_of(str(tmp_path / f"out.{ending}"), source) for ending in ("mov", "webm", "mp4"))
    check_holds(path, mov.location, mov.container_format, EncoderSettings(), ())
    with pytest.raises(BadOutput, match=r"out\.webm: a webm file cannot hold the audio stream 1 \(aac\); choose a name that ends in \.mkv"):
        check_holds(path, webm.location, webm.container_format, EncoderSettings(), ())
    with pytest.raises(BadSetting, match="the encoder ffv1: a mp4 file does not hold ffv1; choose libx264 or libx265"):
        check_holds(path, mp4.location, mp4.container_format, EncoderSettings(codec="ffv1"), ())


@pytest.fixture
def no_hardware(monkeypatch):
    """A machine without a card, whatever this one has."""
    monkeypatch.setattr("tasks.video.encoders.why_not_encoding", lambda encoder: "cannot load libcuda.so.1")
    monkeypatch.setattr(hardware_module, "why_not_decoding", lambda device, number, codec: "operation not permitted" * (device != "cpu"))


@pytest.mark.parametrize(("encoder", "software"), [("h264_nvenc", "libx264"), ("hevc_nvenc", "libx265"), ("av1_nvenc", "libsvtav1")])
def test_without_hardware_software_is_used_and_said(no_hardware, encoder, software):
    encoding = choose_encoding(video_info(), EncoderSettings(codec=encoder), "mp4")
    assert encoding.encoder == software
    assert encoding.notes == (f"hardware: {encoder} cannot be used here (cannot load libcuda.so.1); {software} was used",)
    assert not encoding.settings.fall_back  # segments by different encoders could not be joined
    with pytest.raises(BadSetting, match=rf"{encoder}: cannot be used here .*; choose {software}, or allow fall_back"):
        choose_encoding(video_info(), EncoderSettings(codec=encoder, fall_back=False), "mp4")


def test_without_hardware_the_cpu_decodes_and_that_is_said(no_hardware):
    settings, said = choose_decoder(video_info(), DecoderSettings(device="cuda"))
    assert settings == DecoderSettings()
    assert said == ("hardware: cuda cannot decode h264 here (operation not permitted); the CPU did",)
    assert choose_decoder(video_info(), DecoderSettings()) == (DecoderSettings(), ())
    with pytest.raises(BadSetting, match=r"the decoder cuda: cannot decode h264 here .*; choose cpu, or allow fall_back"):
        choose_decoder(video_info(), DecoderSettings(device="cuda", fall_back=False))


def test_a_card_is_asked_and_not_guessed_at():
    """Whatever the machine has: the answer is a reason or none, and a codec that no card decodes is never promised."""
    for encoder in NVENC:
        assert isinstance(why_not_encoding(encoder), str)
    assert why_not_encoding("libx264") == ""
    assert why_not_decoding("cpu", 0, "h264") == ""
    assert why_not_decoding("cuda", 0, "ffv1") != ""


def test_a_worker_without_a_card_decodes_all_the_same(no_hardware, tmp_path):
    """It was settled on a machine with one."""
    info, index = probe_file(draw(tmp_path, Clip(num_frames=4)))
    assert len(list(read_frames(tmp_path / "clip.mp4", info, index, 0, 3, DecoderSettings(device="cuda")))) == 4
    with pytest.raises(BadSetting, match="the decoder cuda"):
        read_frames(tmp_path / "clip.mp4", info, index, 0, 3, DecoderSettings(device="cuda", fall_back=False))


NVENC_OPTIONS = [
    ("veryfast", 18, {"preset": "p2", "rc": "vbr", "cq": "18", "b": "0", "forced-idr": "1"}),
    ("ultrafast", 30, {"preset": "p1", "rc": "vbr", "cq": "30", "b": "0", "forced-idr": "1"}),
    ("veryslow", 0, {"preset": "p7", "tune": "lossless", "forced-idr": "1"}),
]


@pytest.mark.parametrize("encoder", NVENC)
@pytest.mark.parametrize(("preset", "crf", "expected"), NVENC_OPTIONS)
def test_options_for_a_card(encoder, preset, crf, expected):
    encoding = Encoding(encoder=encoder, pixel_format="yuv420p", preset=preset, crf=crf, threads=4, interlaced=False)
    assert encoder_options(encoding, video_info()) == expected


def test_options_are_the_same_on_every_machine():
    encoding = choose_encoding(video_info(field_order="bottom_first"), EncoderSettings())
    info = video_info(field_order="bottom_first", content_light=ContentLight(brightest_pixel=1000, brightest_frame=400))
    assert encoder_options(encoding, info) == {
        "preset": "veryfast",
        "crf": "18",
        "x264-params": "cpu-independent=1:open-gop=0:cll=1000,400:bff=1",
        "flags": "+ildct+ilme",
    }
    assert Fraction(info.frame_rate) == 25
