"""The client, made once; and what goes wrong in one line each."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from tasks.errors import BadVideo, VeilError

CONNECT_SECONDS, READ_SECONDS = 10, 60
_LATER = "try again later"
_CREDENTIALS = "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
# By the store's code: what is wrong, and the way out.
_SAID: dict[str, tuple[str, str]] = {
    "NoSuchBucket": ("there is no such bucket", "check the URL"),
    "NoSuchKey": ("there is no such object", "check the URL"),
    "NoSuchUpload": ("the upload was ended from elsewhere", "run again"),
    "AccessDenied": ("access is denied", "use credentials that may read and list it, or write it"),
    "AllAccessDisabled": ("access is denied", "use credentials that may read and list it, or write it"),
    "InvalidAccessKeyId": ("the credentials are not known to the store", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", "sign in again"),
    "InvalidToken": ("the session token is not valid", "sign in again"),
    "PreconditionFailed": ("was changed while it was read", "run again once it stays as it is"),
    "PermanentRedirect": ("is in another region", "set AWS_REGION"),
    "InvalidRange": ("became shorter while it was read", "run again once it stays as it is"),
    "SlowDown": ("the store asks for fewer requests", _LATER),
    "Throttling": ("the store asks for fewer requests", _LATER),
    "ThrottlingException": ("the store asks for fewer requests", _LATER),
    "RequestLimitExceeded": ("the store asks for fewer requests", _LATER),
    "ServiceUnavailable": ("the store is overloaded", _LATER),
    "InternalError": ("the store has an error of its own", _LATER),
    "QuotaExceeded": ("the store is full", "free some space, or write elsewhere"),
}
# An answer without a body has a number for a code.
_NUMBERS = {
    "301": "PermanentRedirect",
    "403": "AccessDenied",
    "404": "NoSuchKey",
    "412": "PreconditionFailed",
    "416": "InvalidRange",
    "429": "SlowDown",
    "500": "InternalError",
    "503": "SlowDown",
}
_making = threading.Lock()


def client() -> Any:
    """The client for this environment; can be used from several threads."""
    with _making:
        return _client(tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith("AWS_"))))


@lru_cache(maxsize=2)
def _client(environment: tuple[tuple[str, str], ...]) -> Any:
    return new_client("s3")


def new_client(service: str) -> Any:
    """A client of another of AWS's services, with the same settings."""
    import boto3  # takes a third of a second, and only who uses S3 needs it
    from botocore.config import Config

    settings = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, max_pool_connections=16, user_agent_appid="veil")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return boto3.session.Session(region_name=region).client(service, config=settings)


@contextmanager
def explained(url: str, kind: type[VeilError]) -> Iterator[None]:
    """Raises what goes wrong with the store inside of the block as an error of this kind about that URL."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _from_store(url, kind, error.response) from error
    except (BotoCoreError, Boto3Error) as error:
        raise _from_here(url, kind, error) from error


def code_of(error: Any) -> str:
    """The store's code for what went wrong, in words."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return _NUMBERS.get(code, code)


def require_bucket(bucket: str) -> None:
    """Raises BadVideo where there is no such bucket; one that may not be asked about may be there."""
    from botocore.exceptions import ClientError

    try:
        client().head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) == "NoSuchKey":
            problem, fix = _SAID["NoSuchBucket"]
            raise BadVideo(f"s3://{bucket}", problem, fix=fix) from error


def _from_store(url: str, kind: type[VeilError], response: dict[str, Any]) -> VeilError:
    code = str(response.get("Error", {}).get("Code", ""))
    problem, fix = _SAID.get(_NUMBERS.get(code, code), (f"the store answers {code or 'nothing that is known'}", "ask who runs it"))
    return kind(url, problem, fix=fix, may_pass=fix == _LATER)


def _from_here(url: str, kind: type[VeilError], error: Exception) -> VeilError:
    name = type(error).__name__
    if "Credential" in name or "Token" in name or "Profile" in name or "SSO" in name:
        return kind(url, "there are no credentials for it", fix=f"{_CREDENTIALS}, or sign in")
    if "ParamValidation" in name or "Bucket" in name:
        return kind(url, "is not the name of a bucket and an object", fix="write s3://BUCKET/KEY")
    if "Region" in name:
        return kind(url, "no region is set", fix="set AWS_REGION")
    if any(word in name for word in ("Connection", "Connect", "Timeout", "HTTP", "SSL", "Endpoint", "ResponseStreaming", "Proxy")):
        return kind(url, "the store cannot be reached", fix="check the network, and AWS_ENDPOINT_URL", may_pass=True)
    return kind(url, f"the store cannot be used ({name})", fix="check the AWS settings")
