"""What processes have left beside places in S3: objects, and uploads that were never completed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import NamedTuple

from tasks.errors import BadOutput
from tasks.s3.client import client, explained
from tasks.video.target import runs, this_machine, this_process

_LONG_AGO = timedelta(days=1)


class Unfinished(NamedTuple):
    """An object, or an upload that was begun."""

    bucket: str
    key: str
    name: str
    """the key, or that of the folder in which the object is"""
    upload: str | None
    since: datetime
    """when anything of that name was written last"""

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.name}" + (" (an upload that was not completed)" if self.upload else "")

    @property
    def process(self) -> int | None:
        """Whose it is on this machine; None for another's."""
        process = re.search(rf"\.unfinished-{this_machine()}-(\d+)", self.name)
        return int(process[1]) if process else None

    @property
    def is_abandoned(self) -> bool:
        """Whether its process is gone; of another machine's, what nobody has touched for a day."""
        return datetime.now(UTC) - self.since > _LONG_AGO if self.process is None else not runs(self.process)

    def remove(self) -> None:
        """Raises BadOutput."""
        with explained(f"s3://{self.bucket}/{self.key}", BadOutput):
            if self.upload:
                client().abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=self.upload)
            else:
                client().delete_object(Bucket=self.bucket, Key=self.key)


def name_beside(key: str) -> str:
    """A name that says which process is at work on it, with the same ending."""
    return f"{_beside(key)}{this_process()}{PurePosixPath(key).suffix}"


def unfinished_beside(bucket: str, key: str) -> list[Unfinished]:
    """Of processes at work or gone, of any machine. Raises BadOutput."""
    with explained(f"s3://{bucket}/{key}", BadOutput):
        found = sorted(_found(bucket, _beside(key)), key=lambda each: each.since)
    latest = {each.name: each.since for each in found}
    return [each._replace(since=latest[each.name]) for each in found]


def remove_own(bucket: str, key: str) -> None:
    """What killed processes of this machine left. Raises BadOutput."""
    for each in unfinished_beside(bucket, key):
        if each.process is not None and each.is_abandoned:
            each.remove()


def _found(bucket: str, prefix: str) -> Iterator[Unfinished]:
    for page in client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Contents", ()):
            yield Unfinished(bucket, each["Key"], _name(each["Key"], prefix), None, each["LastModified"])
    for page in client().get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=prefix):
        for each in page.get("Uploads", ()):
            yield Unfinished(bucket, each["Key"], _name(each["Key"], prefix), each["UploadId"], each["Initiated"])


def _name(key: str, prefix: str) -> str:
    return prefix + key.removeprefix(prefix).partition("/")[0]


def _beside(key: str) -> str:
    path = PurePosixPath(key)
    name = f".{path.stem}.unfinished-"
    return name if str(path.parent) == "." else f"{path.parent}/{name}"
