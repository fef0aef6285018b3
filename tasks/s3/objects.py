"""Objects to be read, one by one or as the files of a folder."""

from __future__ import annotations

import base64
import hashlib
import io
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, BinaryIO, cast

from tasks.errors import BadVideo
from tasks.s3.client import client, code_of, explained, require_bucket
from tasks.s3.window import Window

_CHUNK_BYTES = 1 << 20

_seen: dict[str, str] = {}
"""by URL, the ETag of what was hashed in this process: nothing else is read under that name until it is hashed again"""

_hashed: dict[tuple[str, str], str] = {}
"""SHA-256 by URL and ETag, of what was read for it in this process"""


@dataclass(frozen=True)
class S3File:
    """An object, as a file."""

    bucket: str
    key: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return self.key.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.key).suffix

    def exists(self) -> bool:
        """Raises BadVideo where that cannot be told, and where there is not even a bucket."""
        from botocore.exceptions import ClientError

        with explained(self.url, BadVideo):
            try:
                client().head_object(Bucket=self.bucket, Key=self.key)
            except ClientError as error:
                if code_of(error) != "NoSuchKey":
                    raise
                # The answer has no body, and does not say what is missing.
                require_bucket(self.bucket)
                return False
        return True

    def num_bytes(self) -> int:
        return int(self._head()["ContentLength"])

    def renew(self) -> None:
        _seen.pop(self.url, None)

    def open(self) -> BinaryIO:
        head = self._head()
        num_bytes, etag = int(head["ContentLength"]), _seen.get(self.url, str(head["ETag"]))
        if num_bytes == 0:
            raise BadVideo(self, "is empty (0 bytes)", fix="copy or upload it again")

        def read(first: int, end: int) -> bytes:
            return self._get(IfMatch=etag, Range=f"bytes={first}-{end - 1}")

        return cast(BinaryIO, io.BufferedReader(Window(read, num_bytes), _CHUNK_BYTES))

    def read_bytes(self) -> bytes:
        return self._get(**({"IfMatch": _seen[self.url]} if self.url in _seen else {}))

    def sha256(self) -> str:
        """As the store has it, where that is one of the whole content; otherwise by reading it once."""
        head = self._head()
        _seen[self.url] = str(head["ETag"])
        if (self.url, head["ETag"]) in _hashed:
            return _hashed[self.url, head["ETag"]]
        if "ChecksumSHA256" in head and head.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in head["ChecksumSHA256"]:
            return base64.b64decode(head["ChecksumSHA256"]).hex()
        digest = hashlib.sha256()
        with explained(self.url, BadVideo):
            body = client().get_object(Bucket=self.bucket, Key=self.key, IfMatch=head["ETag"])["Body"]
            with body:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    digest.update(chunk)
        _hashed[self.url, head["ETag"]] = digest.hexdigest()
        return digest.hexdigest()

    def _head(self) -> dict[str, Any]:
        with explained(self.url, BadVideo):
            return cast(dict[str, Any], client().head_object(Bucket=self.bucket, Key=self.key, ChecksumMode="ENABLED"))

    def _get(self, **wanted: str) -> bytes:
        with explained(self.url, BadVideo):
            body = client().get_object(Bucket=self.bucket, Key=self.key, **wanted)["Body"]
            with body:
                return bytes(body.read())


@dataclass(frozen=True)
class S3Folder:
    """Objects whose keys begin alike, as the files of a folder."""

    bucket: str
    prefix: str
    """"" for the whole bucket, otherwise with a slash at its end"""

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def names(self) -> list[str]:
        with explained(self.url, BadVideo):
            pages = client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter="/")
            keys = [str(each["Key"]) for page in pages for each in page.get("Contents", ())]
        return [key.removeprefix(self.prefix) for key in keys if key != self.prefix]

    def file(self, name: str) -> S3File:
        return S3File(self.bucket, self.prefix + name)
