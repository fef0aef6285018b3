"""What the command's words mean: options to a plan, a plan to a flow, a report to lines on the terminal."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

from flows.embedded_server import EmbeddedServer
from flows.people_page import CONTENTS, PAGE
from flows.report import BlurReport
from flows.request import Request, check_request, check_source, finished_before
from flows.screen import Screen
from flows.whole_folder import check_folder
from tasks import progress
from tasks.errors import BadOutput, BadSetting
from tasks.plan import Plan, load_values, make_plan
from tasks.video.target import whole_file


def blur(options: argparse.Namespace) -> None:
    """`veil blur`."""
    screen = Screen()
    if options.report:
        _check_report(options.report, options.video, options.output)
    request = check_request(options.video.absolute(), options.output.absolute(), plan_of(options), overwrite=options.overwrite)
    report = finished_before(request)
    if report is not None:
        screen.say("Nothing to do: the same was done before, and its result is still there.")
    else:
        report = _run(request, screen)
    if options.report:
        _write(options.report, report.model_dump_json(indent=2))
    for warning in report.warnings:
        screen.say(f"! {warning}")
    people = sum(decision.decision != "kept" for decision in report.people)
    screen.say(
        f"{options.output}: {people} of {len(report.people)} people blurred in {report.num_covered_frames} of {report.num_frames} frames"
    )


def _run(request: Request, screen: Screen) -> BlurReport:
    server = EmbeddedServer()
    from flows.blur_video import blur_video  # Prefect takes seconds to load

    server.wait()
    with screen, progress.listening(screen):
        return blur_video(request.source, request.target, request.plan, overwrite=True)


def people(options: argparse.Namespace) -> None:
    """`veil people`."""
    source, folder = options.video.absolute(), options.output.resolve()
    plan = make_plan(values_of(options))
    check_source(source)
    check_folder(folder, options.overwrite, CONTENTS)
    screen = Screen()
    server = EmbeddedServer()
    from flows.find_people import find_people

    server.wait()
    with screen, progress.listening(screen):
        found = find_people(source, folder, plan, overwrite=options.overwrite)
    screen.say(f"{options.output / PAGE}: {len(found.persons)} {'person' if len(found.persons) == 1 else 'people'}")
    screen.say("It shows faces, which are biometric data: delete it when it is no longer needed.")


def values_of(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that `--plan`, `--set` and `--preset` give, later ones winning."""
    return load_values(options.plan, options.set) | ({"preset": options.preset} if options.preset else {})


def plan_of(options: argparse.Namespace) -> Plan:
    """The plan that a command line asks for: its own words over `--set` over the plan's file."""
    values = values_of(options)
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
    if options.preview is not None:
        values["preview_seconds"] = _preview_seconds(options.preview)
    if chosen:
        given = values.get("choose_people", {})
        values["choose_people"] = given | chosen if isinstance(given, dict) else given
    return make_plan(values)


def pick_of(text: str) -> dict[str, float]:
    """`00:01:02.5,640,300` as seconds and a point. Raises BadSetting."""
    when, *point = text.split(",")
    try:
        x, y = map(float, point)
        return {"seconds": seconds_of(when), "x": x, "y": y}
    except ValueError:
        raise BadSetting(f"--at {text}", "is not a time and a place", fix="write TIME,X,Y, for instance 00:01:02.5,640,300") from None


def _preview_seconds(text: str) -> float:
    try:
        if seconds := seconds_of(text):
            return seconds
    except ValueError:
        pass
    raise BadSetting(f"--preview {text}", "is not a length of time", fix="write seconds, for instance 10s")


def seconds_of(text: str) -> float:
    """`90`, `90s`, `1:30` and `00:01:30.0` are the same. Raises ValueError."""
    if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?s?", text.strip()):
        raise ValueError(f"{text!r} is not a time")
    seconds = 0.0
    for part in text.strip().removesuffix("s").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def _check_report(report: Path, source: Path, target: Path) -> None:
    """Raises BadOutput where a report would destroy something, or cannot be written, before hours of work."""
    if report.resolve() in (source.resolve(), target.resolve()):
        raise BadOutput(report, "is the video itself", fix="give the report another name")
    if report.is_dir() or not report.absolute().parent.is_dir() or not os.access(report.absolute().parent, os.W_OK):
        raise BadOutput(report, "cannot be written there", fix="give the name of a file in a folder that can be written to")


def _write(path: Path, text: str) -> None:
    try:
        with whole_file(path.absolute()) as file:
            file.path.write_text(text)
            file.keep()
    except OSError as error:
        raise BadOutput(path, f"cannot be written ({error.strerror})", fix="choose another place") from error
