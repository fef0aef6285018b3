"""What comes out is what went in: depth, sampling, range, colours, light, fields, times, and no visible loss."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.video import EncoderSettings, as_planar, editable, planes, probe_file

from .boxes import add_boxes, box
from .drawing import Clip, decoded, draw, picture, textured
from .rendering import rendered

QUIET = {"x265-params": "keyint=8:log-level=none"}
OPTIONS = {"libx265": QUIET, "libsvtav1": {"preset": "10"}, "dnxhd": {"profile": "dnxhr_hq"}, "libx264": {"g": "8", "bf": "2", "crf": "14"}}

PICTURES = [
    # H.264 holds 8 and 10 bits in all samplings.
    ("a.mp4", "libx264", "yuv420p", (96, 64), ".mp4", "h264 yuv420p", ""),
    ("a.mp4", "libx264", "yuv422p", (96, 63), ".mp4", "h264 yuv422p", ""),  # odd where it may be
    ("a.mp4", "libx264", "yuv444p", (95, 63), ".mp4", "h264 yuv444p", ""),  # odd both ways
    ("a.mp4", "libx264", "yuv420p10le", (96, 64), ".mp4", "h264 yuv420p10le", ""),
    ("a.mp4", "libx264", "yuv422p10le", (96, 64), ".mov", "h264 yuv422p10le", ""),
    ("a.mp4", "libx264", "yuv444p10le", (96, 64), ".mkv", "h264 yuv444p10le", ""),
    # HEVC has 12 bits, grey and RGB too.
    ("a.mp4", "libx265", "yuv420p12le", (96, 64), ".mp4", "hevc yuv420p12le", ""),
    ("a.mp4", "libx265", "yuv422p12le", (96, 64), ".mp4", "hevc yuv422p12le", ""),
    ("a.mkv", "libx265", "yuv444p12le", (96, 64), ".mkv", "hevc yuv444p12le", ""),
    ("a.mkv", "libx265", "gray", (96, 64), ".mkv", "hevc gray", ""),
    ("a.mkv", "libx265", "gray12le", (96, 64), ".mkv", "hevc gray12le", ""),
    ("a.mkv", "libx265", "gbrp10le", (96, 64), ".mkv", "hevc gbrp10le", ""),
    ("a.webm", "libvpx-vp9", "yuv422p", (96, 64), ".webm", "vp9 yuv422p", ""),
    ("a.webm", "libvpx-vp9", "yuv420p", (95, 63), ".webm", "vp9 yuv420p", ""),
    ("a.mp4", "libsvtav1", "yuv420p10le", (96, 64), ".mp4", "av1 yuv420p10le", ""),
    ("a.mov", "prores_ks", "yuv422p10le", (95, 63), ".mov", "prores yuv422p10le", ""),
    ("a.mov", "prores_ks", "yuv444p10le", (96, 64), ".mov", "prores yuv444p12le", "bits per sample"),  # its decoder says 12
    ("a.mkv", "ffv1", "yuv420p16le", (95, 63), ".mkv", "ffv1 yuv420p16le", ""),
    ("a.mkv", "ffv1", "gray10le", (96, 64), ".mkv", "ffv1 gray10le", ""),
    ("a.mkv", "ffv1", "bgr0", (95, 63), ".mkv", "ffv1 bgr0", ""),  # a recorded screen
    ("a.mkv", "ffv1", "gbrp10le", (96, 64), ".mkv", "ffv1 gbrp10le", ""),
    # What the family or the container cannot hold goes to the nearest that can, and that is said.
    ("a.mkv", "libvpx-vp9", "yuv420p", (95, 63), ".mov", "hevc yuv444p", "vp9 becomes hevc"),  # no 4:2:0 of odd size either
    ("a.mkv", "ffv1", "yuv420p12le", (96, 64), ".mp4", "hevc yuv420p12le", "ffv1 becomes hevc"),  # lossless still
    ("a.mkv", "ffv1", "yuv422p", (96, 64), ".mp4", "h264 yuv422p", "ffv1 becomes h264"),
    ("a.mkv", "ffv1", "gray", (96, 64), ".webm", "vp9 yuv420p", "ffv1 becomes vp9"),
    ("a.mkv", "rawvideo", "yuv420p", (96, 64), ".mkv", "ffv1 yuv420p", "rawvideo becomes ffv1"),
    ("a.avi", "huffyuv", "yuv422p", (96, 64), ".mkv", "ffv1 yuv422p", "huffyuv becomes ffv1"),
    ("a.mov", "prores_ks", "yuv422p10le", (96, 64), ".mp4", "hevc yuv422p10le", "prores becomes hevc"),
    ("a.mov", "dnxhd", "yuv422p", (256, 144), ".mov", "prores yuv422p10le", "dnxhd becomes prores"),  # to be edited still
    ("a.avi", "mjpeg", "yuvj422p", (96, 64), ".mp4", "h264 yuvj422p", ""),
    ("a.ts", "mpeg2video", "yuv420p", (96, 64), ".mp4", "h264 yuv420p", ""),
    ("a.gif", "gif", "bgr8", (96, 64), ".mp4", "h264 yuv444p", "RGB as it was"),
]


@pytest.mark.parametrize(("name", "codec", "pixel_format", "size", "suffix", "expected", "said"), PICTURES)
def test_depth_and_sampling(tmp_path, name, codec, pixel_format, size, suffix, expected, said):
    clip = Clip(name, codec, 6, *size, pixel_format, options=OPTIONS.get(codec, {}), audio=None)
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    info, _, encoding = rendered(path, target)
    after, _ = probe_file(target)
    assert f"{after.codec} {after.pixel_format}" == expected
    assert (after.width, after.height) == size
    assert said in " ".join(encoding.notes)
    assert bool(said) == bool(encoding.notes)
    for one, other in zip(decoded(path), decoded(target), strict=True):
        if info.lossless and "webm" not in suffix:
            assert loss(one, other) == 0
        elif as_planar(one).format.name == other.format.name:
            assert decibels(loss(one, other)) > 35


def loss(one: av.VideoFrame, other: av.VideoFrame, luma_only: bool = False) -> float:
    """Mean squared difference of the worst plane, in steps of 8 bits."""
    pairs = list(zip(planes(as_planar(one)), planes(as_planar(other)), strict=True))
    return max(
        float(((a.samples.astype(float) - b.samples) ** 2).mean()) / 4 ** (a.bits - 8) for a, b in (pairs[:1] if luma_only else pairs)
    )


def decibels(mean_square: float) -> float:
    return float(10 * np.log10(255**2 / max(mean_square, 1e-9)))


def test_ffv1_of_a_lossless_source_is_bit_for_bit(tmp_path):
    path = draw(tmp_path, Clip("a.mkv", codec="ffv1", pixel_format="yuv422p10le", options={}, audio=None))
    rendered(path, tmp_path / "out.mkv")
    assert [loss(a, b) for a, b in zip(decoded(path), decoded(tmp_path / "out.mkv"), strict=True)] == [0] * 24


COLOURS = [
    ((1, 1, 1, 1), "yuv420p"),  # BT.709, limited: nearly everything
    ((2, 1, 1, 1), "yuv420p"),  # full
    ((1, 5, 6, 5), "yuv420p"),  # BT.601, PAL
    ((1, 6, 6, 6), "yuv420p"),  # BT.601, NTSC
    ((1, 9, 14, 9), "yuv420p10le"),  # BT.2020
    ((1, 9, 16, 9), "yuv420p10le"),  # PQ
    ((1, 9, 18, 9), "yuv420p10le"),  # HLG
    ((1, 12, 13, 1), "yuv420p"),  # Display P3, as phones film
]


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks", "ffv1"])
@pytest.mark.parametrize(("colours", "pixel_format"), COLOURS)
def test_colours(tmp_path, encoder, colours, pixel_format):
    path = draw(tmp_path, Clip("a.mkv", num_frames=4, pixel_format=pixel_format, colours=colours, audio=None))
    target = tmp_path / "out.mkv"
    rendered(path, target, EncoderSettings(codec=encoder))
    after, _ = probe_file(target)
    if encoder == "prores_ks":
        # Limited is all it has, and of two names for the same matrix it knows one.
        colours = (1, *colours[1:3], {5: 6}.get(colours[3], colours[3]))
    said = ({"limited": 1, "full": 2}.get(after.colour_range), after.colour_primaries, after.colour_transfer, after.colour_matrix)
    assert said == colours


SCREEN = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
AV1_SCREEN = "G(0.265,0.690)B(0.150,0.060)R(0.680,0.320)WP(0.3127,0.3290)L(1000.0,0.005)"
HDR = [
    ("libx264", {"x264-params": f"mastering-display={SCREEN}:cll=1000,400"}),
    ("libx265", {"x265-params": f"master-display={SCREEN}:max-cll=1000,400:log-level=none"}),
    ("libsvtav1", {"svtav1-params": f"mastering-display={AV1_SCREEN}:content-light=1000,400"}),
]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize(("codec", "options"), HDR)
def test_light_levels_are_written_again(tmp_path, codec, options, suffix):
    clip = Clip(f"a{suffix}", codec, 4, pixel_format="yuv420p10le", options=options, colours=(1, 9, 16, 9), audio=None)
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    info, _, encoding = rendered(path, target)
    after, _ = probe_file(target)
    assert str(info.content_light) == "1000,400"
    assert (float(info.mastering_display.brightest), float(info.mastering_display.red[0])) == pytest.approx((1000, 0.68), abs=1e-4)
    assert after.content_light == info.content_light
    assert near(after.mastering_display, info.mastering_display)
    assert encoding.notes == ()


def near(one, other):
    """The same numbers, to what AV1's own fractions round away."""
    flat = [[*each.red, *each.green, *each.blue, *each.white, each.brightest, each.darkest] for each in (one, other)]
    return [float(x) for x in flat[0]] == pytest.approx([float(x) for x in flat[1]], abs=2e-4)


def test_light_levels_of_the_container_alone_are_seen(tmp_path):
    """An HEVC stream without any of its own, in a file that says it: boxes `mdcv` and `clli`."""
    path = draw(tmp_path, Clip("a.mp4", "libx265", 4, pixel_format="yuv420p10le", options=QUIET, colours=(1, 9, 16, 9), audio=None))
    numbers = [13250, 34500, 7500, 3000, 34000, 16000, 15635, 16450]
    mdcv = b"".join(n.to_bytes(2, "big") for n in numbers) + (10000000).to_bytes(4, "big") + (50).to_bytes(4, "big")
    clli = (1000).to_bytes(2, "big") + (400).to_bytes(2, "big")
    add_boxes(path, ("moov", "trak", "mdia", "minf", "stbl", "stsd", "hev1"), box("mdcv", mdcv) + box("clli", clli))
    info, _, _ = rendered(path, tmp_path / "out.mp4")
    after, _ = probe_file(tmp_path / "out.mp4")
    assert info.mastering_display.as_integers() == SCREEN
    assert after.mastering_display.as_integers() == SCREEN
    assert str(after.content_light) == "1000,400"


FIELDS = [
    ("a.mp4", "libx264", {"flags": "+ildct+ilme"}, "aac", ".mp4", "h264"),
    ("a.mkv", "libx264", {"x264-params": "tff=1"}, "aac", ".mkv", "h264"),
    ("a.ts", "libx264", {"x264-params": "bff=1"}, "aac", ".mp4", "h264"),
    ("a.ts", "mpeg2video", {"flags": "+ildct+ilme", "b": "4000000"}, "mp2", ".ts", "h264"),  # broadcast
    ("a.mov", "prores_ks", {"flags": "+ildct"}, "pcm_s16le", ".mov", "prores"),
]


@pytest.mark.parametrize(("name", "codec", "options", "audio", "suffix", "expected"), FIELDS)
def test_fields_survive(tmp_path, name, codec, options, audio, suffix, expected):
    """Two fields of different times stay two, in their order, and a cover covers both."""
    pixel_format = "yuv422p10le" if codec == "prores_ks" else "yuv420p"
    clip = Clip(name, codec, 12, 96, 64, pixel_format, options=options, audio=audio, draws=woven)
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    info, _, encoding = rendered(path, target, change=blackened)
    after, _ = probe_file(target)
    assert info.field_order != "progressive"
    assert encoding.interlaced
    assert (after.codec, after.field_order) == (expected, info.field_order)
    for number, (before, frame) in enumerate(zip(decoded(path), decoded(target), strict=True)):
        assert frame.interlaced_frame
        luma, original = planes(frame)[0], planes(before)[0].samples
        whole = 4 ** (luma.bits - 8) ** 0.5
        for field in (0, 1):
            rows = luma.samples[field::2].astype(float)
            assert rows[:8, 64:].max() < 40 * whole, (number, field)  # covered
            assert np.abs(rows[16:] - original[field::2][16:]).mean() < 3 * whole, (number, field)


@pytest.mark.parametrize(("params", "order"), [("tff=1", "top_first"), ("bff=1", "bottom_first")])
def test_lossless_fields_keep_their_order(tmp_path, params, order):
    path = draw(tmp_path, Clip("a.mkv", num_frames=4, options={"x264-params": params}, audio=None, draws=woven))
    _, _, encoding = rendered(path, tmp_path / "out.mkv", EncoderSettings(codec="ffv1"))
    assert encoding.notes == ()
    assert probe_file(tmp_path / "out.mkv")[0].field_order == order
    assert [loss(a, b) for a, b in zip(decoded(path), decoded(tmp_path / "out.mkv"), strict=True)] == [0] * 4


def woven(number, width, height, pixel_format):
    """Even lines of one time, odd lines of the next."""
    first, second = (picture(number * 2 + field, width, height, pixel_format) for field in (0, 1))
    for mine, other in zip(planes(first), planes(second), strict=True):
        mine.samples[1::2] = other.samples[1::2]
    return first


def blackened(frame):
    """A rectangle in the upper right corner, black."""
    changed = editable(as_planar(frame))
    for plane in planes(changed):
        rows, columns = slice(0, 16 // plane.vertical_step), slice(64 // plane.horizontal_step, None)
        plane.samples[rows, columns] = 16 << (plane.bits - 8) if plane.name == "y" else 128 << (plane.bits - 8)
    return changed


@pytest.mark.parametrize("encoder", ["libx265", "libvpx-vp9", "libsvtav1"])
def test_encoders_without_fields_say_so(tmp_path, encoder):
    path = draw(tmp_path, Clip("a.mkv", num_frames=4, options={"x264-params": "tff=1"}, audio=None))
    _, _, encoding = rendered(path, tmp_path / "out.mkv", EncoderSettings(codec=encoder))
    assert encoding.notes == (f"interlacing: {encoder} writes both fields as one picture",)


QUALITIES = [
    ("a.mp4", "libx264", {"crf": "32"}, ".mp4"),  # poor: easily kept
    ("a.mp4", "libx264", {"crf": "23"}, ".mp4"),  # the usual
    ("a.mp4", "libx264", {"crf": "18"}, ".mp4"),
    ("a.mp4", "libx264", {"crf": "10"}, ".mp4"),  # better than the usual output
    ("a.mp4", "libx265", {"crf": "28", "x265-params": "log-level=none"}, ".mp4"),
    ("a.mp4", "libx265", {"crf": "16", "x265-params": "log-level=none"}, ".mp4"),
    ("a.webm", "libvpx-vp9", {"crf": "20", "b": "0"}, ".webm"),
    ("a.ts", "mpeg2video", {"b": "8000000"}, ".mp4"),  # a disc
    ("a.avi", "mjpeg", {"b": "20000000"}, ".mp4"),  # a camera of old
    ("a.mov", "prores_ks", {"profile": "proxy"}, ".mov"),
    ("a.mov", "prores_ks", {"profile": "hq"}, ".mov"),
    ("a.mov", "prores_ks", {"profile": "hq"}, ".mp4"),
]


@pytest.mark.parametrize(("name", "codec", "options", "suffix"), QUALITIES)
def test_no_visible_loss(tmp_path, name, codec, options, suffix):
    """Against what was drawn, the result is at most 1.5 dB worse than the source; or what is lost is nothing that anyone sees (47 dB)."""
    pixel_format = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}.get(codec, "yuv420p")
    path = draw(tmp_path, Clip(name, codec, 10, 176, 144, pixel_format, options=options, audio=None, draws=textured))
    target = tmp_path / f"out{suffix}"
    rendered(path, target)
    drawn = [textured(number, 176, 144, pixel_format) for number in range(10)]
    source, result = decoded(path), decoded(target)
    pairs = [(drawn, source), (drawn, result), (source, result)]
    lost = [np.mean([loss(a, b, luma_only=True) for a, b in zip(one, other, strict=True)]) for one, other in pairs]
    assert decibels(lost[0]) - decibels(lost[1]) < 1.5 or decibels(lost[2]) > 47
    assert decibels(lost[2]) > 42


@pytest.mark.parametrize("profile", ["Proxy", "LT", "Standard", "HQ", "4444", "XQ"])
def test_prores_keeps_its_profile(tmp_path, profile):
    option = {"XQ": "4444xq"}.get(profile, profile.lower())
    pixel_format = "yuv444p10le" if option.startswith("4444") else "yuv422p10le"
    path = draw(tmp_path, Clip("a.mov", "prores_ks", 2, pixel_format=pixel_format, options={"profile": option}, audio=None))
    assert rendered(path, tmp_path / "out.mov")[0].profile == profile == probe_file(tmp_path / "out.mov")[0].profile


@pytest.mark.parametrize(("option", "profile"), [("baseline", "Constrained Baseline"), ("main", "Main"), ("high", "High")])
def test_h264_keeps_what_old_players_take(tmp_path, option, profile):
    path = draw(tmp_path, Clip(options={"profile": option}))
    assert rendered(path, tmp_path / "out.mp4")[0].profile == profile == probe_file(tmp_path / "out.mp4")[0].profile


SOUNDS = [
    (Clip("a.mp4"), ".mp4"),  # AAC begins before the picture, and an edit list hides how much
    (Clip("a.mp4"), ".mov"),
    (Clip("a.mp4"), ".mkv"),
    (Clip("a.mov", audio="pcm_s16le"), ".mov"),
    (Clip("a.mp4", layout="5.1"), ".mp4"),
    (Clip("a.mkv", audio="flac", layout="5.1"), ".mkv"),
    (Clip("a.mkv", audio="libopus"), ".mkv"),  # begins 6.5 ms before
    (Clip("a.mkv", audio="libopus"), ".mp4"),
    (Clip("a.mp4", rate=Fraction(30000, 1001), audio_tracks=2), ".mp4"),
    (Clip("a.mp4", time_base=Fraction(1, 90000), pts=[45000 + 3600 * n for n in range(20)]), ".mp4"),  # the picture begins late
    (Clip("a.mov", time_base=Fraction(1, 1000), pts=[-200 + 40 * n for n in range(20)]), ".mov"),  # and early
    (Clip("a.ts", num_frames=40, audio="mp2"), ".mp4"),
]


@pytest.mark.parametrize(("clip", "suffix"), SOUNDS, ids=lambda value: getattr(value, "name", value))
def test_sound_is_in_step_to_the_sample(tmp_path, clip, suffix):
    """Packets are the source's, bit for bit, at their times since the first picture's; what a player cuts off their ends, too."""
    path, target = draw(tmp_path, clip), tmp_path / f"out{suffix}"
    info, _, _ = rendered(path, target)
    assert len(info.audio) == clip.audio_tracks
    for track in range(clip.audio_tracks):
        (start, sound), (start_after, sound_after) = coded(path, track), coded(target, track)
        assert sound_after == sound
        # Matroska's clock is a millisecond, and it has its own way to say where sound begins.
        among_exact = ".mkv" not in (path.suffix, suffix)
        assert abs(start_after - start) < (Fraction(1, 96000) if among_exact else Fraction(1, 1000))
        if path.suffix == suffix or (among_exact and path.suffix != ".ts"):
            assert np.array_equal(heard(path, track), heard(target, track))
            assert heard(target, track).shape[0] == {"stereo": 2, "5.1": 6}[clip.layout]


def coded(path, track):
    """When the first packet is to be heard, in seconds after the first picture is seen, and all packets."""
    with av.open(str(path)) as container:
        first = next(container.decode(video=0))
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(audio=track) if packet.size]
        return found[0].pts * found[0].time_base - first.pts * first.time_base, [bytes(packet) for packet in found]


def heard(path, track):
    """All samples, (channels, N), without those that are cut off."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=track))
    arrays = [frame.to_ndarray() for frame in frames]
    if not frames[0].format.is_planar:
        arrays = [array.reshape(-1, frames[0].layout.nb_channels).T for array in arrays]
    return np.concatenate(arrays, axis=1)
