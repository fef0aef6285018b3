"""A real S3 server on this machine (moto's), and what it holds; it counts requests, and can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BUCKET = "films"


class Bucket:
    """The bucket of a test."""

    def __init__(self, client: Any, name: str = BUCKET) -> None:
        self.client = client
        self.name = name

    def url(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, content: bytes, **options: str) -> str:
        self.client.put_object(Bucket=self.name, Key=key, Body=content, **options)
        return self.url(key)

    def put_folder(self, prefix: str, folder: Path) -> str:
        for path in folder.iterdir():
            self.put(f"{prefix}/{path.name}", path.read_bytes())
        return self.url(prefix)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def names(self) -> list[str]:
        return sorted(each["Key"] for each in self.client.list_objects_v2(Bucket=self.name).get("Contents", ()))

    def uploads(self) -> list[str]:
        """Of multipart uploads that were neither completed nor aborted."""
        return [each["Key"] for each in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", ())]


@contextmanager
def running_store() -> Iterator[str]:
    """The server's address; the environment points to it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment(address).items():
                patch.setenv(name, value)
            yield address
    finally:
        server.stop()


def environment(address: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def new_bucket(address: str) -> Bucket:
    """The bucket, with nothing in it."""
    import urllib.request

    from tasks.s3.client import client

    urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset", method="POST")).close()
    client().create_bucket(Bucket=BUCKET)
    return Bucket(client())
