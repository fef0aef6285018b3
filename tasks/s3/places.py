"""Places in S3 where results go. Nothing can be renamed there: what is finished is copied to its name by the store, and removed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import BadOutput, BadVideo
from tasks.hashing import file_sha256
from tasks.s3.client import client, explained
from tasks.s3.objects import S3File, S3Folder
from tasks.s3.unfinished import name_beside, remove_own
from tasks.s3.upload import Upload, content_type_of
from tasks.video.parallel import in_order
from tasks.video.whole_folder import check_names

_STREAMED = {".ts"}
"""endings of containers that are written from their first byte to their last, and need no file on disk meanwhile"""

_COPIERS = 8
_MOST_COPIED_AT_ONCE = 5 << 30  # bytes, by S3's own limit
_COPIED_PART_BYTES = 512 << 20


@dataclass(frozen=True)
class S3FilePlace:
    """An object's place."""

    file: S3File

    def check(self) -> None:
        """Raises BadOutput where it cannot be written there: begins an upload, and ends it at once."""
        if not self.file.key or self.file.key.endswith("/"):
            raise BadOutput(self.file, "is a folder", fix="give the name of an object in it")
        Upload(self.file.bucket, self.file.key).abandon()

    def is_there(self) -> bool:
        return self.file.exists()

    def sha256(self) -> str | None:
        return self.file.sha256() if self.file.exists() else None

    @contextmanager
    def unfinished(self) -> Iterator[S3NewFile | SpooledFile]:
        beside = name_beside(self.file.key)
        remove_own(self.file.bucket, self.file.key)
        new = S3NewFile(S3File(self.file.bucket, beside), self.file)
        try:
            if self.file.suffix.lower() in _STREAMED:
                yield new
                return
            with tempfile.TemporaryDirectory(prefix="veil-spool-") as folder:
                yield SpooledFile(Path(folder) / f"spool{self.file.suffix}", new)
        except (BadOutput, BadVideo) as error:
            # What goes wrong is said of the place that the user named.
            if not error.subject.startswith((tempfile.gettempdir(), new.location)):
                raise
            raise BadOutput(self.file, error.problem, fix=error.fix) from error
        finally:
            new.remove()


class S3NewFile:
    """An object beside its place, written as a stream."""

    def __init__(self, file: S3File, place: S3File) -> None:
        self._file = file
        self._place = place
        self._upload: Upload | None = None

    @property
    def path(self) -> S3NewFile:
        return self

    @property
    def suffix(self) -> str:
        return self._file.suffix

    def __str__(self) -> str:
        return self._file.url

    @property
    def location(self) -> str:
        return self._file.url

    def create(self) -> Upload:
        self._upload = Upload(self._file.bucket, self._file.key)
        return self._upload

    def sha256(self) -> str:
        assert self._upload is not None
        return self._upload.sha256()

    def keep(self) -> None:
        """The store's own copy of it, at its place, with a SHA-256 that the store computes."""
        copy_object(self._file, self._place)

    def remove(self) -> None:
        """Leaves nothing but what was kept."""
        if self._upload is not None:
            self._upload.abandon()
            with explained(self.location, BadOutput):
                client().delete_object(Bucket=self._file.bucket, Key=self._file.key)


@dataclass(frozen=True)
class SpooledFile:
    """A file on disk, for containers that are not written from first to last; uploaded when it is complete and checked."""

    path: Path
    new: S3NewFile

    @property
    def location(self) -> str:
        return str(self.path)

    def sha256(self) -> str:
        return file_sha256(self.path)

    def keep(self) -> None:
        with self.path.open("rb") as content, self.new.create() as upload:
            shutil.copyfileobj(content, upload, 1 << 20)
        self.new.keep()


@dataclass(frozen=True)
class S3FolderPlace:
    """A folder's place."""

    folder: S3Folder

    def check(self, ours: Container[str]) -> None:
        with _as_output():
            held = set(self.folder.names())
        check_names(self.folder.url, held, overwrite=True, ours=ours)
        Upload(self.folder.bucket, f"{self.folder.prefix}.writable").abandon()

    def is_there(self) -> bool:
        return bool(self.folder.names())

    @contextmanager
    def unfinished(self) -> Iterator[S3NewFolder]:
        beside = name_beside(self.folder.prefix.rstrip("/"))
        remove_own(self.folder.bucket, self.folder.prefix.rstrip("/"))
        new = S3NewFolder(S3Folder(self.folder.bucket, f"{beside}/"), self.folder, frozenset(self.folder.names()))
        try:
            yield new
        finally:
            _remove(self.folder.bucket, [new.folder.prefix + name for name in new.folder.names()])


@dataclass(frozen=True)
class S3NewFolder:
    """Objects beside their places."""

    folder: S3Folder
    place: S3Folder
    found: frozenset[str]
    """names in the place when the work began"""

    @property
    def location(self) -> str:
        return self.folder.url

    def write(self, name: str, content: bytes) -> None:
        key = self.folder.prefix + name
        with explained(self.location, BadOutput):
            client().put_object(Bucket=self.folder.bucket, Key=key, Body=content, ContentType=content_type_of(key))

    def keep(self) -> None:
        """One by one: a store has no folders that could be put in place whole. Those that cannot be put are taken back."""
        before, names = set(self.place.names()), self.folder.names()
        if new := sorted(before - self.found):
            problem = f"holds {new[0]} since the work began"
            raise BadOutput(self.place.url, problem, fix="move it, and run again: nothing of yours is replaced")
        try:
            for _ in in_order(lambda name: copy_object(self.folder.file(name), self.place.file(name)), names, _COPIERS):
                pass
        except BaseException:
            _remove(self.place.bucket, [self.place.prefix + name for name in names if name not in before])
            raise
        _remove(self.place.bucket, [self.place.prefix + name for name in before - set(names)])


def copy_object(source: S3File, target: S3File) -> None:
    """Inside the store; in parts where it is larger than the store copies at once."""
    from boto3.s3.transfer import TransferConfig

    at_once = TransferConfig(multipart_threshold=_MOST_COPIED_AT_ONCE + 1, multipart_chunksize=_COPIED_PART_BYTES)
    said = {"ContentType": content_type_of(target.key), "MetadataDirective": "REPLACE", "ChecksumAlgorithm": "SHA256"}
    with explained(target.url, BadOutput):
        client().copy({"Bucket": source.bucket, "Key": source.key}, target.bucket, target.key, ExtraArgs=said, Config=at_once)


def _remove(bucket: str, keys: Iterable[str]) -> None:
    with explained(f"s3://{bucket}", BadOutput):
        for key in keys:
            client().delete_object(Bucket=bucket, Key=key)


@contextmanager
def _as_output() -> Iterator[None]:
    """What cannot be read of a place is a matter of the output."""
    try:
        yield
    except BadVideo as error:
        raise BadOutput(error.subject, error.problem, fix=error.fix) from error
