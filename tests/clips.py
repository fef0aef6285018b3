"""Clips with real faces and exact truth, drawn from two public-domain portraits that packages ship.

A script is data: shots, each a background and the layers before it. What is drawn is real footage for a detector and a recogniser,
and `Truth` says to the pixel where every face is and how much of it shows:

    truth = draw_clip(two_people_script(), Path("clip.mp4"), size=(640, 360), frame_rate=Fraction(25))
    truth.faces[0]  # (TrueFace("collins", box, ...), TrueFace("hopper", box, ...))

`python -m tests.clips FOLDER [SCRIPT]` writes what the benchmarks read: video.mp4, gt.jsonl, cuts.json and refs/PERSON.jpg.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import av
import cv2
import matplotlib.cbook
import numpy as np
import numpy.typing as npt
import skimage.data
from scipy.interpolate import PchipInterpolator

from tasks.faces import FaceBox

Picture = npt.NDArray[np.uint8]
Person = Literal["collins", "hopper"]
SAMPLE_RATE = 48_000
HARD_BELOW_SHARE = 0.5  # a face of which less is seen is "hard" in gt.jsonl: scored apart
_TURNING_SECONDS = 0.25  # in which a head turns away
NOISE_LEVELS = 1.6  # standard deviation of the sensor noise, in 8-bit levels

# Scripts ---------------------------------------------------------------------------------------------------------------------


class Pose(NamedTuple):
    """Where a face is at a time of its shot; between two poses it moves smoothly, before the first and after the last it stays."""

    seconds: float
    x: float  # centre, in shares of the frame's width; outside 0..1 is outside the frame
    y: float  # centre, in shares of the frame's height
    face_width: float  # in shares of the frame's width
    turn_degrees: float = 0.0  # in the picture's plane, clockwise


@dataclass(frozen=True, slots=True)
class Actor:
    person: Person
    poses: tuple[Pose, ...]
    sway: float = 0.03  # how far the head bobs, in widths of the face
    turned: tuple[float, float] | None = None  # seconds between which only the back of the head is seen


@dataclass(frozen=True, slots=True)
class Bar:
    """A post from the top to the bottom of the frame; hides what stands before it in the shot's layers."""

    left: float  # in shares of the frame's width
    width: float
    speed: float = 0.0  # shares of the frame's width per second, to the right


@dataclass(frozen=True, slots=True)
class Shot:
    seconds: float
    background: int  # seed of the background: another number, another place
    layers: tuple[Actor | Bar, ...] = ()  # back to front
    enter: Literal["cut", "crossfade", "fade"] = "cut"  # how the shot before turns into this one; a fade goes through black
    enter_seconds: float = 0.0  # a crossfade overlaps the two shots; a fade takes half of it from each
    pan: float = 0.012  # how fast the background moves, in shares of the frame's width per second


@dataclass(frozen=True, slots=True)
class Script:
    shots: tuple[Shot, ...]
    seed: int = 0  # of the sensor noise


# Truth -----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrueFace:
    person: str
    box: FaceBox  # within the frame
    full_box: FaceBox  # may reach beyond the frame
    visible_share: float  # of the ellipse in full_box: inside the frame and not hidden by a layer before it
    opacity: float  # below 1 within a crossfade or fade


@dataclass(frozen=True, slots=True)
class Gradual:
    """First and last frame that a transition changes."""

    first: int
    last: int
    kind: str


@dataclass(frozen=True, slots=True)
class Truth:
    size: tuple[int, int]  # width, height in pixels
    frame_rate: Fraction
    faces: tuple[tuple[TrueFace, ...], ...]  # by frame; faces without a visible pixel are left out
    cuts: tuple[int, ...]  # first frame of each shot that a cut begins
    gradual: tuple[Gradual, ...]

    def write(self, folder: Path) -> None:
        """Write gt.jsonl and cuts.json, in the format of the labelled clips."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "gt.jsonl").open("w", encoding="utf-8") as lines:
            for index, faces in enumerate(self.faces):
                lines.write(json.dumps({"frame": index, "faces": [_face_row(face) for face in faces], "ignore": []}) + "\n")
        gradual = [{"start": g.first, "end": g.last, "type": g.kind} for g in self.gradual]
        cuts = {"cuts": list(self.cuts), "gradual": gradual, "flash_frames_not_cuts": [], "frames": len(self.faces)}
        (folder / "cuts.json").write_text(json.dumps(cuts), encoding="utf-8")


def _face_row(face: TrueFace) -> dict[str, Any]:
    def numbers(box: FaceBox) -> list[float]:
        return [round(edge, 2) for edge in (box.left, box.top, box.right, box.bottom)]

    row = {"person": face.person, "box": numbers(face.box), "full_box": numbers(face.full_box)}
    row |= {"vis": round(face.visible_share, 3), "alpha": round(face.opacity, 3)}
    return row | ({"hard": True} if face.visible_share < HARD_BELOW_SHARE else {})


# Portraits -------------------------------------------------------------------------------------------------------------------

# Boxes as CenterFace gives them (forehead to chin, ear to ear), outlines drawn by hand; both in pixels of the whole portrait.
FACE_BOXES: dict[Person, FaceBox] = {"collins": FaceBox(181.5, 58.2, 269.9, 177.8), "hopper": FaceBox(173.5, 127.7, 358.5, 334.1)}
# fmt: off
OUTLINES: dict[Person, tuple[int, ...]] = {  # x, y, x, y, ...
    "collins": (
        212, 22, 201, 23, 185, 38, 163, 51, 156, 58, 153, 68, 155, 98, 157, 104, 170, 116, 179, 132, 184, 148, 153, 151, 140, 158, 131,
        167, 121, 183, 122, 204, 110, 206, 90, 227, 76, 235, 61, 251, 44, 282, 39, 306, 27, 350, 20, 410, 22, 450, 30, 485, 46, 511, 496,
        511, 489, 497, 489, 455, 495, 454, 494, 426, 490, 410, 478, 384, 455, 361, 436, 351, 418, 345, 393, 344, 364, 347, 360, 344, 356,
        302, 352, 287, 347, 282, 340, 262, 307, 237, 297, 212, 282, 194, 263, 182, 256, 178, 258, 157, 268, 131, 280, 127, 294, 111, 300,
        93, 300, 78, 296, 58, 288, 43, 276, 31, 251, 19, 227, 16,
    ),
    "hopper": (
        226, 31, 218, 31, 215, 42, 189, 51, 177, 70, 172, 86, 156, 96, 149, 106, 148, 140, 150, 184, 156, 190, 155, 205, 160, 232, 167,
        255, 165, 270, 170, 285, 182, 297, 196, 300, 205, 321, 186, 334, 160, 349, 121, 362, 96, 365, 80, 370, 61, 381, 46, 396, 36, 420,
        28, 470, 17, 526, 11, 599, 505, 599, 503, 500, 507, 434, 492, 393, 464, 377, 422, 366, 365, 342, 343, 330, 333, 318, 337, 304,
        346, 288, 356, 266, 361, 262, 367, 227, 374, 201, 374, 188, 369, 183, 371, 135, 368, 95, 365, 89, 352, 86, 348, 71, 337, 57, 313,
        44, 299, 41, 294, 35, 281, 27, 270, 24, 249, 23, 237, 25,
    ),
}
# fmt: on


@cache
def portrait(person: Person) -> Picture:
    """(H, W, 3) BGR: Eileen Collins (NASA) from scikit-image, Grace Hopper (US Navy) from matplotlib."""
    if person == "collins":
        return np.ascontiguousarray(skimage.data.astronaut()[..., ::-1])
    picture = cv2.imread(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    assert picture is not None
    return picture


@cache
def _cut_outs(person: Person) -> tuple[Picture, ...]:
    """The person without what is behind her, (H, W, 4) premultiplied BGRA, at 1, 1/2, 1/4 and 1/8 of the portrait's size."""
    picture = portrait(person)
    height, width = picture.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    cv2.fillPoly(alpha, [np.array(OUTLINES[person], np.int32).reshape(-1, 2)], 255)
    alpha = cv2.GaussianBlur(cv2.erode(alpha, np.ones((5, 5), np.uint8)), (0, 0), 1.5)
    fade = np.clip((height - np.arange(height)) / (0.04 * height), 0, 1)[:, None]  # where the portrait ends, nothing ends abruptly
    share = (alpha / 255 * fade)[..., None].astype(np.float32)
    cut_out = (np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2) * share).round().astype(np.uint8)
    return tuple(cv2.resize(cut_out, (width // f, height // f), interpolation=cv2.INTER_AREA) for f in (1, 2, 4, 8))


def reference_photo(person: Person) -> Picture:
    """(480, 400, 3) BGR: the same person as in the clips, but mirrored, tilted, cropped closer, and lit from the side."""
    picture, box = portrait(person), FACE_BOXES[person]
    scale = 190 / box.width
    turn = cv2.getRotationMatrix2D(((box.left + box.right) / 2, (box.top + box.bottom) / 2), 4, scale)
    turn[:, 2] += (200 - (box.left + box.right) / 2, 235 - (box.top + box.bottom) / 2)
    photo = cv2.warpAffine(picture, turn, (400, 480), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)[:, ::-1]
    light = np.linspace(1.12, 0.78, 400, dtype=np.float32)[None, :, None] * np.array([0.9, 1.0, 1.06], np.float32)  # warmer
    return np.clip(255 * (photo / 255.0) ** 0.9 * light, 0, 255).astype(np.uint8)


# Drawing ---------------------------------------------------------------------------------------------------------------------


class _Sprite(NamedTuple):
    """A layer at one frame: where it goes, its premultiplied colour, and how much of what is behind it stays."""

    rows: slice
    columns: slice
    bgr: Picture
    kept: Picture  # (H, W), 0 hides


@dataclass
class _Drawn:
    """A face on its way to the truth; `mask` is the part of its ellipse that still shows."""

    person: str
    full_box: FaceBox
    area: float
    mask: Picture


@cache
def _background(seed: int, size: tuple[int, int]) -> Picture:
    """(1.25 H, 1.25 W, 3) BGR: a room out of focus: walls and furniture, lamps, and a fine grain that moves with it."""
    random = np.random.default_rng(seed)
    full_width, full_height = int(size[0] * 1.25), int(size[1] * 1.25)
    width, height = full_width // 2, full_height // 2  # what is out of focus has no detail to lose
    wall_hue = random.uniform(0, 180)

    def colour(hue: float, saturation: float, value: float) -> tuple[float, ...]:
        bgr = cv2.cvtColor(np.array([[[hue % 180, saturation, value]]], np.uint8), cv2.COLOR_HSV2BGR)
        return tuple(float(channel) for channel in bgr[0, 0])

    level = random.uniform(80, 150)
    down = np.linspace(1, 0.5, height, dtype=np.float32)[:, None, None]
    picture = np.tile(np.array(colour(wall_hue, 90, level), np.float32) * down, (1, width, 1))
    for _ in range(14):
        left, top = random.uniform(-0.1, 1) * width, random.uniform(0.1, 0.8) * height
        right, bottom = left + random.uniform(0.03, 0.2) * width, top + random.uniform(0.2, 0.9) * height
        shade = colour(wall_hue + random.normal(0, 16), random.uniform(25, 100), random.uniform(30, 170))
        cv2.rectangle(picture, (int(left), int(top)), (int(right), int(bottom)), shade, -1)
    picture = cv2.GaussianBlur(picture, (0, 0), width / 130)
    lamps = np.zeros_like(picture)
    for _ in range(22):
        lamp = np.zeros_like(picture)
        centre = (int(random.uniform(0, 1) * width), int(random.uniform(0, 0.6) * height))
        light = colour(random.normal(17, 6), random.uniform(60, 150), random.uniform(35, 110))
        cv2.circle(lamp, centre, int(random.uniform(0.008, 0.03) * width), light, -1, cv2.LINE_AA)
        lamps += lamp
    picture += cv2.GaussianBlur(lamps, (0, 0), width / 350)
    picture = cv2.resize(picture, (full_width, full_height), interpolation=cv2.INTER_CUBIC)
    for cells, strength in ((5, 0.08), (17, 0.04), (160, 0.02)):
        patches = random.normal(1, strength, (cells * full_height // full_width + 1, cells)).astype(np.float32)
        picture *= cv2.resize(patches, (full_width, full_height), interpolation=cv2.INTER_CUBIC)[..., None]
    grain = cv2.GaussianBlur(random.standard_normal((full_height, full_width), np.float32), (0, 0), 0.9)
    return np.clip(picture + 6 * grain[..., None], 0, 255).astype(np.uint8)


class _Stage:
    """Draws the frames of one shot."""

    def __init__(self, shot: Shot, size: tuple[int, int]) -> None:
        self.shot, self.size = shot, size
        self.canvas = _background(shot.background, size)

    def frame(self, seconds: float) -> tuple[Picture, list[_Drawn]]:
        """The picture, (H, W, 3) BGR without noise, and its faces, `seconds` after the shot's start."""
        picture = self._background_at(seconds)
        faces: list[_Drawn] = []
        for number, layer in enumerate(self.shot.layers):
            sprite, face = self._actor_at(layer, number, seconds) if isinstance(layer, Actor) else (self._bar_at(layer, seconds), None)
            if sprite is None:
                continue
            at = sprite.rows, sprite.columns
            behind = cv2.multiply(picture[at], cv2.merge([sprite.kept] * 3), scale=1 / 255)
            picture[at] = cv2.add(behind, sprite.bgr)
            for hidden in faces:
                hidden.mask[at] = cv2.multiply(hidden.mask[at], sprite.kept, scale=1 / 255)
            if face is not None:
                faces.append(face)
        return picture, faces

    def _background_at(self, seconds: float) -> Picture:
        width, height = self.size
        # Back and forth within the canvas's margin, at a constant speed.
        margin = 0.12 * width
        way = abs((self.shot.pan * width * seconds + margin) % (4 * margin) - 2 * margin) - margin
        centre = (self.canvas.shape[1] / 2 + way, self.canvas.shape[0] / 2 + 0.2 * way)
        return cv2.getRectSubPix(self.canvas, (width, height), centre)

    def _actor_at(self, actor: Actor, number: int, seconds: float) -> tuple[_Sprite | None, _Drawn | None]:
        width, height = self.size
        pose, box, cut_outs = _pose_at(actor.poses, seconds), FACE_BOXES[actor.person], _cut_outs(actor.person)
        bob = actor.sway * pose.face_width * width
        centre_x = pose.x * width + bob * math.sin(2.1 * seconds + number)
        centre_y = pose.y * height + bob * math.sin(3.7 * seconds + 2 * number)
        turn = math.radians(pose.turn_degrees + 60 * actor.sway * math.sin(1.3 * seconds + number))
        scale = pose.face_width * width / box.width

        # Portrait to frame, both in continuous coordinates (pixel i covers i to i + 1).
        matrix = scale * np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        shift = (centre_x, centre_y) - matrix @ ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
        corners = np.array([(x, y) for x in (0, cut_outs[0].shape[1]) for y in (0, cut_outs[0].shape[0])]) @ matrix.T + shift
        left, top = np.clip(np.floor(corners.min(0)), 0, self.size).astype(int)
        right, bottom = np.clip(np.ceil(corners.max(0)), 0, self.size).astype(int)
        if left >= right or top >= bottom:
            return None, None

        level = min(max(int(math.log2(1 / scale)), 0), len(cut_outs) - 1)  # a smaller cut-out, so that a small face does not alias
        matrix_from_level = matrix * 2**level
        offset = shift + matrix_from_level @ (0.5, 0.5) - 0.5 - (left, top)  # OpenCV counts from pixels' centres
        warp = np.column_stack([matrix_from_level, offset])
        flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        bgra = cv2.warpAffine(cut_outs[level], warp, (int(right - left), int(bottom - top)), flags=flags)
        sprite = _Sprite(slice(top, bottom), slice(left, right), cv2.cvtColor(bgra, cv2.COLOR_BGRA2BGR), 255 - bgra[..., 3])

        half_width, half_height = scale * box.width / 2, scale * box.height / 2
        reach_x = math.hypot(half_width * math.cos(turn), half_height * math.sin(turn))
        reach_y = math.hypot(half_width * math.sin(turn), half_height * math.cos(turn))
        full_box = FaceBox(centre_x - reach_x, centre_y - reach_y, centre_x + reach_x, centre_y + reach_y)
        mask = np.zeros((height, width), np.uint8)
        ellipse = ((centre_x - 0.5, centre_y - 0.5), (2 * half_width, 2 * half_height), math.degrees(turn))
        cv2.ellipse(mask, ellipse, 255, -1, cv2.LINE_AA)
        if actor.turned and (hair := _hair_at(actor.turned, seconds)) < 1:
            # Hair comes over the face from one side, and goes away to the other.
            axes = (2.5 * half_width, 2.4 * half_height)
            middle = centre_x - 0.5 + hair * 2.6 * half_width, centre_y - 0.5 - 0.1 * half_height
            cv2.ellipse(mask, (middle, axes, math.degrees(turn)), 0, -1, cv2.LINE_AA)
            middle = middle[0] - float(left), middle[1] - float(top)
            cv2.ellipse(sprite.bgr, (middle, axes, math.degrees(turn)), (28, 36, 48), -1, cv2.LINE_AA)
            cv2.ellipse(sprite.kept, (middle, axes, math.degrees(turn)), 0, -1, cv2.LINE_AA)
        return sprite, _Drawn(actor.person, full_box, math.pi * half_width * half_height, mask)

    def _bar_at(self, bar: Bar, seconds: float) -> _Sprite | None:
        width, height = self.size
        start = bar.left + bar.speed * seconds
        left, right = (int(np.clip(round(edge * width), 0, width)) for edge in (start, start + bar.width))
        if left >= right:
            return None
        across = np.sin(np.linspace(0.15, 2.6, right - left))[None, :, None] * np.array([62, 84, 104])  # a round wooden post
        down = 1 + 0.06 * np.sin(np.arange(height) / height * 90 + 3 * np.sin(np.arange(height) / height * 17))[:, None, None]
        return _Sprite(slice(0, height), slice(left, right), (across * down).astype(np.uint8), np.zeros((height, right - left), np.uint8))


def _hair_at(turned: tuple[float, float], seconds: float) -> float:
    """Where the hair is, in widths from the middle of the face: 0 while it is turned away, 1 and more where it is seen."""
    return max(turned[0] + _TURNING_SECONDS - seconds, 0, seconds - turned[1] + _TURNING_SECONDS) / _TURNING_SECONDS


def _pose_at(poses: tuple[Pose, ...], seconds: float) -> Pose:
    if len(poses) == 1:
        return poses[0]
    times = [pose.seconds for pose in poses]
    return Pose(seconds, *PchipInterpolator(times, [pose[1:] for pose in poses])(min(max(seconds, times[0]), times[-1])))


class _Part(NamedTuple):
    """What a shot gives to a frame."""

    shot: int
    seconds: float
    opacity: float


@dataclass
class _Timeline:
    """Which shots are seen in which frame, and how strongly."""

    frames: list[list[_Part]] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    gradual: list[Gradual] = field(default_factory=list)

    @classmethod
    def of(cls, script: Script, frame_rate: Fraction) -> _Timeline:
        line = cls()
        for number, shot in enumerate(script.shots):
            parts = [_Part(number, float(i / frame_rate), 1.0) for i in range(round(shot.seconds * frame_rate))]
            start, changed = len(line.frames), round(shot.enter_seconds * frame_rate)
            if shot.enter == "crossfade":
                start -= changed
                line.gradual.append(Gradual(start, start + changed - 1, "crossfade"))
                for i in range(changed):
                    share = (i + 1) / (changed + 1)
                    line.frames[start + i] = [line.frames[start + i][0]._replace(opacity=1 - share), parts[i]._replace(opacity=share)]
                parts = parts[changed:]
            elif shot.enter == "fade":
                half = changed // 2
                line.gradual.append(Gradual(start - half, start + half - 1, "fade"))
                for i in range(half):
                    share = (i + 1) / (half + 1)
                    line.frames[start - 1 - i] = [line.frames[start - 1 - i][0]._replace(opacity=share)]
                    parts[i] = parts[i]._replace(opacity=share)
            elif number:
                line.cuts.append(start)
            line.frames += [[part] for part in parts]
        return line


def _true_face(drawn: _Drawn, opacity: float, size: tuple[int, int]) -> TrueFace | None:
    full = drawn.full_box
    box = FaceBox(max(full.left, 0.0), max(full.top, 0.0), min(full.right, float(size[0])), min(full.bottom, float(size[1])))
    share = min(cv2.sumElems(drawn.mask)[0] / 255 / drawn.area, 1.0)
    if share < 0.005 or box.width < 1 or box.height < 1:
        return None
    return TrueFace(drawn.person, box, full, share, opacity)


def _pictures(script: Script, timeline: _Timeline, size: tuple[int, int]) -> Iterator[tuple[Picture, tuple[TrueFace, ...]]]:
    random = np.random.default_rng(script.seed)
    noise = np.clip(128 + NOISE_LEVELS * random.standard_normal((size[1] + 64, size[0] + 64, 3), np.float32), 0, 255).astype(np.uint8)
    stages = [_Stage(shot, size) for shot in script.shots]
    for parts in timeline.frames:
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        faces: list[TrueFace | None] = []
        for part in parts:
            seen, drawn = stages[part.shot].frame(part.seconds)
            picture = seen if part.opacity == 1 else cv2.addWeighted(picture, 1, seen, part.opacity, 0)
            faces += [_true_face(face, part.opacity, size) for face in drawn]
        x, y = random.integers(0, 64, 2)
        picture = cv2.addWeighted(picture, 1, noise[y : y + size[1], x : x + size[0]], 1, -128)
        yield picture, tuple(face for face in faces if face is not None)


def _tone(first: int, last: int) -> npt.NDArray[np.float32]:
    """(1, N): samples first to last of a quiet tune, a note every half second."""
    seconds = np.arange(first, last) / SAMPLE_RATE
    note = np.array([0, 4, 7, 12, 7, 4])[(seconds * 2).astype(int) % 6]
    return (0.12 * np.sin(2 * np.pi * 220 * 2 ** (note / 12) * seconds) * np.exp(-3 * (seconds % 0.5))).astype(np.float32)[None]


def draw_clip(
    script: Script, path: Path, *, size: tuple[int, int] = (1280, 720), frame_rate: Fraction = Fraction(30), audio: bool = True
) -> Truth:
    """Write the clip as H.264 and AAC in MP4 and say what is in it; the same arguments give the same file.

    size: width, height in pixels, both even.
    """
    timeline = _Timeline.of(script, frame_rate)
    faces = []
    with av.open(str(path), "w", format="mp4") as container:
        # x264's result depends on the number of threads; its macroblock tree, with AVX-512, differs from run to run at some widths (320).
        options = {"preset": "superfast", "crf": "20", "threads": "2", "x264-params": "mbtree=0"}
        video = container.add_stream("libx264", rate=frame_rate, options=options)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        context = video.codec_context
        context.color_primaries = context.color_trc = context.colorspace = 1  # BT.709
        context.color_range = 1  # limited
        sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="mono") if audio else None
        samples = [round(i * SAMPLE_RATE / frame_rate) for i in range(len(timeline.frames) + 1)]
        for index, (picture, seen) in enumerate(_pictures(script, timeline, size)):
            faces.append(seen)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            frame.pts, frame.time_base = index, 1 / frame_rate
            container.mux(video.encode(frame))
            if sound is not None:
                chunk = av.AudioFrame.from_ndarray(_tone(samples[index], samples[index + 1]), format="fltp", layout="mono")
                chunk.sample_rate, chunk.pts, chunk.time_base = SAMPLE_RATE, samples[index], Fraction(1, SAMPLE_RATE)
                container.mux(sound.encode(chunk))
        container.mux(video.encode(None))
        if sound is not None:
            container.mux(sound.encode(None))
    return Truth(size, frame_rate, tuple(faces), tuple(timeline.cuts), tuple(timeline.gradual))


@dataclass(frozen=True, slots=True)
class Clip:
    """A drawn folder: video.mp4, gt.jsonl, cuts.json, refs/collins.jpg, refs/hopper.jpg."""

    folder: Path
    truth: Truth

    @property
    def video(self) -> Path:
        return self.folder / "video.mp4"

    def photo(self, person: Person) -> Path:
        return self.folder / "refs" / f"{person}.jpg"


def draw_folder(
    script: Script, folder: Path, *, size: tuple[int, int] = (1280, 720), frame_rate: Fraction = Fraction(30), audio: bool = True
) -> Clip:
    """Write the clip with its truth and a photo of each person, in the layout of the labelled clips."""
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    clip = Clip(folder, draw_clip(script, folder / "video.mp4", size=size, frame_rate=frame_rate, audio=audio))
    clip.truth.write(folder)
    for person in FACE_BOXES:
        cv2.imwrite(str(clip.photo(person)), reference_photo(person), [cv2.IMWRITE_JPEG_QUALITY, 92])
    return clip


# The scripts -----------------------------------------------------------------------------------------------------------------


def demo_script() -> Script:
    """Two people move, cross, leave the frame and return; a cut, and again in another place."""
    collins_passes = (
        Pose(0, 0.24, 0.43, 0.105),
        Pose(1.2, 0.28, 0.43, 0.105),
        Pose(3.4, 0.74, 0.42, 0.107, 3),
        Pose(5.2, 0.70, 0.43, 0.107),
        Pose(7.5, 0.56, 0.43, 0.108, -3),
    )
    hopper_leaves = (
        Pose(0, 0.76, 0.56, 0.135),
        Pose(1.0, 0.72, 0.56, 0.135, -3),
        Pose(3.2, 0.26, 0.56, 0.137),
        Pose(3.8, 0.22, 0.56, 0.137),
        Pose(4.8, -0.32, 0.57, 0.137, -6),
        Pose(5.3, -0.32, 0.57, 0.137),
        Pose(6.6, 0.22, 0.56, 0.137, 4),
        Pose(7.5, 0.24, 0.56, 0.137),
    )
    hopper_nears = (
        Pose(0, 0.66, 0.58, 0.130),
        Pose(2.0, 0.62, 0.58, 0.132, 3),
        Pose(4.4, 0.30, 0.57, 0.150, -2),
        Pose(6.5, 0.28, 0.57, 0.152),
    )
    collins_leaves = (
        Pose(0, 0.30, 0.40, 0.100),
        Pose(0.8, 0.26, 0.40, 0.100, -3),
        Pose(1.8, -0.32, 0.42, 0.102, -5),
        Pose(2.3, -0.32, 0.42, 0.102),
        Pose(4.6, 0.66, 0.42, 0.115, 3),
        Pose(6.5, 0.70, 0.42, 0.116),
    )
    first = Shot(7.5, background=6, layers=(Actor("collins", collins_passes), Actor("hopper", hopper_leaves)))
    second = Shot(6.5, background=3, layers=(Actor("hopper", hopper_nears), Actor("collins", collins_leaves)))
    return Script((first, second))


def two_people_script() -> Script:
    """4 s: both people, Hopper leaves and returns, a cut, both again with the places changed."""
    hopper_leaves = (
        Pose(0, 0.26, 0.56, 0.14),
        Pose(0.9, -0.30, 0.57, 0.14),
        Pose(1.2, -0.30, 0.57, 0.14),
        Pose(2.1, 0.26, 0.56, 0.14, 3),
    )
    collins = Actor("collins", (Pose(0, 0.66, 0.43, 0.11), Pose(2.6, 0.74, 0.43, 0.11, 3)))
    first = Shot(2.6, background=6, layers=(collins, Actor("hopper", hopper_leaves)))
    collins = Actor("collins", (Pose(0, 0.28, 0.43, 0.105), Pose(1.4, 0.36, 0.43, 0.105)))
    second = Shot(1.4, background=3, layers=(collins, Actor("hopper", (Pose(0, 0.70, 0.57, 0.135),))))
    return Script((first, second))


def no_faces_script() -> Script:
    return Script((Shot(1.0, background=6), Shot(1.0, background=3, layers=(Bar(0.1, 0.08, speed=0.3),))))


def cuts_script() -> Script:
    """Nine shots: six cuts, a crossfade and a fade; a person in every other shot, so that a cut may also keep the face's place."""
    still = Actor("collins", (Pose(0, 0.5, 0.42, 0.11),))
    shots = [Shot(0.8, background=seed, layers=(still,) if seed % 2 else ()) for seed in range(20, 27)]
    shots.append(Shot(1.2, background=27, layers=(still,), enter="crossfade", enter_seconds=0.5))
    shots.append(Shot(1.2, background=28, enter="fade", enter_seconds=0.8))
    return Script(tuple(shots))


def edges_script() -> Script:
    """Hopper comes in at each edge, stays, and leaves at the same one; Collins is there all the time."""
    outside = ((-0.3, 0.5), (1.3, 0.5), (0.3, -0.6), (0.3, 1.4))
    still = Actor("collins", (Pose(0, 0.72, 0.40, 0.1),))

    def visit(x: float, y: float) -> Actor:
        inside = min(max(x, 0.15), 0.35), 0.5
        stops = ((0, (x, y)), (0.3, (x, y)), (1.1, inside), (1.5, inside), (2.3, (x, y)))
        return Actor("hopper", tuple(Pose(seconds, *centre, 0.12) for seconds, centre in stops))

    return Script(tuple(Shot(2.6, background=30 + i, layers=(still, visit(*at))) for i, at in enumerate(outside)))


def bar_script() -> Script:
    """Collins walks behind a post that hides her whole face for a moment; Hopper stands before it."""
    walk = Actor("collins", (Pose(0, 0.15, 0.40, 0.08), Pose(4, 0.85, 0.40, 0.08)))
    return Script((Shot(4.0, background=40, layers=(walk, Bar(0.44, 0.1), Actor("hopper", (Pose(0, 0.8, 0.62, 0.12),)))),))


def growing_script() -> Script:
    """Hopper comes nearer, from a twenty-fifth to a third of the frame's width."""
    return Script((Shot(4.0, background=41, layers=(Actor("hopper", (Pose(0, 0.5, 0.5, 0.04), Pose(4, 0.5, 0.5, 0.33))),)),))


def small_faces_script() -> Script:
    """Both people far away: faces of 25 to 40 pixels at 1280."""
    collins = Actor("collins", (Pose(0, 0.3, 0.5, 0.020), Pose(4, 0.45, 0.5, 0.024)))
    hopper = Actor("hopper", (Pose(0, 0.7, 0.5, 0.030), Pose(4, 0.60, 0.5, 0.030)))
    return Script((Shot(4.0, background=42, layers=(collins, hopper)),))


def talking_head_script(seconds: float = 60.0) -> Script:
    """One shot of any length in which little happens."""
    return Script((Shot(seconds, background=43, layers=(Actor("collins", (Pose(0, 0.5, 0.4, 0.13),), sway=0.05),), pan=0.002),))


def many_shots_script(num_cuts: int = 60, num_fades: int = 40, seconds: float = 300.0) -> Script:
    """Shots of about the same length in any order of transitions: fades of 4 to 40 frames at 30 frames/s, half of them through black.

    Somebody is in most shots, near or far, still or on her way; every third shot goes back to an earlier place.
    """
    random = np.random.default_rng(7)
    entries = random.permutation(np.arange(num_cuts + num_fades) < num_fades)
    lengths = random.permutation(np.linspace(4, 40, num_fades).round() // 2 * 2) / 30
    shots = [Shot(seconds / (len(entries) + 1), background=100, layers=(Actor("collins", (Pose(0, 0.5, 0.42, 0.11),)),))]
    fade = 0
    for number, is_fade in enumerate(entries, 1):
        person: Person = "collins" if random.random() < 0.5 else "hopper"
        x, y, width = random.uniform(0.25, 0.75), random.uniform(0.4, 0.55), random.uniform(0.06, 0.16)
        actor = Actor(person, (Pose(0, x, y, width), Pose(3, x + random.uniform(-0.2, 0.2), y, width)), sway=0.05)
        background = 100 + (number - 2 if number % 3 == 0 else number)
        shown = seconds / (len(entries) + 1) + random.uniform(-0.6, 0.6)
        shot = Shot(shown, background, (actor,) if random.random() < 0.8 else (), pan=random.choice([0.0, 0.012, 0.05]))
        if is_fade:
            shot = replace(shot, enter="fade" if fade % 2 else "crossfade", enter_seconds=float(lengths[fade]))
            fade += 1
        shots.append(shot)
    return Script(tuple(shots))


def visits_script() -> Script:
    """Hopper looks in for a few frames at a time, from an edge or from behind a post, fast; Collins stays and shakes her head."""
    shakes = tuple(Pose(i / 6, 0.75 + 0.012 * (i % 2), 0.40, 0.10) for i in range(61))
    still = Actor("collins", shakes)

    def visit(at: float, x: float, y: float, frames: float) -> Actor:
        inside = min(max(x, 0.1), 0.9), min(max(y, 0.2), 0.8)
        stops = ((at - frames / 60 - 0.2, (x, y)), (at - frames / 60, inside), (at + frames / 60, inside), (at + frames / 60 + 0.2, (x, y)))
        return Actor("hopper", tuple(Pose(seconds, *centre, 0.07) for seconds, centre in stops), sway=0)

    visits = [
        visit(1.13 + 1.31 * i, x, y, frames)
        for i, (x, y, frames) in enumerate(
            ((-0.3, 0.5, 2), (1.3, 0.6, 4), (0.3, -0.4, 6), (0.4, 1.5, 8), (-0.3, 0.4, 10), (0.2, 1.5, 3), (-0.3, 0.6, 5))
        )
    ]
    return Script((Shot(10.0, background=44, layers=(*visits, still)),))


def run_script() -> Script:
    """Hopper runs through the picture and back, Collins jumps up and down."""
    runs = Actor(
        "hopper",
        (
            Pose(0, -0.2, 0.5, 0.08),
            Pose(0.6, 1.2, 0.5, 0.08),
            Pose(1.4, 1.2, 0.45, 0.09),
            Pose(2.2, -0.2, 0.45, 0.09),
            Pose(4, -0.2, 0.4, 0.08),
        ),
    )
    jumps = Actor("collins", tuple(Pose(i / 5, 0.6, 0.3 + 0.2 * (i % 2), 0.09) for i in range(21)))
    return Script((Shot(4.0, background=45, layers=(runs, jumps), pan=0.1),))


SCRIPTS: dict[str, Callable[[], Script]] = {
    "demo": demo_script,
    "two_people": two_people_script,
    "no_faces": no_faces_script,
    "cuts": cuts_script,
    "edges": edges_script,
    "bar": bar_script,
    "growing": growing_script,
    "small_faces": small_faces_script,
    "talking_head": talking_head_script,
    "many_shots": many_shots_script,
    "visits": visits_script,
    "run": run_script,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.clips", description="Draw a labelled clip, 1280x720 at 30 frames/s.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("script", nargs="?", default="demo", choices=SCRIPTS)
    arguments = parser.parse_args()
    print(draw_folder(SCRIPTS[arguments.script](), arguments.folder).video)
