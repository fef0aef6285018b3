"""Which results store is used: what the environment says, else what was written down (`veil configure` does so), else a folder.

A machine without a Prefect server of its own remembers it in a file. On a server it is the variable `veil_results`, which all its workers
read.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tasks.errors import BadSetting, StoreError
from tasks.method import Settings
from tasks.stores.backend import Backend
from tasks.stores.bucket import BucketBackend
from tasks.stores.folder import FolderBackend
from tasks.stores.seal import Seal, forget_keys, seal_of
from tasks.text_files import parse_json, read_toml

VARIABLE = "veil_results"
BLOCK = "veil-results"
OWN_SERVER = "VEIL_OWN_SERVER"
"""in the environment: the server there is the command's own, and ends with it"""
_DEFAULT = "~/.veil/results"


class StoreSettings(Settings):
    """Where results are kept, and how long."""

    location: str = Field(_DEFAULT, min_length=1, description="a folder, s3://BUCKET/PREFIX, or s3-bucket/NAME: a block of Prefect's")
    kms_key: str = Field("", description="in S3: the KMS key to encrypt with (its id, alias or ARN)")
    record_key: str = Field("", description="that seals records: a file, secretsmanager:NAME or kms:KEY; left out, one is made and kept")
    expire_days: int | None = Field(None, ge=1, description="in S3: results are deleted by the store itself after so many days")
    require_encryption: bool = Field(False, description="a store that does not say that it encrypts is refused")

    def backend(self) -> Backend:
        """Raises BadSetting for a location that is none, and StoreError for a block that is not there."""
        if self.location.startswith("s3://"):
            bucket, _, prefix = self.location.removeprefix("s3://").partition("/")
            if not bucket:
                raise BadSetting(f"results store {self.location}", "names no bucket", fix="write s3://BUCKET/PREFIX")
            return BucketBackend(bucket, prefix, self.kms_key)
        if self.location.startswith("s3-bucket/"):
            return _of_block(self.location, self.kms_key)
        if "://" in self.location:
            raise BadSetting(f"results store {self.location}", "is neither a folder nor in S3", fix="write a folder or s3://BUCKET/PREFIX")
        if self.kms_key:
            raise BadSetting("the KMS key", "is for a store in S3", fix="leave it out, or choose s3://BUCKET/PREFIX")
        return FolderBackend(Path(self.location).expanduser().absolute())


def settings_file() -> Path:
    """What `veil configure` writes where no server is chosen."""
    return Path(os.environ.get("VEIL_SETTINGS") or Path.home() / ".veil" / "settings.toml")


def store_settings() -> StoreSettings:
    """Those that hold here. Raises BadSetting for ones that are none."""
    if location := os.environ.get("VEIL_RESULTS"):
        given = {name: os.environ.get(f"VEIL_RESULTS_{name.upper()}", "") for name in ("kms_key", "record_key")}
        return StoreSettings(location=location, **given)
    server = _chosen_server()
    return _from_file(str(settings_file())) if server is None else _from_server(server)


def server_is_chosen() -> bool:
    """Whether somebody has said which of Prefect's servers to use, in the environment or in a profile of Prefect's."""
    profiles = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect") / "profiles.toml"
    return "PREFECT_API_URL" in os.environ or (profiles.is_file() and "PREFECT_API_URL" in profiles.read_text(errors="replace"))


def parse(value: object, subject: str) -> StoreSettings:
    """Settings as they were written down; a text alone is a location. Raises BadSetting."""
    try:
        return StoreSettings.model_validate({"location": value} if isinstance(value, str) else value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BadSetting(subject, f"{place}: {first['msg'].lower()}", fix="run `veil configure` again") from error


def record_seal(settings: StoreSettings | None = None) -> Seal:
    """What seals the records of a store (without settings: the one that holds here). Raises StoreError where its key cannot be had."""
    server = _chosen_server()
    if server == "":
        from prefect.settings import get_current_settings

        server = str(get_current_settings().api.url or "")  # none: a profile that is not the active one
    return seal_of((settings or store_settings()).record_key, settings_file().parent, server or "")


def _chosen_server() -> str | None:
    """Prefect's server, where somebody has chosen one, "" for that of a profile; None for the command's own."""
    return os.environ.get("PREFECT_API_URL", "") if server_is_chosen() and OWN_SERVER not in os.environ else None


def results_store() -> Backend:
    """The store that holds here."""
    return store_settings().backend()


@cache
def _from_server(server: str) -> StoreSettings:
    from prefect.settings import get_current_settings
    from prefect.variables import Variable

    if not get_current_settings().api.url:  # a profile that is not the active one
        return _from_file(str(settings_file()))
    try:
        value: Any = Variable.get(VARIABLE, _sync=True)  # type: ignore[call-overload]
    except Exception as error:
        # Anything else than an answer must not become "none is set": results would go elsewhere.
        raise StoreError(f"PREFECT_API_URL {server}", f"does not say where results are kept ({error})", fix="check the server") from error
    subject = f"the variable {VARIABLE}"
    return parse(parse_json(value, subject) if isinstance(value, str) and value.startswith("{") else value or {}, subject)


@cache
def _from_file(path: str) -> StoreSettings:
    if not Path(path).is_file():
        return StoreSettings()
    return parse(read_toml(Path(path)).get("results", {}), path)


@cache
def _of_block(name: str, kms_key: str) -> BucketBackend:
    from prefect_aws import S3Bucket

    try:
        block: Any = S3Bucket.load(name.partition("/")[2], _sync=True)  # type: ignore[call-arg]
    except ValueError as error:
        raise StoreError(f"block {name}", "is not on Prefect's server", fix="make it there, or run `veil configure`") from error
    return BucketBackend(block.bucket_name, block.bucket_folder, kms_key, block.credentials.get_s3_client())


def forget_settings() -> None:
    """What was read is read again: it was changed, or another server is chosen."""
    _from_server.cache_clear()
    _from_file.cache_clear()
    _of_block.cache_clear()
    forget_keys()
