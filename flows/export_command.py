"""`veil export`."""

from __future__ import annotations

import argparse

from flows.commands import plan_of
from flows.embedded_server import EmbeddedServer
from flows.export_target import check_export
from flows.request import check_models, check_source
from flows.screen import Screen
from tasks import progress
from tasks.video.locations import absolute


def export(options: argparse.Namespace) -> None:
    """Writes what is known of a video, and finds out what is not known yet."""
    source, target = absolute(options.video), options.output.absolute()
    plan = plan_of(options)
    check_source(source)
    check_export(source, target, options.overwrite, options.boxes)
    check_models(plan)
    screen = Screen()
    server = EmbeddedServer()
    from flows.export_video import export_video  # Prefect takes seconds to load

    server.wait()
    with screen, progress.listening(screen):
        num_tracks = export_video(source, target, plan, overwrite=options.overwrite, boxes=options.boxes)
    screen.say(f"{options.output}: {num_tracks} {'track' if num_tracks == 1 else 'tracks'}")
    if target.suffix.lower() == ".json":
        screen.say("It holds embeddings of faces, which are biometric data: delete it when it is no longer needed.")
