"""`veil forget`: finds out what a word means, has it forgotten, and prints a receipt."""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from flows.embedded_server import EmbeddedServer
from flows.job_record import jobs
from tasks.errors import BadSetting
from tasks.hashing import file_sha256
from tasks.photos import is_photo
from tasks.places import source_of
from tasks.video.locations import absolute, is_s3

if TYPE_CHECKING:
    from flows.forget import Receipt

_LONGEST_LINE = 1000  # bytes
_DAYS = re.compile(r"(\d+(?:\.\d+)?)d?")


def forget(options: argparse.Namespace) -> None:
    """Raises BadSetting for what is not known, and BadVideo for a source that cannot be read."""
    if (options.what is None) == (options.older_than is None):
        raise BadSetting("veil forget", "is for one thing", fix="give a video, a person's name, or --older-than 30d")
    what = _read_name() if options.person and options.what == "-" else options.what
    days = None if options.older_than is None else _days(options.older_than)
    server = EmbeddedServer()
    from flows import forget as forgetting  # Prefect takes seconds to load

    server.wait()
    receipt = _meant(what, options.person) if days is None else forgetting.forget_older(days)
    server.stop()
    receipt = forgetting.with_database(receipt)
    if options.json:
        sys.stdout.write(receipt.model_dump_json(indent=2) + "\n")
    else:
        _print(receipt)


def _read_name() -> str:
    """A line of standard input: a name there is in no list of processes."""
    name = sys.stdin.buffer.readline(_LONGEST_LINE).decode(errors="replace").strip()
    if not name or "\ufffd" in name:
        raise BadSetting("--person -", "no name was read", fix="write one line of UTF-8 to standard input")
    return name


def _meant(what: str, person: bool) -> Receipt:
    """Forgets a person, by a name or a photo, or a video (a picture): where it is, or by its hash, or by a flow run's name or id."""
    from flows.forget import forget_person, forget_video

    name = Path(what).stem if is_photo(what) else what
    known = jobs()
    videos = {
        job.source_sha256 for job in known if what in (job.flow_run_id, job.name) or (len(what) >= 8 and job.source_sha256.startswith(what))
    }
    is_local_photo = is_photo(what) and not is_s3(what)
    if is_local_photo and Path(what).is_file():  # a picture may be a source, and not only a photo of somebody
        videos |= {job.source_sha256 for job in known} & {file_sha256(Path(what))}
    if person or (is_local_photo and not videos):
        return forget_person(name)
    if any(name in job.people for job in known):
        if videos:
            raise BadSetting(what, "is the name of a person and of a video", fix="add --person, or give the video's SHA-256")
        return forget_person(name)
    if is_s3(what) or Path(what).exists():
        return forget_video(source_of(absolute(what)).content_hash(), [absolute(what)])  # one that does not open, too
    if len(videos) != 1:
        said = (
            f"is the name of {len(videos)} videos"
            if videos
            else "is no video that is there, and no job and nobody of that name is known here"
        )
        raise BadSetting(what, said, fix=f"give a video's SHA-256{''.join(f' or {each[:12]}' for each in sorted(videos))}")
    return forget_video(videos.pop())


def _days(text: str) -> float:
    found = _DAYS.fullmatch(text)
    if found is None:
        raise BadSetting(f"--older-than {text}", "is no number of days", fix="write 30d")
    return float(found[1])


def _print(receipt: Receipt) -> None:
    say = partial(Console(highlight=False, soft_wrap=True).print, markup=False)
    say(f"Forgotten: {receipt.num_jobs} jobs about {len(receipt.videos)} videos, and {len(receipt.flow_runs)} flow runs of Prefect's.")
    for video in receipt.videos:
        say(f"  video {video}")
    for run in receipt.flow_runs:
        say(f"  flow run {run.name} ({run.id}): {run.num_logs} lines of log, {run.num_artifacts} artifacts")
    say(f"In {receipt.store}: {sum(receipt.results.values())} results, {receipt.num_bytes:,} bytes.")
    for kind, number in receipt.results.items():
        say(f"  {kind}: {number}")
    for path in receipt.unfinished:
        say(f"  unfinished: {path}")
    for left in receipt.left:
        say(f"! still there: {left}")
    say("The video, the photos and what was written of them (results, reports, exports) are not touched.")
