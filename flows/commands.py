"""What the command's words mean: options to a plan, a plan to a flow, a report to lines on the terminal."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from flows.embedded_server import EmbeddedServer
from flows.people_file import NAMES
from flows.people_page import CONTENTS, PAGE
from flows.report import BlurReport
from flows.request import Request, check_request, check_source, finished_before
from flows.screen import Screen
from tasks import progress
from tasks.errors import BadOutput, BadSetting, StoreError
from tasks.moments import Moment, seconds_of
from tasks.plan import Plan, load_values, make_plan
from tasks.video.encoders import NO_PRESETS, Encoder, Preset
from tasks.video.locations import absolute, is_s3
from tasks.video.metadata import check_keys
from tasks.video.target import whole_file
from tasks.video.whole_folder import check_folder


def blur(options: argparse.Namespace) -> None:
    """`veil blur`."""
    screen = Screen()
    if options.report:
        _check_report(options.report, options.video, options.output)
    request = check_request(absolute(options.video), absolute(options.output), plan_of(options), overwrite=options.overwrite)
    report = finished_before(request)
    if report is not None and not request.plan.rerun_from:
        screen.say("Nothing to do: the same was done before, and its result is still there.")
    else:
        report = _run(request, screen)
    if options.report:
        _write(options.report, report.model_dump_json(indent=2))
    for warning in report.warnings:
        screen.say(f"! {warning}")
    people = sum(decision.decision != "kept" for decision in report.people)
    blurred = "would be blurred" if report.plan.blur_faces.shows_faces else "blurred"
    screen.say(
        f"{options.output}: {people} of {len(report.people)} people {blurred} in {report.num_covered_frames} of {report.num_frames} frames"
    )


def _run(request: Request, screen: Screen) -> BlurReport:
    server = EmbeddedServer()
    from flows.blur_video import blur_video  # Prefect takes seconds to load

    server.wait()
    from httpx import HTTPError
    from prefect.exceptions import PrefectException

    try:
        with screen, progress.listening(screen):
            blur_video(request.source.location, request.target.location, request.plan, overwrite=True)
    except (HTTPError, PrefectException) as error:
        problem = f"gave an answer that Prefect could not follow ({type(error).__name__})"
        raise StoreError("Prefect's server", problem, fix="run `veil doctor`, or choose another server") from error
    report = finished_before(request)
    if report is None:  # only what is sealed and lies there is believed, whatever a server says
        problem = "is not there as the run says that it has written it"
        raise StoreError(request.target.location, problem, fix="see who else is at work there, and which Prefect server is asked")
    return report


def people(options: argparse.Namespace) -> None:
    """`veil people`."""
    source, folder = absolute(options.video), options.output.resolve()
    plan = make_plan(values_of(options, _who_is_who(options)))
    check_source(source)
    check_folder(folder, options.overwrite, CONTENTS)
    screen = Screen()
    server = EmbeddedServer()
    from flows.find_people import find_people

    server.wait()
    with screen, progress.listening(screen):
        found = find_people(source, folder, plan, overwrite=options.overwrite)
    screen.say(f"{options.output / PAGE}: {len(found.persons)} {'person' if len(found.persons) == 1 else 'people'}")
    screen.say(f"Names, merges and splits: change {options.output / NAMES}, and give it back with --people.")
    screen.say("It shows faces, which are biometric data: delete it when it is no longer needed.")


def values_of(options: argparse.Namespace, shorter: Sequence[str] = ()) -> dict[str, Any]:
    """The settings that `--plan`, `--set`, `shorter` words for them, `--preset` and `--rerun-from` give, later ones winning."""
    said: dict[str, Any] = {name: value for name in ("preset", "rerun_from") if (value := getattr(options, name))}
    if options.sequences:
        said["sequences"] = {"path": str(Path(options.sequences).absolute())}
    rate = [f'images.frame_rate="{options.frame_rate}"'] if options.frame_rate else []
    return load_values(options.plan, [*options.set, *rate, *shorter]) | said


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that a command line asks for: its own words over `--set` over the plan's file."""
    values = values_of(options, _said_shorter(options))
    chosen: dict[str, Any] | None = None
    if options.keep_picked and not options.at:
        raise BadSetting("--keep-picked", "nobody is picked", fix="say who with --at TIME,X,Y")
    if options.keep or options.only:
        photos = [str(Path(photo).absolute()) for photo in options.keep or options.only]
        chosen = {"policy": "keep_only" if options.keep else "blur_only", "selectors": [{"method": "known_faces", "photos": photos}]}
    elif options.at:
        picks = [pick_of(text) for text in options.at]
        policy = "keep_only" if options.keep_picked else "blur_only"
        chosen = {"policy": policy, "selectors": [{"method": "time_and_place", "picks": picks}]}
    if options.decisions:
        chosen = _with_decisions(values.get("choose_people"), chosen, options.decisions)
    if options.start is not None:
        values["start"] = _moment("--from", options.start)
    if options.end is not None:
        values["end"] = _moment("--to", options.end)
    if options.drop:
        values["drop"] = [_track(text) for text in options.drop]
    if options.preview is not None:
        values["preview_seconds"] = _preview_seconds(options.preview)
    strict = {"strictness": options.strictness} if options.strictness else {}
    shown = {"show": options.show} if options.show else {}
    for stage, said in (("choose_people", chosen), ("choose_people", strict), ("blur_faces", shown)):
        given = values.get(stage, {})
        if said:
            values[stage] = given | said if isinstance(given, dict) else given
    plan = make_plan(values)
    if plan.choose_people.policy == "ask":
        fix = "run a deployment, or give a report back with --decisions"
        raise BadSetting("choose_people.policy ask", "waits for an answer in Prefect's UI, and this command has none", fix=fix)
    return plan


def pick_of(text: str) -> dict[str, float]:
    """`00:01:02.5,640,300` as seconds and a point. Raises BadSetting."""
    when, *point = text.split(",")
    try:
        x, y = map(float, point)
        return {"seconds": seconds_of(when), "x": x, "y": y}
    except ValueError:
        raise BadSetting(f"--at {text}", "is not a time and a place", fix="write TIME,X,Y, for instance 00:01:02.5,640,300") from None


def _said_shorter(options: argparse.Namespace) -> list[str]:
    """What the command has short words for, as `--set` takes it."""
    longer = _who_is_who(options)
    if options.encoder:
        codec, preset = encoder_of(options.encoder)
        longer += [f"blur_faces.encoder.codec={codec}", *([f"blur_faces.encoder.preset={preset}"] if preset else [])]
    if options.keep_metadata:
        longer.append(f"keep_metadata={list(check_keys(options.keep_metadata))}")
    return longer


def _who_is_who(options: argparse.Namespace) -> list[str]:
    return [f"people={options.people.absolute()}"] if options.people else []


def _with_decisions(planned: object, chosen: dict[str, Any] | None, decisions: Path) -> dict[str, Any]:
    """Who is chosen, with what a review says above all of it."""
    both = (planned if isinstance(planned, dict) else {}) | (chosen or {})
    return both | {"selectors": [*both.get("selectors", ()), {"method": "reviewed", "file": str(decisions.absolute())}]}


def encoder_of(text: str) -> tuple[str, str]:
    """`libx265:slow` as an encoder and its preset, "" where none is given. Raises BadSetting for what is not on the list."""
    codec, _, preset = text.partition(":")
    if codec not in get_args(Encoder):
        raise BadSetting(f"--encoder {text}", "is no encoder that is used", fix=f"choose from: {', '.join(get_args(Encoder))}")
    if preset and codec in NO_PRESETS:
        raise BadSetting(f"--encoder {text}", f"{codec} has no presets", fix=f"write --encoder {codec}")
    if ":" in text and preset not in get_args(Preset):
        raise BadSetting(f"--encoder {text}", f"{preset!r} is no preset", fix=f"choose from: {', '.join(get_args(Preset))}")
    return codec, preset


def _moment(option: str, text: str) -> str:
    try:
        return TypeAdapter(Moment).validate_python(text)
    except ValidationError:
        fix = "write a time, such as 62.5 or 1:02.5, or a frame's number, such as 1500f"
        raise BadSetting(f"{option} {text}", "is no moment of a video", fix=fix) from None


def _track(text: str) -> str | int:
    if text in ("audio", "subtitles"):
        return text
    if text.isdecimal() and len(text) < 9:
        return int(text)
    raise BadSetting(f"--drop {text}", "is no track", fix="write audio, subtitles, or a stream's number as the report has it")


def _preview_seconds(text: str) -> float:
    try:
        if seconds := seconds_of(text):
            return seconds
    except ValueError:
        pass
    raise BadSetting(f"--preview {text}", "is not a length of time", fix="write seconds, for instance 10s")


def _check_report(report: Path, source: str, target: str) -> None:
    """Raises BadOutput where a report would destroy something, or cannot be written, before hours of work."""
    if report.resolve() in [Path(each).resolve() for each in (source, target) if not is_s3(each)]:
        raise BadOutput(report, "is the video itself", fix="give the report another name")
    if report.is_dir() or not report.absolute().parent.is_dir() or not os.access(report.absolute().parent, os.W_OK):
        raise BadOutput(report, "cannot be written there", fix="give the name of a file in a folder that can be written to")


def _write(path: Path, text: str) -> None:
    try:
        with whole_file(path.absolute(), private=True) as file:
            file.path.write_text(text)
            file.keep()
    except OSError as error:
        raise BadOutput(path, f"cannot be written ({error.strerror})", fix="choose another place") from error
