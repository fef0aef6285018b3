"""What killed jobs have left beside their results: faces that nobody covers yet, on this machine's disks and in S3."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from flows.job_record import JobRecord
from tasks.errors import VeilError
from tasks.s3.unfinished import Unfinished, unfinished_beside
from tasks.video import target
from tasks.video.join import FORMATS
from tasks.video.locations import S3, folder_of, has_number, is_s3, name_of, suffix_of


class Leftovers(NamedTuple):
    """Of jobs that are under way, too."""

    here: list[Path]
    in_s3: list[Unfinished]
    unknown: list[VeilError]
    """why it could not be found out what is beside a place"""

    @property
    def abandoned(self) -> list[str]:
        """Those of processes that are gone."""
        there = [str(each) for each in self.in_s3 if each.is_abandoned]
        return [*map(str, target.abandoned(self.here)), *dict.fromkeys(there)]

    @property
    def names(self) -> list[str]:
        return [*map(str, self.here), *dict.fromkeys(map(str, self.in_s3))]

    def remove_abandoned(self) -> list[str]:
        """Says what was removed. What a store does not let go of is found again."""
        removed = [str(path) for path in target.remove_abandoned(self.here)]
        for each in filter(attrgetter("is_abandoned"), self.in_s3):
            with suppress(VeilError):
                each.remove()
                removed.append(str(each))
        return list(dict.fromkeys(removed))


def leftovers_of(records: Iterable[JobRecord]) -> Leftovers:
    """Beside the places where the jobs' results go."""
    places = {_place_of(job.target) for job in records if job.target}
    here = {path for place in places if not is_s3(place) for path in target.left_beside(Path(place))}
    in_s3: list[Unfinished] = []
    unknown = []
    for place in sorted(filter(is_s3, places)):
        bucket, _, key = place.removeprefix(S3).rstrip("/").partition("/")
        try:
            in_s3 += unfinished_beside(bucket, key)
        except VeilError as error:
            unknown.append(error)
    return Leftovers(sorted(here), in_s3, unknown)


def _place_of(location: str) -> str:
    """The folder of pictures that a pattern fills; what is unfinished is beside that."""
    is_pattern = has_number(name_of(location)) and suffix_of(location) not in FORMATS
    return folder_of(location) if is_pattern else location
