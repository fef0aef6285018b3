"""The drawn clips are what their truth says: every expectation in other tests rests on it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.clips import (
    FACE_BOXES,
    SCRIPTS,
    Actor,
    Bar,
    Clip,
    Pose,
    Script,
    Shot,
    Truth,
    bar_script,
    draw_clip,
    edges_script,
    growing_script,
    portrait,
    reference_photo,
)

TINY = (320, 180)
RATE = Fraction(10)


def people(truth: Truth, index: int) -> set[str]:
    return {face.person for face in truth.faces[index]}


def test_frames_rate_and_sound_are_as_asked(two_people_clip: Clip) -> None:
    with av.open(str(two_people_clip.video)) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        frames = list(container.decode(video))
        assert (video.width, video.height) == two_people_clip.truth.size
        assert video.average_rate == two_people_clip.truth.frame_rate
        assert len(frames) == len(two_people_clip.truth.faces)
        assert [frame.pts * video.time_base * video.average_rate for frame in frames] == list(range(len(frames)))
        assert float(sound.duration * sound.time_base) == pytest.approx(float(len(frames) / video.average_rate), abs=0.05)
        container.seek(0)
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(sound)], axis=1)
    assert samples.std() > 0.01, "silent"


def test_audio_may_be_left_out(tmp_path: Path) -> None:
    draw_clip(Script((Shot(0.2, background=1),)), tmp_path / "clip.mp4", size=TINY, audio=False)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert not container.streams.audio


def test_two_people_clip_tells_its_story(two_people_clip: Clip) -> None:
    truth = two_people_clip.truth
    hopper_seen = ["hopper" in people(truth, index) for index in range(truth.cuts[0])]
    changes = [index for index in range(1, len(hopper_seen)) if hopper_seen[index] != hopper_seen[index - 1]]
    assert len(changes) == 2, "Hopper leaves once and returns once"
    assert hopper_seen[0]
    assert all("collins" in people(truth, index) for index in range(len(truth.faces)))


def test_no_faces_clip_has_none(no_faces_clip: Clip) -> None:
    assert not any(no_faces_clip.truth.faces)


def test_pictures_change_at_the_cuts_only(cut_clip: Clip) -> None:
    with av.open(str(cut_clip.video)) as container:
        thumbnails = [frame.reformat(64, 36, "gray").to_ndarray().astype(float) for frame in container.decode(video=0)]
    jumps = np.abs(np.diff(thumbnails, axis=0)).mean((1, 2))
    cuts = [index - 1 for index in cut_clip.truth.cuts]
    assert len(cuts) == 6
    assert {g.kind for g in cut_clip.truth.gradual} == {"crossfade", "fade"}
    still = set(range(len(jumps))) - set(cuts)
    for gradual in cut_clip.truth.gradual:
        still -= set(range(gradual.first - 1, gradual.last + 1))
    assert min(jumps[cuts]) > 4 * max(jumps[sorted(still)])


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (edges_script(), "in and out at every edge"),
        (bar_script(), "a face wholly hidden"),
        (growing_script(), "sizes from 13 to 106 pixels"),
    ],
)
def test_boxes_lie_within_the_frame(script: Script, reason: str, tmp_path: Path) -> None:
    truth = draw_clip(script, tmp_path / "clip.mp4", size=TINY, frame_rate=RATE, audio=False)
    faces = [face for seen in truth.faces for face in seen]
    assert faces, reason
    for face in faces:
        box, full = face.box, face.full_box
        assert 0 <= box.left < box.right <= TINY[0], reason
        assert 0 <= box.top < box.bottom <= TINY[1], reason
        assert full.left <= box.left < box.right <= full.right, reason
        assert 0 < face.visible_share <= 1, reason
        inside = box.width * box.height / (full.width * full.height)
        assert face.visible_share <= inside + 0.25, reason  # an ellipse's middle holds more of it than the box's middle holds of the box


def test_edges_are_crossed_at_each_side(tmp_path: Path) -> None:
    truth = draw_clip(edges_script(), tmp_path / "clip.mp4", size=TINY, frame_rate=RATE, audio=False)
    touched = set()
    for seen in truth.faces:
        for face in seen:
            box, full = face.box, face.full_box
            edges = {
                "left": full.left < box.left,
                "right": full.right > box.right,
                "top": full.top < box.top,
                "bottom": full.bottom > box.bottom,
            }
            touched |= {edge for edge, over in edges.items() if over and face.person == "hopper"}
    assert touched == {"left", "right", "top", "bottom"}


@pytest.mark.parametrize(
    ("layers", "share"),
    [
        ((Actor("collins", (Pose(0, 0.5, 0.5, 0.2),), sway=0),), 1.0),  # nothing before it
        ((Actor("collins", (Pose(0, 0.0, 0.5, 0.2),), sway=0),), 0.5),  # half outside
        ((Actor("collins", (Pose(0, 0.5, 0.5, 0.2),), sway=0), Bar(0.5, 0.3)), 0.5),  # half behind a post
        ((Bar(0.5, 0.3), Actor("collins", (Pose(0, 0.5, 0.5, 0.2),), sway=0)), 1.0),  # before the post
        ((Actor("collins", (Pose(0, 0.5, 0.5, 0.2),), sway=0), Bar(0.3, 0.4)), None),  # wholly behind it: not in the truth
        ((Actor("collins", (Pose(0, 0.5, 0.5, 0.1),), sway=0), Actor("hopper", (Pose(0, 0.5, 0.5, 0.2),), sway=0)), None),  # behind a face
    ],
)
def test_visible_share_is_what_geometry_says(layers: tuple[Actor | Bar, ...], share: float | None, tmp_path: Path) -> None:
    truth = draw_clip(Script((Shot(0.2, background=1, layers=layers),)), tmp_path / "clip.mp4", size=TINY, audio=False)
    shares = [face.visible_share for face in truth.faces[0] if face.person == "collins"]
    assert shares == ([] if share is None else [pytest.approx(share, abs=0.02)])


def test_a_face_is_drawn_where_the_truth_says(tmp_path: Path) -> None:
    layers = (Actor("hopper", (Pose(0, 0.4, 0.55, 0.2),), sway=0),)
    truth = draw_clip(Script((Shot(0.1, background=1, layers=layers),)), tmp_path / "clip.mp4", size=(640, 360), audio=False)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    box, whole = truth.faces[0][0].box, FACE_BOXES["hopper"]
    scale = box.width / whole.width
    face = cv2.resize(portrait("hopper"), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    left, top = round(whole.left * scale), round(whole.top * scale)
    face = face[top + 15 : top + 125, left + 20 : left + 108]  # nothing of the background
    match = cv2.minMaxLoc(cv2.matchTemplate(picture, face, cv2.TM_CCOEFF_NORMED))
    assert match[1] > 0.95
    assert match[3] == (pytest.approx(box.left + 20, abs=1.5), pytest.approx(box.top + 15, abs=1.5))


def test_crossfade_shows_both_shots_and_says_how_strongly(cut_clip: Clip) -> None:
    crossfade = next(g for g in cut_clip.truth.gradual if g.kind == "crossfade")
    opacities = [cut_clip.truth.faces[index][0].opacity for index in range(crossfade.first, crossfade.last + 1)]
    assert opacities == sorted(opacities)
    assert 0 < opacities[0] < 0.15
    assert cut_clip.truth.faces[crossfade.last + 1][0].opacity == 1


def test_folder_is_what_the_benchmarks_read(two_people_clip: Clip) -> None:
    rows = [json.loads(line) for line in (two_people_clip.folder / "gt.jsonl").read_text().splitlines()]
    cuts = json.loads((two_people_clip.folder / "cuts.json").read_text())
    assert [row["frame"] for row in rows] == list(range(len(two_people_clip.truth.faces)))
    assert set(rows[0]["faces"][0]) >= {"person", "box", "full_box", "vis", "alpha"}
    assert cuts == {"cuts": [62], "gradual": [], "flash_frames_not_cuts": [], "frames": len(rows)}
    for person in FACE_BOXES:
        assert cv2.imread(str(two_people_clip.photo(person))).shape == reference_photo(person).shape


def test_drawing_twice_gives_the_same_file(tmp_path: Path) -> None:
    shot = SCRIPTS["two_people"]().shots[0]
    script = Script((replace(shot, seconds=0.5),))
    for name in ("a.mp4", "b.mp4"):
        draw_clip(script, tmp_path / name, size=TINY)
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("a.mp4", "b.mp4")}
    assert len(digests) == 1
