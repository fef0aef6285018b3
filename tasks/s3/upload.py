"""Writing an object from its first byte to its last, in parts; it is there when all of it is."""

from __future__ import annotations

import hashlib
import io
import mimetypes
from typing import Any

from tasks.errors import BadOutput
from tasks.s3.client import client, explained

PART_BYTES = 8 << 20
_PARTS_A_SIZE = 1000  # after so many, parts get larger: a store takes ten thousand


def content_type_of(key: str) -> str:
    """What a browser is told that an object is."""
    return mimetypes.guess_type(key)[0] or "application/octet-stream"


class Upload(io.RawIOBase):
    """An object being written; `close` makes it, `abandon` leaves nothing. Raises BadOutput."""

    def __init__(self, bucket: str, key: str) -> None:
        self._at = {"Bucket": bucket, "Key": key}
        self._url = f"s3://{bucket}/{key}"
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []
        self._digest = hashlib.sha256()
        with explained(self._url, BadOutput):
            self._id: str | None = client().create_multipart_upload(**self._at, ContentType=content_type_of(key))["UploadId"]

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def write(self, content: Any) -> int:
        self._digest.update(content)
        self._waiting += content
        while len(self._waiting) >= self._part_bytes:
            self._send(self._part_bytes)
        return len(content)

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self._id is not None:
                self._complete()

    def abandon(self) -> None:
        """Nothing is to be there."""
        if self._id is not None:
            with explained(self._url, BadOutput):
                client().abort_multipart_upload(**self._at, UploadId=self._id)
            self._id = None

    def sha256(self) -> str:
        """In hex, of all that was written."""
        return self._digest.hexdigest()

    @property
    def _part_bytes(self) -> int:
        return PART_BYTES * (1 + len(self._parts) // _PARTS_A_SIZE)

    def _send(self, num_bytes: int) -> None:
        number = len(self._parts) + 1
        with explained(self._url, BadOutput):
            sent = client().upload_part(**self._at, UploadId=self._id, PartNumber=number, Body=bytes(self._waiting[:num_bytes]))
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        del self._waiting[:num_bytes]

    def _complete(self) -> None:
        if self._waiting or not self._parts:
            self._send(len(self._waiting))
        with explained(self._url, BadOutput):
            client().complete_multipart_upload(**self._at, UploadId=self._id, MultipartUpload={"Parts": self._parts})
        self._id = None
