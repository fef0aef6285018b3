"""Where an export may go, checked before any work."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.errors import BadOutput
from tasks.exports.matte import FORMATS
from tasks.video.locations import is_s3

KINDS = (".otio", ".csv", ".json", *FORMATS)


def check_export(source: str, target: Path, overwrite: bool, boxes: bool) -> None:
    """Raises BadOutput where nothing can be exported to `target`."""
    if target.suffix.lower() not in KINDS:
        raise BadOutput(target, "its name does not say what to write", fix=f"end it with one of: {', '.join(KINDS)}")
    if boxes and target.suffix.lower() != ".csv":
        raise BadOutput(target, "only a table has boxes", fix="end its name with .csv, or leave out --boxes")
    if target.is_dir() or not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise BadOutput(target, "cannot be written there", fix="give the name of a file in a folder that can be written to")
    if target.exists() and not is_s3(source) and target.resolve() == Path(source).resolve():
        raise BadOutput(target, "is the input itself", fix="choose another name: the source is never changed")
    if target.exists() and not overwrite:
        raise BadOutput(target, "exists already", fix="choose another name, or add --overwrite")
