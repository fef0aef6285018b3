"""Results under a prefix of a bucket in S3, encrypted by the store itself."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tasks.errors import StoreError
from tasks.s3.client import client, code_of, explained
from tasks.stores.backend import Entry
from tasks.video.target import remove_abandoned, this_process

_SPOOL = "veil-results-"
EXPIRING = ("faces", "finished", "jobs", "missed", "objects", "stages")
"""what is kept that may expire; the audit may not"""


class BucketBackend:
    """Objects of a bucket whose keys begin alike.

    kms_key: the key (id, alias or ARN) that the store is told to encrypt with; without one the bucket's own default holds
    made: the client where it is not the environment's, such as one that a block of Prefect's brings
    """

    def __init__(self, bucket: str, prefix: str, kms_key: str = "", made: Any = None) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self.kms_key = kms_key
        self._made = made

    @property
    def location(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def read(self, key: str) -> bytes | None:
        with self._explained(key), _nothing_is_no_mistake():
            body = self._client.get_object(**self._at(key))["Body"]
            with body:
                return bytes(body.read())
        return None

    def write(self, key: str, content: bytes) -> None:
        with self._explained(key):
            self._client.put_object(**self._at(key), Body=content, **self._encrypted)

    def num_bytes(self, key: str) -> int | None:
        head = self._head(key)
        return int(head["ContentLength"]) if head else None

    def remove(self, key: str) -> None:
        """All versions of it, where the bucket keeps more than one."""
        with self._explained(key):
            at = self._at(key)
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=at["Key"])
            held = [each for page in pages for kind in ("Versions", "DeleteMarkers") for each in page.get(kind, ())]
            versions = [each["VersionId"] for each in held if each["Key"] == at["Key"] and each["VersionId"] != "null"]
            for version in versions:
                self._client.delete_object(**at, VersionId=version)
            if not versions:
                self._client.delete_object(**at)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        with self._explained(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self._at(prefix)["Key"])
            for page in pages:
                for each in page.get("Contents", ()):
                    yield Entry(each["Key"][len(self._at("")["Key"]) :], int(each["Size"]), each["LastModified"])

    @contextmanager
    def new_file(self, kind: str) -> Iterator[Path]:
        descriptor, name = tempfile.mkstemp(dir=_spool())
        os.close(descriptor)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, path: Path, key: str) -> None:
        """In parts where it is large; what is there already, under the name of its content, is not sent again."""
        if self.num_bytes(key) == path.stat().st_size:
            return
        with self._explained(key):
            self._client.upload_file(str(path), **self._at(key), ExtraArgs=self._encrypted)

    def file(self, key: str) -> Path | None:
        path = _spool() / key.replace("/", "-")
        if self.num_bytes(key) is None:
            return None
        with self.new_file("") as new, self._explained(key):
            self._client.download_file(**self._at(key), Filename=str(new))
            new.replace(path)
        return path

    def prepare(self) -> None:
        remove_abandoned(Path(tempfile.gettempdir()).glob(f"{_SPOOL}*"))

    def encryption(self, key: str) -> str | None:
        head = self._head(key) or {}
        return head.get("ServerSideEncryption")

    def link(self, key: str, seconds: float, content_type: str) -> str:
        """An address at which anybody can read what is under a key, for so long."""
        what = {**self._at(key), "ResponseContentType": content_type}
        return str(self._client.generate_presigned_url("get_object", Params=what, ExpiresIn=round(seconds)))

    def expire_after(self, days: int) -> None:
        """Has the store delete results so many days after they were written; the audit, and the bucket's other rules, stay."""
        name = f"veil: {self.prefix or 'all'}"
        rules = [
            {
                "ID": f"{name}, {kind}",
                "Status": "Enabled",
                "Filter": {"Prefix": self._at(f"{kind}/")["Key"]},
                "Expiration": {"Days": days},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            }
            for kind in EXPIRING
        ]
        ours = {rule["ID"] for rule in rules}
        with self._explained(""):
            others = [each for each in self._rules() if each.get("ID") not in ours]
            self._client.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": [*others, *rules]})

    def expires_days(self) -> int | None:
        """After how many days the bucket's rules delete results; None where they do not."""
        with self._explained(""):
            at = self._at("objects/")["Key"]
            fits = [each for each in self._rules() if each["Status"] == "Enabled" and at.startswith(_prefix_of(each))]
        return min((int(each["Expiration"]["Days"]) for each in fits if "Days" in each.get("Expiration", {})), default=None)

    def _rules(self) -> list[dict[str, Any]]:
        from botocore.exceptions import ClientError

        try:
            return list(self._client.get_bucket_lifecycle_configuration(Bucket=self.bucket)["Rules"])
        except ClientError as error:
            if code_of(error) in ("NoSuchLifecycleConfiguration", "NoSuchKey"):
                return []
            raise

    @property
    def _client(self) -> Any:
        return self._made or client()

    @property
    def _encrypted(self) -> dict[str, str]:
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": f"{self.prefix}/{key}" if self.prefix else key}

    def _head(self, key: str) -> dict[str, Any] | None:
        with self._explained(key), _nothing_is_no_mistake():
            return dict(self._client.head_object(**self._at(key)))
        return None

    @contextmanager
    def _explained(self, key: str) -> Iterator[None]:
        with explained(f"{self.location}/{key}".rstrip("/"), StoreError):
            yield


def _prefix_of(rule: dict[str, Any]) -> str:
    return str(rule.get("Filter", {}).get("Prefix", rule.get("Prefix", "")))


@contextmanager
def _nothing_is_no_mistake() -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) != "NoSuchKey":
            raise


@cache
def _spool_of(process: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{_SPOOL}{process}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _spool() -> Path:
    """The process's own folder for what is on its way; for its owner alone, and gone when it ends."""
    return _spool_of(this_process())
