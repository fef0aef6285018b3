"""Looking at decoded frames, upright."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest

from tasks.detectors.centerface import CenterFace
from tasks.faces import FaceBox
from tasks.finder import Finder
from tasks.looking import look, look_at, window_frames
from tasks.matching import intersection_over_union
from tasks.recognisers.dlib import DlibResNet
from tasks.samplers.dynamic import Dynamic
from tasks.samplers.dynamic_thesis import DynamicThesis
from tasks.samplers.every_frame import EveryFrame
from tasks.samplers.looks import Look, Request, face_near
from tasks.tracks import Shot
from tasks.video.probe import probe_file
from tasks.video.read import read_frames
from tasks.video.upright import boxes_to_decoded, upright_bgr
from tests.fakes import ScriptedDetector, ScriptedRecogniser, Seen, number_of, numbered_picture, square, video_info
from tests.fakes import found as found_by
from tests.tasks.scenes import scene

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


class ScriptedFinder:
    """Answers looks from a script, each when it pleases, and notes what it was shown."""

    def __init__(self, script) -> None:
        self.script = script
        self.shown: list[tuple[int, int]] = []
        self._pool = ThreadPoolExecutor(3)

    def start(self, look, frame, info):
        return self._pool.submit(self._look, look, frame)

    def _look(self, look, frame):
        self.shown.append((look.frame, number_of(upright_bgr(frame, 0))))
        time.sleep(0.002 * (look.frame % 3))
        at_frame = found_by(self.script, [look.frame])
        return at_frame if look.near is None else at_frame[face_near(look, at_frame.boxes, at_frame.scores)]


def look_with(script, sampler, folder, rotation_degrees: int = 0):
    path, info, index = drawn(folder, rotation_degrees)
    detector = ScriptedDetector(script)
    finder = Finder(detector, ScriptedRecogniser(script))
    found, _ = look(read_frames(path, info, index, 0, NUM_FRAMES - 1), SHOTS, info, sampler, finder)
    return found, detector


@pytest.mark.parametrize("window", [9, 40, 129])
@pytest.mark.parametrize("sampler", [EveryFrame(), Dynamic(), DynamicThesis()], ids=lambda sampler: sampler.method)
def test_each_look_is_at_its_own_frame(sampler, window, tmp_path, monkeypatch) -> None:
    script = {frame: [Seen(square(20 + frame, 60, 30), embedding=(float(frame), 0.0))] for frame in range(30, 60)}
    path, info, index = drawn(tmp_path, 0)
    monkeypatch.setattr("tasks.looking.window_frames", lambda _: window)
    finder = ScriptedFinder(script)
    found, reasons = look(read_frames(path, info, index, 0, NUM_FRAMES - 1), SHOTS, info, sampler, finder)
    assert all(asked == shown for asked, shown in finder.shown)
    assert sum(reasons.values()) == len(finder.shown)
    assert set(found.looked.tolist()) == {asked for asked, _ in finder.shown} >= {0, 40, 41, 42, 89}, "ends of shots"
    assert set(found.frames.tolist()) >= {30, 40, 41, 42, 59}, "where the face comes and goes, and the ends of shots"
    assert found.frames.tolist() == [frame for frame in found.looked.tolist() if 30 <= frame < 60], "once each"
    assert found.boxes[:, 0].tolist() == [20 + frame - 15 for frame in found.frames]


def test_looks_of_several_shots_are_taken_side_by_side(tmp_path) -> None:
    path, info, index = drawn(tmp_path, 0)
    finder = ScriptedFinder({})
    shots = [Shot(first=a, last=a + 2, visible_first=a, visible_last=a + 2) for a in range(0, NUM_FRAMES, 3)]
    found, _ = look(read_frames(path, info, index, 0, NUM_FRAMES - 1), shots, info, Dynamic(), finder)
    asked = [frame for frame, _ in finder.shown]
    assert set(found.looked.tolist()) >= {frame for shot in shots for frame in (shot.first, shot.last)}
    assert asked != sorted(asked) or len(asked) == len(set(asked)), "nothing is looked at twice"


@pytest.mark.parametrize("rotation_degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("face_width", [40, 160])  # pixels: enlarged, and reduced
def test_a_look_near_a_place_finds_what_a_look_at_all_finds(rotation_degrees, face_width) -> None:
    picture, box = scene("collins", face_width, size=(640, 480), centre=(200, 250))
    turned = np.ascontiguousarray(np.rot90(picture, rotation_degrees // 90))
    frame = av.VideoFrame.from_ndarray(turned, "bgr24").reformat(format="yuv420p")
    info = video_info(width=frame.width, height=frame.height, rotation_degrees=rotation_degrees)
    place = boxes_to_decoded(
        np.array([[box.left, box.top, box.right, box.bottom]], np.float32), frame.width, frame.height, rotation_degrees
    )[0]
    with Finder(CenterFace().load(), DlibResNet().load()) as finder:
        whole = finder.start(Look(3, "grid"), frame, info).result()
        shifted = (place + 0.2 * face_width).astype(np.float32)
        near = finder.start(Look(3, "check", shifted, 0.75), frame, info).result()
        away = finder.start(Look(3, "check", place + 5 * face_width, 0.5), frame, info).result()
    assert len(whole) == len(near) == 1
    assert len(away) == 0
    assert intersection_over_union(whole.boxes, place[None]) > 0.6
    assert intersection_over_union(whole.boxes, near.boxes) > 0.75
    assert np.abs(whole.landmarks - near.landmarks).max() < 0.1 * face_width
    assert not np.isnan(whole.embeddings).any()
    assert whole.qualities[0] > 0
    assert near.embeddings.shape == whole.embeddings.shape
    assert near.qualities.tolist() == [0]


def test_a_look_may_leave_faces_unrecognised() -> None:
    picture, _ = scene("collins", 90, size=(640, 480))
    frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
    with Finder(CenterFace().load(), DlibResNet().load()) as finder:
        info = video_info(width=640, height=480)
        known, unknown = (finder.start(Look(3, "grid", recognise=recognise), frame, info).result() for recognise in (True, False))
    assert unknown.boxes.tolist() == known.boxes.tolist()
    assert unknown.embeddings.shape == known.embeddings.shape
    assert np.isnan(unknown.embeddings).all()
    assert unknown.qualities.tolist() == known.qualities.tolist(), "how well they are seen is known all the same"


def test_a_recogniser_sees_a_face_where_it_is() -> None:
    """The embedding does not depend on what else is in the picture: only the part around the faces is converted."""
    picture, _ = scene("hopper", 90, size=(1280, 720), centre=(900, 300))
    frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
    detector, recogniser = CenterFace().load(), DlibResNet().load()
    with Finder(detector, recogniser) as finder:
        found = finder.start(Look(0, "grid"), frame, video_info(width=1280, height=720)).result()
    whole_bgr = upright_bgr(frame, 0)
    embeddings, _ = recogniser.embed(whole_bgr, detector.detect(whole_bgr))
    assert np.linalg.norm(found.embeddings - embeddings) < 0.2


def test_two_looks_at_one_face_give_one_face(tmp_path) -> None:
    class Twice:
        def looks(self, stretch):
            near = [Look(5, "check", np.array([10 + d, 30, 50 + d, 80], np.float32)) for d in (0, 3)]
            yield Request([Look(stretch.first, "grid"), *near], stretch.first)

    path, info, index = drawn(tmp_path, 0)
    both = [Seen(FaceBox(10, 30, 50, 80), 0.7), Seen(FaceBox(100, 30, 140, 80), 0.8)]
    shots = [Shot(first=0, last=NUM_FRAMES - 1, visible_first=0, visible_last=NUM_FRAMES - 1)]
    frames = read_frames(path, info, index, 0, NUM_FRAMES - 1)
    found, reasons = look(frames, shots, info, Twice(), ScriptedFinder({5: both}))
    assert found.boxes.tolist() == [[10, 30, 50, 80]]
    assert reasons == {"grid": 1, "check near": 2}


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
    found, _ = look_with({frame: [FACE] for frame in range(NUM_FRAMES)}, EveryFrame(), tmp_path, rotation_degrees)
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


def test_samplers_are_told_of_fades_and_of_their_own_glances(tmp_path) -> None:
    told = []

    class Noting:
        def looks(self, stretch):
            told.append(stretch)
            yield Request([Look(stretch.first, "edge")], stretch.first)

    path, info, index = drawn(tmp_path, 0)
    # A fade in frames 40 to 49, divided in its middle.
    shots = [Shot(first=20, last=44, visible_first=20, visible_last=49), Shot(first=45, last=69, visible_first=40, visible_last=69)]
    glances = np.arange(20, 70, dtype=np.uint8)[:, None, None].repeat(27, 1).repeat(48, 2)
    look(read_frames(path, info, index, 20, 69), shots, info, Noting(), ScriptedFinder({}), glances)
    assert [(each.first, each.last, each.frame_rate, each.width, each.height) for each in told] == [
        (20, 44, 25.0, WIDTH, HEIGHT),
        (45, 69, 25.0, WIDTH, HEIGHT),
    ]
    assert told[0].edges == (20, 39), "the last frame before the fade"
    assert told[1].edges == (50, 69), "the first after it"
    assert [each.glances[[0, -1], 0, 0].tolist() for each in told] == [[20, 44], [45, 69]]
