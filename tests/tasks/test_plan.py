"""Settings: every mistake is answered with what would have been right."""

from __future__ import annotations

import math

import pytest

from tasks.blurs.ways import Pixelate, Solid
from tasks.detectors.retinaface import RetinaFace
from tasks.detectors.yunet import YuNet
from tasks.errors import BadSetting
from tasks.method import FOR_A_KEY
from tasks.models.runtime import Runtime
from tasks.models.weights import find_model
from tasks.plan import FindFaces, Plan, load_values, make_plan
from tasks.presets import PRESETS
from tasks.recognisers.deepface import Facenet512
from tasks.recognisers.none import NoRecogniser

PHOTOS = {"method": "known_faces", "photos": ["anna.jpg"]}
PICKS = {"method": "time_and_place", "picks": [{"frame": 3, "x": 1, "y": 2}]}


def test_nothing_said_is_the_default() -> None:
    assert make_plan({}) == Plan()


def test_a_plan_survives_its_own_values() -> None:
    assert make_plan(Plan().model_dump(mode="json")) == Plan()


WRONG = [
    # a misspelt name, with the right ones
    ({"blur_facez": {}}, ["blur_facez", "no setting", "blur_faces", "find_shots"]),
    ({"blur_faces": {"blurr": {}}}, ["blur_faces.blurr", "no setting", "blur, copy_untouched, decoder, encoder"]),
    ({"blur_faces": {"blur": {"tilez": 3}}}, ["tilez", "no setting", "expand, method, shape, tiles"]),  # within the default method
    ({"blur_faces": {"blur": {"method": "solid", "tiles": 3}}}, ["tiles", "no setting", "expand, lightness, method"]),  # of another method
    ({"build_tracks": {"linker": {"gaet": 1}}}, ["gaet", "appearance_weight, gate"]),  # within another stage
    pytest.param(
        {"choose_people": {"policy": "keep_only", "selectors": [PHOTOS | {"mach": 0.4}]}},
        ["mach", "method, names, photos, then"],
    ),
    ({"build_tracks": {"linker": {"method": "sort"}}}, ["'sort'", "assignment, iou, thesis"]),
    # an unknown method, with the list
    ({"blur_faces": {"blur": {"method": "sold"}}}, ["'sold'", "pixelate, round, square, solid"]),
    ({"find_shots": {"finder": {"method": "?"}}}, ["find_shots.finder.method", "transnetv2, content, none"]),
    ({"choose_people": {"policy": "keep_only", "selectors": [{"method": "faces"}]}}, ["'faces'", "known_faces, time_and_place"]),
    ({"find_faces": {"detector": {"method": "retina"}}}, ["find_faces.detector.method", "centerface, yunet", "'retina'"]),
    ({"find_faces": {"detector": {"method": "deepface", "backend": "yolo"}}}, ["backend", "'yolov8n'", "'yolo'"]),
    ({"find_faces": {"runtime": {"provider": "gpu"}}}, ["find_faces.runtime.provider", "'auto', 'cpu', 'cuda'", "'gpu'"]),
    ({"preset": "thesis"}, ["preset", "'fast', 'balanced', 'best', 'thesis_deepface'", "'thesis'"]),
    ({"preset": ["fast"]}, ["preset", "'fast', 'balanced'"]),
    # types
    ({"segment_seconds": "long"}, ["segment_seconds", "number", "'long'"]),
    ({"blur_faces": {"blur": {"tiles": 2.5}}}, ["tiles", "integer", "2.5"]),
    ({"blur_faces": {"blur": "solid"}}, ["blur_faces.blur", "'solid'"]),  # the method is a setting of the blur, not the blur
    ({"choose_people": 5}, ["choose_people", "5"]),
    ({"choose_people": {"policy": "hide"}}, ["policy", "'keep_only' or 'ask'", "'hide'"]),
    # bounds
    ({"blur_faces": {"blur": {"tiles": 9}}}, ["pixelate", "at most 8", "9"]),  # more would let a face be recognised
    ({"blur_faces": {"blur": {"method": "round", "strength": 0.05}}}, ["strength", "0.12", "0.05"]),
    ({"build_tracks": {"lead_seconds": -1}}, ["lead_seconds", "greater than or equal to 0", "-1"]),
    ({"build_tracks": {"lead_seconds": math.nan}}, ["lead_seconds", "nan"]),
    pytest.param(
        {"segment_seconds": math.inf},
        ["segment_seconds", "inf"],
    ),
    # somebody, or nobody
    ({"choose_people": {"policy": "keep_only"}}, ["keep_only", "needs somebody"]),
    ({"choose_people": {"policy": "blur_only"}}, ["blur_only", "needs somebody"]),
    ({"choose_people": {"selectors": [PHOTOS]}}, ["blur_everyone", "blur_only or keep_only"]),
    ({"choose_people": {"policy": "keep_only", "selectors": [PHOTOS | {"photos": []}]}}, ["photos"]),
    ({"choose_people": {"policy": "keep_only", "selectors": [PICKS | {"picks": []}]}}, ["picks"]),
    ({"choose_people": {"policy": "keep_only", "selectors": [PICKS | {"picks": [{"x": 1, "y": 2}]}]}}, ["frame or seconds"]),
    # two thresholds, in order
]


@pytest.mark.parametrize(("values", "words"), WRONG)
def test_a_mistake_is_explained(values, words) -> None:
    with pytest.raises(BadSetting) as caught:
        make_plan(values)
    message = str(caught.value)
    assert all(word in message for word in words), message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("blur", "expected"),
    [
        ({"tiles": 4}, Pixelate(tiles=4)),  # without a method: the default's settings
        ({"method": "pixelate", "tiles": 4}, Pixelate(tiles=4)),
        ({"expand": 0.5}, Pixelate(expand=0.5)),
        ({"method": "solid"}, Solid()),  # another method: its own defaults
        ({"method": "solid", "lightness": 1}, Solid(lightness=1)),
    ],
)
def test_what_is_left_out_has_its_default(blur, expected) -> None:
    plan = make_plan({"blur_faces": {"blur": blur}})
    assert plan.blur_faces.blur == expected
    assert plan.model_copy(update={"blur_faces": Plan().blur_faces}) == Plan()


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_in_what_is_not_said(name) -> None:
    given = PRESETS[name].get("find_faces", {})
    for plan in (make_plan({"preset": name}), Plan(preset=name)):  # the command's way, and that of a form or of code
        chosen = plan.find_faces.model_dump()
        assert all(chosen[part][key] == value for part, values in given.items() for key, value in values.items())
        assert Plan.model_validate_json(plan.model_dump_json()) == plan
        assert make_plan(plan.model_dump()) == plan


@pytest.mark.parametrize(
    ("said", "detector", "recogniser"),
    [
        ({"detector": {"min_score": 0.7}}, RetinaFace(max_long_side_pixels=1280, min_score=0.7), Facenet512()),  # of the preset's detector
        ({"detector": {"method": "yunet"}}, YuNet(), Facenet512()),  # another one instead of the preset's
        ({"recogniser": {"method": "none"}}, RetinaFace(max_long_side_pixels=1280), NoRecogniser()),
        ({"sampler": {"method": "every_frame"}}, RetinaFace(max_long_side_pixels=1280), Facenet512()),
    ],
)
def test_what_is_said_wins_over_the_preset(said, detector, recogniser) -> None:
    for plan in (make_plan({"preset": "best", "find_faces": said}), Plan.model_validate({"preset": "best", "find_faces": said})):
        assert (plan.find_faces.detector, plan.find_faces.recogniser) == (detector, recogniser)


def test_the_default_preset_is_the_default() -> None:
    assert make_plan({"preset": "balanced"}) == Plan()


RESTRICTED = [
    ({"detector": {"method": "deepface", "backend": "yolov8n"}}, "yolov8n.*AGPL-3.0.*allow_non_commercial"),
    ({"detector": {"method": "deepface", "backend": "yolov12l"}}, "yolov12l.*AGPL-3.0.*allow_non_commercial"),
]


@pytest.mark.parametrize(("said", "message"), RESTRICTED)
def test_a_model_that_is_not_for_commercial_use_has_to_be_allowed(said, message) -> None:
    with pytest.raises(BadSetting, match=message):
        make_plan({"find_faces": said})
    with pytest.raises(BadSetting, match=message):
        Plan.model_validate({"find_faces": said})
    plan = make_plan({"find_faces": said, "allow_non_commercial": True})
    assert plan.find_faces.detector.backend == said["detector"]["backend"]


def test_no_preset_needs_that() -> None:
    assert all(find_model(model).commercial for name in PRESETS for model in make_plan({"preset": name}).find_faces.models)


def test_what_changes_no_result_changes_no_key() -> None:
    plain = Plan().model_dump(context=FOR_A_KEY)
    runtime = Runtime(threads=3, allow_fallback=True)
    same = Plan(preset="balanced", allow_non_commercial=True, allow_downloads=True, find_faces=FindFaces(runtime=runtime))
    assert same.model_dump(context=FOR_A_KEY) == plain
    for runtime in (Runtime(provider="cpu"), Runtime(half_precision=True)):  # these round differently
        assert Plan(find_faces=FindFaces(runtime=runtime)).model_dump(context=FOR_A_KEY) != plain


def test_people_on_photos_are_found_in_the_plan() -> None:
    assert make_plan({"choose_people": {"policy": "blur_only", "selectors": [PICKS, PHOTOS]}}).choose_people.photos == ("anna.jpg",)


TOML = """
segment_seconds = 60
[blur_faces.blur]
method = "solid"
"""


def test_a_file_and_words_after_it(tmp_path) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(TOML)
    assert load_values(path) == {"segment_seconds": 60, "blur_faces": {"blur": {"method": "solid"}}}
    assert load_values(path, ["segment_seconds=30"])["segment_seconds"] == 30


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("blur_faces.blur.method=solid", {"blur_faces": {"blur": {"method": "solid"}}}),  # a bare word is a text
        ('blur_faces.blur.method="solid"', {"blur_faces": {"blur": {"method": "solid"}}}),
        ("segment_seconds=1.5", {"segment_seconds": 1.5}),
        (" segment_seconds = 7 ", {"segment_seconds": 7}),
        ("a=", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a=true", {"a": True}),
        ('a=["x", "y"]', {"a": ["x", "y"]}),
    ],
)
def test_a_word_is_read_as_toml(assignment, expected) -> None:
    assert load_values(None, [assignment]) == expected


def test_the_last_word_wins() -> None:
    assert load_values(None, ["a.b=1", "a.c=2", "a.b=3"]) == {"a": {"b": 3, "c": 2}}


@pytest.mark.parametrize(
    ("assignments", "words"),
    [
        (["segment_seconds"], ["no value", "STAGE.NAME=VALUE"]),
        (["segment_seconds=3", "segment_seconds.x=3"], ["segment_seconds", "is a value"]),
    ],
)
def test_a_word_that_cannot_be_read(assignments, words) -> None:
    with pytest.raises(BadSetting) as caught:
        load_values(None, assignments)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"segment_seconds = ", "not TOML"),
        (b"\xff\xfe\x00", "not TOML"),  # no text at all
        (None, "cannot be read"),  # not there
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, content, word) -> None:
    path = tmp_path / "plan.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadSetting, match=word) as caught:
        load_values(path)
    assert str(path) in str(caught.value)
