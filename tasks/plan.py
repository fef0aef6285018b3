"""The plan: every setting of every stage.

One union a stage is at once the registry of its ways, the validation, the form in Prefect's UI and a part of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, FieldSerializationInfo, ValidationError, field_serializer, model_validator

from tasks.blurs.ways import NoBlur, Pixelate, Round, Solid, Square
from tasks.detectors.centerface import CenterFace
from tasks.detectors.deepface import DeepFaceDetector
from tasks.detectors.dlib_family import DlibCnn, DlibHog
from tasks.detectors.haar import Haar
from tasks.detectors.mtcnn import Mtcnn
from tasks.detectors.retinaface import RetinaFace
from tasks.detectors.yuface import YuFace
from tasks.detectors.yunet import YuNet
from tasks.errors import BadSetting
from tasks.false_positives import FalsePositives, Ignored
from tasks.finder import Finder
from tasks.interpolators.scipy_family import CubicSpline, Linear, Nearest, Pchip, Polynomial
from tasks.linkers.assignment import Assignment
from tasks.linkers.iou import Iou
from tasks.linkers.thesis import Thesis
from tasks.method import FOR_A_KEY, Settings
from tasks.models.runtime import Runtime
from tasks.models.session import num_at_once
from tasks.models.weights import find_model
from tasks.moments import Moment
from tasks.named_people import EditPeople
from tasks.presets import PRESETS, Preset
from tasks.recognisers.deepface import ArcFace, Facenet, Facenet512, GhostFaceNet, OpenFace, SFace
from tasks.recognisers.dlib import DlibResNet
from tasks.recognisers.faceres import Faceres
from tasks.recognisers.hse_resnet50 import HseResNet50
from tasks.recognisers.none import NoRecogniser
from tasks.runners import Runner, Threads
from tasks.samplers.dynamic import Dynamic
from tasks.samplers.dynamic_thesis import DynamicThesis
from tasks.samplers.every_frame import EveryFrame
from tasks.selectors.everyone import Everyone
from tasks.selectors.known_faces import KnownFaces
from tasks.selectors.overrides import Override
from tasks.selectors.reviewed import Reviewed
from tasks.selectors.time_and_place import TimeAndPlace
from tasks.selectors.verdicts import Strictness
from tasks.sequences import Sequences
from tasks.shot_finders.content import Content
from tasks.shot_finders.none import OneShot
from tasks.shot_finders.transnetv2 import TransNetV2
from tasks.smoothers.filters import MovingAverage, NoSmoothing, SavitzkyGolay
from tasks.smoothers.kalman import Kalman
from tasks.smoothers.sequence_model import SequenceModel
from tasks.smoothers.spline import Spline
from tasks.text_files import MOST_PARTS, NotToml, parse_toml, read_toml
from tasks.versions import StageName
from tasks.video.encoders import EncoderSettings
from tasks.video.hardware import DecoderSettings
from tasks.video.info import FrameIndex, Tracks, VideoInfo
from tasks.video.metadata import MetadataKey
from tasks.video.parts import Part
from tasks.video.sources import Images

ShotFinder = Annotated[TransNetV2 | Content | OneShot, Field(discriminator="method")]
Sampler = Annotated[Dynamic | EveryFrame | DynamicThesis, Field(discriminator="method")]
Detector = Annotated[
    CenterFace | YuNet | YuFace | Mtcnn | RetinaFace | DlibHog | DlibCnn | Haar | DeepFaceDetector, Field(discriminator="method")
]
Recogniser = Annotated[
    Faceres | DlibResNet | HseResNet50 | Facenet512 | Facenet | ArcFace | SFace | GhostFaceNet | OpenFace | NoRecogniser,
    Field(discriminator="method"),
]
Linker = Annotated[Assignment | Iou | Thesis, Field(discriminator="method")]
Interpolator = Annotated[Pchip | Linear | Nearest | CubicSpline | Polynomial, Field(discriminator="method")]
Smoother = Annotated[SequenceModel | Kalman | Spline | SavitzkyGolay | MovingAverage | NoSmoothing, Field(discriminator="method")]
Selector = Annotated[KnownFaces | TimeAndPlace | Everyone | Reviewed, Field(discriminator="method")]
Blur = Annotated[Pixelate | Round | Square | Solid | NoBlur, Field(discriminator="method")]


class FindShots(Settings):
    finder: ShotFinder = TransNetV2()


class FindFaces(Settings):
    sampler: Sampler = Dynamic()
    detector: Detector = CenterFace()
    recogniser: Recogniser = Faceres()
    runtime: Runtime = Runtime()

    @property
    def models(self) -> tuple[str, ...]:
        """Names in the manifest of the models that it needs."""
        return (*self.detector.models, *self.recogniser.models)

    def load(self) -> Finder:
        """The detector and the recogniser, ready to look. Raises MissingWeights, BadWeights and DeviceError."""
        return Finder(self.detector.load(self.runtime), self.recogniser.load(self.runtime), num_at_once(self.runtime))


class Ways(NamedTuple):
    """How detections become tracks."""

    linker: Linker
    interpolator: Interpolator
    smoother: Smoother


class FollowFaces(Settings):
    most_seconds: float = Field(1.5, ge=0, le=5, description="how far a face is followed on the pictures from where it was seen; 0 for not")
    longest_gap_frames: int = Field(8, ge=1, le=64, description="a face that was not seen for longer in between is followed there too")
    again_every_frames: int = Field(4, ge=0, le=64, description="and looked for again round where it should be, so often; 0 for not")
    least_apart_frames: int = Field(
        24, ge=1, description="frames between that are read rather than skipped: skipping begins at a key frame"
    )


class BuildTracks(Settings):
    linker: Linker = Assignment()
    interpolator: Interpolator = Pchip()
    smoother: Smoother = SequenceModel()
    lead_seconds: float = Field(0.25, ge=0, le=5, description="how long a face is covered before its first and after its last detection")
    min_lead_frames: int = Field(3, ge=0, description="and in frames at least, however few there are in a second")
    most_unseen_frames: int = Field(
        12, ge=0, le=64, description="a face that a single look met, as the check of the result does, is covered so long before and after"
    )
    leaving_seconds: float = Field(1.0, ge=0, le=5, description="the same for a face that moves out of the picture")
    merge_log_ratio: float = Field(
        3.0, ge=0, description="natural log of how much likelier it must be that two tracks show one person than that they show two"
    )

    false_positives: FalsePositives = FalsePositives()
    ignore: tuple[Ignored, ...] = Field((), description="places, and times, at which pictures on walls, statues and the like are no faces")

    @property
    def ways(self) -> Ways:
        return Ways(self.linker, self.interpolator, self.smoother)


class ChoosePeople(Settings):
    policy: Literal["blur_everyone", "blur_only", "keep_only", "ask"] = Field(
        "blur_everyone", description="ask: the run waits until somebody says of each person who is seen whether they are blurred"
    )
    strictness: Strictness = Field(
        "balanced",
        description="how sure it must be who somebody is: safe blurs more of those whom it is not sure of, sharp keeps more of them",
    )
    selectors: tuple[Selector, ...] = Field((), description="who is blurred (blur_only) or stays visible (keep_only)")
    overrides: tuple[Override, ...] = Field(
        (), description="exceptions, which stand above the selectors, and later ones above earlier ones"
    )

    @model_validator(mode="after")
    def _somebody(self) -> ChoosePeople:
        if self.policy in ("blur_only", "keep_only") and not self.selectors:
            raise ValueError(f"the policy {self.policy} needs somebody: give photos or points")
        if self.policy == "blur_everyone" and not all(each.then or isinstance(each, Reviewed) for each in self.selectors):
            raise ValueError("the policy blur_everyone chooses nobody: say blur_only or keep_only, or of each selector what happens then")
        return self

    def check_times(self, info: VideoInfo, index: FrameIndex, part: Part | None) -> None:
        """Raises BadPick where somebody is pointed at beyond the video's end, or outside of the part that is worked on."""
        for selector in self.selectors:
            if isinstance(selector, TimeAndPlace):
                selector.frames(info, index, part)
        for override in self.overrides:
            if override.point is not None:
                TimeAndPlace(picks=(override.point,)).frames(info, index, part)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the people on the photos, once these were looked up."""
        return tuple(name for selector in self.selectors if isinstance(selector, KnownFaces) for name in selector.names)

    @property
    def photos(self) -> tuple[str, ...]:
        return tuple(photo for selector in self.selectors if isinstance(selector, KnownFaces) for photo in selector.photos)


class BlurFaces(Settings):
    blur: Blur = Pixelate()
    show: Literal["nothing", "boxes"] = Field("nothing", description="boxes: for review, whose face each is and why it is covered or kept")
    encoder: EncoderSettings = EncoderSettings()
    copy_untouched: bool = Field(
        True, description="groups of pictures without a covered face stay as they are in the source, where the codec and the file allow it"
    )
    decoder: DecoderSettings = DecoderSettings()

    @model_validator(mode="after")
    def _hides(self) -> BlurFaces:
        if self.shows_faces and self.show == "nothing":
            raise ValueError("the blur none shows the faces, and is for review: add --show boxes, or choose another blur")
        return self

    @property
    def shows_faces(self) -> bool:
        """Whether even the faces that should be covered are seen."""
        return isinstance(self.blur, NoBlur)


class VerifyBlur(Settings):
    every_frames: int = Field(12, ge=1, description="one frame in so many of the finished video is looked at again")
    sure_score: float = Field(0.6, ge=0, le=1, description="a face outside the cover that scores less is not reported")
    same_face: float = Field(0.6, ge=0, description="distance of embeddings up to which a covered face is reported as still recognisable")
    repairs: int = Field(
        2, ge=0, le=5, description="how often faces that were missed are covered and the segments they are in rendered again"
    )


class InPrefect(Settings):
    """What Prefect's pages show of a run, and how long they wait for an answer. No result depends on it."""

    faces: Literal["never", "when_asked", "until_done", "links"] = Field(
        "when_asked",
        description="in Prefect's database: never; while it is asked who they are; in the table of people too, until the run ends; "
        "or only as links to the results store in S3, which expire",
    )
    link_hours: float = Field(24, gt=0, le=168, description="how long such links can be followed")
    patience_days: float = Field(7, gt=0, le=365, description="how long the policy `ask` waits for an answer before the run fails")


class Plan(Settings):
    """All stages' settings. The defaults are the recommended ones. Raises BadSetting for a model that its licence does not allow."""

    preset: Preset = Field("balanced", description="what is used where the plan does not say: a detector and a recogniser that go together")
    allow_non_commercial: bool = Field(False, description="whether models may be used whose licence does not allow commercial use")
    allow_downloads: bool = Field(False, description="whether models that are not there yet may be fetched before work begins")
    rerun_from: StageName | None = Field(None, description="run this stage and those after it even where their results are known")
    images: Images = Images()
    start: Moment | None = Field(None, description="begin with the first frame from this time (62.5, 1:02.5) on, or this one (1500f)")
    end: Moment | None = Field(None, description="stop before the first frame from this time on, or before this one")
    preview_seconds: float | None = Field(None, gt=0, description="only so much from the start")
    damage: Literal["conceal", "refuse"] = Field(
        "conceal", description="what is damaged in a recording is covered whole; refuse: such a recording is not worked on"
    )
    picture_size: Literal["first", "largest"] = Field(
        "first", description="of the result, where the picture changes its size: the others are scaled to it, with bars"
    )
    segment_seconds: float = Field(
        300, ge=1, description="a video is worked on, resumed and shared out in segments of whole shots about this long"
    )
    runner: Runner = Field(Threads(), description="where segments are worked on: threads, dask or deployments")
    keep_metadata: tuple[MetadataKey, ...] = Field((), description="what of the source's metadata comes through; none does unasked")
    drop: tuple[Tracks, ...] = Field((), description="tracks that are left out: audio, subtitles, or a stream's number in the source")
    people: str | None = Field(None, description="path of a people.toml: names, merges and splits by hand, in place of edit_people")
    sequences: Sequences | None = Field(None, description="faces as the thesis's code keeps them, in place of looking for faces")
    find_shots: FindShots = FindShots()
    find_faces: FindFaces = FindFaces()
    follow_faces: FollowFaces = FollowFaces()
    build_tracks: BuildTracks = BuildTracks()
    edit_people: EditPeople = EditPeople()
    choose_people: ChoosePeople = ChoosePeople()
    blur_faces: BlurFaces = BlurFaces()
    verify_blur: VerifyBlur = VerifyBlur()
    in_prefect: InPrefect = InPrefect()

    @property
    def names(self) -> tuple[str, ...]:
        """Of people: on photos, once these were looked up, and given by hand."""
        return tuple(sorted({*self.choose_people.names, *self.edit_people.names}))

    @model_validator(mode="after")
    def _one_who_is_who(self) -> Plan:
        if self.people and not self.edit_people.is_nothing:
            raise ValueError("give either people, a file, or edit_people")
        return self

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        given = values.get("find_faces")
        if isinstance(given, dict):  # a form has null where the preset is to decide
            values = values | {"find_faces": {name: value for name, value in given.items() if value is not None}}
        return _over(_of_preset(values), values)

    @model_validator(mode="after")
    def _licences(self) -> Plan:
        for model in map(find_model, self.find_faces.models):
            if not (model.commercial or self.allow_non_commercial):
                problem = f"may not be used commercially (licence: {model.licence})"
                raise BadSetting(model.name, problem, fix="choose another model, or set allow_non_commercial to true if that is no problem")
        return self

    @field_serializer("preset", "allow_non_commercial", "allow_downloads", "rerun_from", "runner", "in_prefect")
    def _without_effect(self, value: object, info: FieldSerializationInfo) -> object:
        # What they have led to is in the settings; by themselves they change no result.
        return None if info.context == FOR_A_KEY else value


def load_values(path: Path | None, assignments: Sequence[str] = ()) -> dict[str, Any]:
    """Settings from a TOML file and `STAGE.NAME=VALUE` texts, later ones winning. Raises BadSetting for what cannot be read."""
    values: dict[str, Any] = {}
    if path is not None:
        values = read_toml(path)
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise BadSetting(
                f"--set {assignment}", "has no value", fix="write it as STAGE.NAME=VALUE, for instance blur_faces.blur.method=solid"
            )
        names = name.strip().split(".")
        if len(names) > MOST_PARTS:
            raise BadSetting(f"--set {name[:60]}...", f"has a name of more than {MOST_PARTS} parts", fix="write a setting that there is")
        _assign(values, names, _parsed(value.strip(), f"--set {name}"))
    return values


def make_plan(values: dict[str, Any]) -> Plan:
    """A checked plan; what is left out has its default. Raises BadSetting for the first thing that is wrong, with the right ones."""
    try:
        return Plan.model_validate(_over(_over(Plan().model_dump(), _of_preset(values)), values))
    except ValidationError as error:
        raise _explained(error) from None


def _of_preset(values: dict[str, Any]) -> dict[str, Any]:
    """What the preset that is named in the values says; nothing for an unknown name, which is complained of later."""
    return next((given for name, given in PRESETS.items() if name == values.get("preset")), {})


def _over(defaults: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values, with what they leave out taken from the defaults, unless they choose another method."""
    if values.get("method", defaults.get("method")) != defaults.get("method"):
        return values
    both = {
        name: _over(defaults[name], value)
        for name, value in values.items()
        if isinstance(value, dict) and isinstance(defaults.get(name), dict)
    }
    return defaults | values | both


def _assign(values: dict[str, Any], names: list[str], value: object) -> None:
    for name in names[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise BadSetting(".".join(names), f"{name} is a value, not a group of settings", fix="leave out what follows it")
    values[names[-1]] = value


def _parsed(text: str, subject: str) -> object:
    """The value as TOML reads it; a bare word is a text."""
    try:
        return parse_toml(f"value = {text}", subject)["value"]
    except NotToml:
        return text


def _explained(error: ValidationError) -> BadSetting:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    match first["type"]:
        case "extra_forbidden":
            return BadSetting(".".join(place), "is no setting", fix=f"the settings there are: {', '.join(_names_at(place[:-1]))}")
        case "union_tag_invalid":
            known = first["ctx"]["expected_tags"].replace("'", "")
            return BadSetting(".".join([*place, "method"]), f"there is no method {first['ctx']['tag']!r}", fix=f"choose one of: {known}")
        case _:
            given = f", not {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
            message = first["msg"].removeprefix("Value error, ")
            return BadSetting(".".join(place) or "plan", message[0].lower() + message[1:] + given, fix="change that setting")


def _names_at(place: Sequence[str]) -> list[str]:
    """The settings at a place in the plan, which may go through a method's name."""
    schema = Plan.model_json_schema()
    here: dict[str, Any] = schema
    for part in place:
        choices = here.get("discriminator", {}).get("mapping", {})
        here = {"$ref": choices[part]} if part in choices else here.get("properties", {}).get(part) or here.get("items", {})
        if "$ref" in here:
            here = schema["$defs"][here["$ref"].rsplit("/", 1)[1]] | {key: value for key, value in here.items() if key != "$ref"}
    return sorted(here.get("properties", {}))
