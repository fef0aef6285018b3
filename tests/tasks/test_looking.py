"""Looking at decoded frames, upright."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.faces import FaceBox
from tasks.looking import Finder, look, look_at, window_frames
from tasks.samplers.dynamic import Dynamic
from tasks.samplers.every_frame import EveryFrame
from tasks.tracks import Shot
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tests.fakes import ScriptedDetector, ScriptedRecogniser, Seen, numbered_picture, square, video_info

NUM_FRAMES, WIDTH, HEIGHT = 90, 192, 96  # of the upright picture
FACE = Seen(FaceBox(10, 30, 50, 80), embedding=(1.0, 2.0))
SHOTS = [Shot(first=a, last=b, visible_first=a, visible_last=b) for a, b in ((0, 40), (41, 41), (42, 89))]


def drawn(folder, rotation_degrees: int):
    """A file whose decoded pictures have to be turned clockwise by so much to be upright; path, info and index."""
    path = folder / "numbers.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(25), options={"crf": "10", "g": "30"})
        sideways = rotation_degrees in (90, 270)
        stream.width, stream.height, stream.pix_fmt = *((HEIGHT, WIDTH) if sideways else (WIDTH, HEIGHT)), "yuv420p"
        for number in range(NUM_FRAMES):
            picture = np.ascontiguousarray(np.rot90(numbered_picture(number, WIDTH, HEIGHT), rotation_degrees // 90))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "bgr24")))
        container.mux(stream.encode(None))
    info, index = probe_file(path)
    return path, info.model_copy(update={"rotation_degrees": rotation_degrees}), index


def look_with(script, sampler, folder, rotation_degrees: int = 0):
    path, info, index = drawn(folder, rotation_degrees)
    detector = ScriptedDetector(script)
    finder = Finder(detector, ScriptedRecogniser(script))
    found = look(read_frames(path, info, index, 0, NUM_FRAMES - 1), SHOTS, info, sampler, finder)
    return found, detector


@pytest.mark.parametrize("sampler", [EveryFrame(), Dynamic()], ids=str)
def test_each_look_is_at_its_own_frame(sampler, tmp_path) -> None:
    script = {frame: [Seen(square(20 + frame, 60, 30), embedding=(float(frame), 0.0))] for frame in range(30, 60)}
    found, detector = look_with(script, sampler, tmp_path)
    assert sorted(detector.looked) == found.looked.tolist(), "looked at as many times as it says, and at those frames"
    assert set(found.looked) >= {0, 40, 41, 42, 89, 29, 30, 59, 60}, "ends of shots, and where the face comes and goes"
    assert found.frames.tolist() == [frame for frame in found.looked.tolist() if 30 <= frame < 60]
    assert found.boxes[:, 0].tolist() == [20 + frame - 15 for frame in found.frames]
    assert found.embeddings[:, 0].tolist() == found.frames.tolist()


@pytest.mark.parametrize(
    ("rotation_degrees", "box", "eye"),
    [
        (0, [10, 30, 50, 80], [22, 50]),
        # x of the decoded picture is y of the upright one, and its y is the upright width less x
        (90, [30, WIDTH - 50, 80, WIDTH - 10], [50, WIDTH - 22]),
        (180, [WIDTH - 50, HEIGHT - 80, WIDTH - 10, HEIGHT - 30], [WIDTH - 22, HEIGHT - 50]),
        # x is the upright height less y, and y is x
        (270, [HEIGHT - 80, 10, HEIGHT - 30, 50], [HEIGHT - 50, 22]),
    ],
)
def test_faces_are_found_upright_and_given_as_decoded(rotation_degrees, box, eye, tmp_path) -> None:
    found, _ = look_with({frame: [FACE] for frame in range(NUM_FRAMES)}, Dynamic(), tmp_path, rotation_degrees)
    assert np.allclose(found.boxes, box)
    assert np.allclose(found.landmarks[:, 0], eye)
    assert np.all(found.boxes[:, :2] < found.boxes[:, 2:])


def test_a_mirrored_picture_is_looked_at_the_right_way_round(tmp_path) -> None:
    """The number 85, 000001010101 in twelve blocks, is 101010100000 in a mirror: that is what the detector sees."""
    path, info, index = drawn(tmp_path, 0)
    mirror_image = int(f"{85:012b}"[::-1], 2)
    finder = Finder(ScriptedDetector({mirror_image: [FACE]}), ScriptedRecogniser({mirror_image: [FACE]}))
    found = look_at(list(read_frames(path, info, index, 85, 85)), info.model_copy(update={"mirrored": True}), finder)
    assert np.allclose(found.boxes, [WIDTH - 50, 30, WIDTH - 10, 80])
    assert np.allclose(found.landmarks[:, 0], [WIDTH - 22, 50])


@pytest.mark.parametrize(
    ("aspect", "rotation_degrees", "seen", "box"),
    [
        (Fraction(4, 3), 0, (256, 96), [7.5, 30, 37.5, 80]),  # a film for wide screens on a disc
        (Fraction(8, 9), 0, (192, 108), [10, 30 / 1.125, 50, 80 / 1.125]),  # an American disc
        (Fraction(4, 3), 90, (192, 128), [22.5, WIDTH - 50, 60, WIDTH - 10]),  # on its side, what is wide becomes high
    ],
)
def test_faces_are_looked_at_in_their_true_shape(aspect, rotation_degrees, seen, box, tmp_path) -> None:
    path, info, index = drawn(tmp_path, rotation_degrees)
    sizes = []

    class Measuring(ScriptedDetector):
        def detect(self, picture_bgr):
            sizes.append(picture_bgr.shape[1::-1])
            return super().detect(picture_bgr)

    finder = Finder(Measuring({5: [FACE]}), ScriptedRecogniser({5: [FACE]}))
    found = look_at(list(read_frames(path, info, index, 5, 5)), info.model_copy(update={"sample_aspect": aspect}), finder)
    assert sizes == [seen]
    assert np.allclose(found.boxes, box, atol=0.01)


def test_nobody_is_found_without_a_fuss(tmp_path) -> None:
    found, _ = look_with({}, Dynamic(), tmp_path)
    assert len(found) == 0
    assert len(found.looked) > 0
    assert found.landmarks.shape == (0, 5, 2)


@pytest.mark.parametrize(
    ("width", "height", "pixel_format"),
    [(640, 360, "yuv420p"), (1920, 1080, "yuv420p"), (3840, 2160, "yuv420p10le"), (7680, 4320, "yuv420p")],
)
def test_a_window_fits_memory(width, height, pixel_format) -> None:
    frames = window_frames(video_info(width=width, height=height, pixel_format=pixel_format))
    samples = width * height * 3 // 2 * (2 if "10" in pixel_format else 1)
    assert 5 <= frames <= 129
    assert frames == 5 or frames * samples <= 192 << 20
