"""The `veil` command: reads what is asked for, starts the flow, shows how far it is. What is done is decided elsewhere."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tasks import apart
from tasks.errors import InputError, VeilError
from tasks.plain_text import visible
from tasks.text_files import check_encodes

USAGE_ERROR = 2
FAILURE = 1

_VIDEO = "a video file; a folder of pictures, img%%07d.png or *.jpg in one; or either at s3://BUCKET/KEY"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status: 0 only when what was asked for is complete, 2 for what the user can mend, 1 for anything else."""
    options = parser_of_words().parse_args(arguments)
    try:
        for word in sys.argv[1:] if arguments is None else arguments:
            check_encodes(word, word.encode(errors="surrogateescape").decode(errors="backslashreplace"))
        return int(options.run(options) or 0)
    except InputError as error:
        print(visible(f"veil: {error}"), file=sys.stderr)
        return USAGE_ERROR
    except VeilError as error:
        print(visible(f"veil: {error}"), file=sys.stderr)
        return FAILURE
    except OSError as error:
        print(visible(f"veil: {error.filename or 'the system'}: {error.strerror or error}; check that path"), file=sys.stderr)
        return FAILURE
    except KeyboardInterrupt:
        print("veil: stopped; the same command goes on where it was", file=sys.stderr)
        return 130


def _blur(options: argparse.Namespace) -> None:
    apart.prepare()  # it loads meanwhile
    from flows.commands import blur  # a wrong option is answered before anything heavy is loaded

    blur(options)


def _people(options: argparse.Namespace) -> None:
    from flows.commands import people

    people(options)


def _export(options: argparse.Namespace) -> None:
    from flows.export_command import export

    export(options)


def _models(options: argparse.Namespace) -> None:
    from flows.models_command import fetch_model, show_models

    if options.action == "fetch":
        fetch_model(options.name)
    else:
        show_models()


def _configure(options: argparse.Namespace) -> None:
    from flows.configure_command import configure

    configure(options)


def _explain(options: argparse.Namespace) -> None:
    from flows.explain_command import explain

    explain(options)


def _deploy(options: argparse.Namespace) -> None:
    from deployments.deploy_command import deploy

    deploy(options)


def _watch(options: argparse.Namespace) -> None:
    from deployments.watch_command import watch

    watch(options)


def _doctor(_: argparse.Namespace) -> int:
    from deployments.doctor_command import doctor

    return doctor()


def _forget(options: argparse.Namespace) -> None:
    from flows.forget_command import forget

    forget(options)


def _audit(options: argparse.Namespace) -> None:
    from flows.audit_command import audit

    audit(options)


def parser_of_words() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="veil", description="Make the right people unrecognisable in video.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    blur = commands.add_parser(
        "blur", help="blur faces in a video", description="Blur faces in a video. Without --keep, --only or --at: everyone."
    )
    blur.add_argument("video", metavar="VIDEO", help=_VIDEO)
    blur.add_argument("-o", dest="output", required=True, metavar="OUT", help="where the result goes")
    _add_who(blur)
    blur.add_argument("--show", choices=["boxes"], help="for review: draw whose face each is, and why it is covered or kept")
    blur.add_argument("--report", type=Path, metavar="FILE", help="write what was done, as JSON")
    blur.add_argument("--overwrite", action="store_true", help="replace OUT if it is there")
    blur.add_argument("--encoder", metavar="NAME[:PRESET]", help="encode with this, such as libx265:slow; without it, like the source")
    blur.add_argument("--keep-metadata", action="append", metavar="KEY", help="let this come through, such as title; may be repeated")
    blur.add_argument("--drop", action="append", metavar="TRACK", help="leave out: audio, subtitles, or a stream's number; may be repeated")
    _add_plan(blur)
    blur.set_defaults(run=_blur)

    people = commands.add_parser(
        "people", help="show who is in a video", description="Write a page with a face per person, and the same as JSON."
    )
    people.add_argument("video", metavar="VIDEO", help=_VIDEO)
    people.add_argument("-o", dest="output", type=Path, required=True, metavar="FOLDER", help="where the page goes: a new or empty folder")
    people.add_argument("--overwrite", action="store_true", help="replace an earlier page in FOLDER")
    _add_plan(people)
    people.set_defaults(run=_people)

    export = commands.add_parser(
        "export",
        help="write what is known of a video for other programs",
        description="Write who is seen and covered when: .otio (markers), .csv, .mkv or .mov (matte), .json (the thesis's sequences).",
    )
    export.add_argument("video", metavar="VIDEO", help=_VIDEO)
    export.add_argument(
        "-o", dest="output", type=Path, required=True, metavar="FILE", help="where it goes; its ending says what is written"
    )
    _add_who(export)
    export.add_argument("--boxes", action="store_true", help="with .csv: a row for each face in each frame")
    export.add_argument("--overwrite", action="store_true", help="replace FILE if it is there")
    _add_plan(export)
    export.set_defaults(run=_export, show=None, encoder=None, keep_metadata=None, drop=None)  # what only a rendering asks for

    models = commands.add_parser("models", help="list the models, or fetch one")
    models.add_argument("action", nargs="?", choices=["list", "fetch"], default="list")
    models.add_argument("name", nargs="?", help="with fetch: which model")
    models.set_defaults(run=_models)

    configure = commands.add_parser(
        "configure", help="say where results are kept", description="Without options: shows where they are kept."
    )
    configure.add_argument("--results", dest="location", metavar="PLACE", help="a folder, s3://BUCKET/PREFIX, or s3-bucket/NAME (a block)")
    configure.add_argument("--kms-key", metavar="KEY", help="in S3: the KMS key to encrypt with")
    configure.add_argument("--record-key", metavar="WHERE", help="what seals records: a file, secretsmanager:NAME or kms:KEY")
    configure.add_argument("--expire-days", type=int, metavar="N", help="in S3: have the store delete results after so many days")
    configure.add_argument("--require-encryption", action="store_true", help="refuse a store that does not say that it encrypts")
    configure.set_defaults(run=_configure)

    explain = commands.add_parser("explain", help="say what a job took, and which results were known")
    explain.add_argument("job", metavar="JOB", help="the video (its last job), a flow run's name, or its id")
    explain.add_argument("--keys", action="store_true", help="the keys of all parts")
    explain.set_defaults(run=_explain)

    _add_operators(commands)
    _add_forget(commands)
    _add_audit(commands)
    return parser


def _add_operators(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    deploy = commands.add_parser(
        "deploy",
        help="set Prefect's server up for Veil",
        description="Make work pools, limits, deployments and automations on Prefect's server, or bring them up to date.",
    )
    deploy.add_argument("--settings", type=Path, metavar="FILE", help="where runs are done and all else, as TOML")
    deploy.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="one setting; may be repeated")
    deploy.add_argument("--nightly", nargs=2, metavar=("FOLDER", "TARGET"), help="blur what is new in FOLDER every night")
    deploy.add_argument("--notify", metavar="TYPE/NAME", help="Prefect's notification block for failed runs: slack-webhook/veil")
    deploy.set_defaults(run=_deploy)

    watch = commands.add_parser(
        "watch",
        help="blur what is uploaded to S3",
        description="Start a run for each video that is uploaded to a bucket whose events go to a queue in SQS. Runs until it is stopped.",
    )
    watch.add_argument("queue", metavar="QUEUE_URL", help="the queue")
    watch.add_argument(
        "--bucket", action="append", required=True, metavar="BUCKET", help="whose uploads are blurred, and no others; may be repeated"
    )
    watch.add_argument("-o", dest="target", required=True, metavar="TARGET", help="where results go: s3://BUCKET/PREFIX/")
    watch.add_argument("--plan", type=Path, metavar="FILE", help="settings of the runs, as TOML")
    watch.add_argument("--set", action="append", default=[], metavar="STAGE.NAME=VALUE", help="one of them; may be repeated")
    watch.set_defaults(run=_watch)

    doctor = commands.add_parser(
        "doctor", help="say what is not as it should be", description="Check this machine, the results store and Prefect's server."
    )
    doctor.set_defaults(run=_doctor)


def _add_forget(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    forget = commands.add_parser(
        "forget",
        help="delete every trace of a video or a person",
        description="Delete every trace of a video, of a person, or of what is older, in the results store and in Prefect's database.",
    )
    forget.add_argument(
        "what", nargs="?", metavar="VIDEO|PERSON", help="a video, its SHA-256, or a flow run's name or id; a name, or a photo"
    )
    forget.add_argument("--person", action="store_true", help="what is given is a person's name; -: read it from standard input")
    forget.add_argument("--older-than", metavar="DAYS", help="what was begun longer ago, such as 30d")
    forget.add_argument("--json", action="store_true", help="print the receipt as JSON")
    forget.set_defaults(run=_forget)


def _add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    audit = commands.add_parser("audit", help="show what was decided and what was forgotten, by whom and when")
    audit.add_argument("video", nargs="?", metavar="VIDEO", help="only what is about it: a video, or its SHA-256")
    audit.add_argument("--json", action="store_true", help="print JSON lines")
    audit.set_defaults(run=_audit)


def _add_who(parser: argparse.ArgumentParser) -> None:
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--keep", nargs="+", metavar="PHOTO", help="blur all but these people: photos, or folders of photos")
    who.add_argument("--only", nargs="+", metavar="PHOTO", help="blur only these people")
    who.add_argument("--at", action="append", metavar="TIME,X,Y", help="blur whoever is seen there, wherever they appear; may be repeated")
    parser.add_argument("--keep-picked", action="store_true", help="with --at: blur all but these people")
    parser.add_argument(
        "--strictness", choices=["safe", "balanced", "sharp"], help="how sure it must be who somebody is; safe blurs whoever is in doubt"
    )
    parser.add_argument("--from", dest="start", metavar="MOMENT", help="begin there: a time (1:02.5) or a frame's number (1500f)")
    parser.add_argument("--to", dest="end", metavar="MOMENT", help="stop there, without that frame")
    parser.add_argument("--preview", metavar="SECONDS", help="only so much from there, such as 10s")
    parser.add_argument("--decisions", type=Path, metavar="FILE", help="what a review decided: a report whose people were changed")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--people", type=Path, metavar="FILE", help="names, merges and splits by hand: a changed people.toml")
    parser.add_argument("--sequences", metavar="FILE", help="faces as the thesis's code keeps them (JSON), instead of looking for faces")
    parser.add_argument("--frame-rate", metavar="N", help="pictures a second of a folder, or of bare H.264 and the like: 25, 30000/1001")
    parser.add_argument("--plan", type=Path, metavar="FILE", help="settings, as TOML")
    parser.add_argument("--preset", metavar="NAME", help="detector and recogniser: fast, balanced, best, ...")
    parser.add_argument("--rerun-from", metavar="STAGE", help="run this stage and those after it even where their results are known")
    parser.add_argument("--set", action="append", default=[], metavar="STAGE.NAME=VALUE", help="one setting; may be repeated")


if __name__ == "__main__":
    sys.exit(main())
