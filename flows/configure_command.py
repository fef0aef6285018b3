"""`veil configure`: where results are kept, found to work before it is written down."""

from __future__ import annotations

import argparse
import json

from rich.console import Console

from tasks.errors import BadOutput, BadSetting
from tasks.results import probe_store
from tasks.stores.bucket import BucketBackend
from tasks.stores.settings import BLOCK, VARIABLE, StoreSettings, forget_settings, parse, server_is_chosen, settings_file, store_settings
from tasks.video.target import whole_file


def configure(options: argparse.Namespace) -> None:
    """Raises BadSetting, StoreError or NoSpace for a store that does not do what is asked of it; the settings then stay as they were."""
    console = Console(highlight=False, soft_wrap=True)
    given = {name: getattr(options, name) for name in StoreSettings.model_fields if getattr(options, name) not in (None, False)}
    if not given:
        console.print(_said(store_settings()), markup=False)
        return
    settings = parse(given, "veil configure")
    backend = settings.backend()
    if settings.expire_days and not isinstance(backend, BucketBackend):
        raise BadSetting("--expire-days", "is for a store in S3", fix="leave it out, and have `veil forget --older-than` run now and then")
    probe_store(settings)
    if settings.expire_days and isinstance(backend, BucketBackend):
        backend.expire_after(settings.expire_days)
    where = _to_server(settings) if server_is_chosen() else _to_file(settings)
    forget_settings()
    console.print(f"{_said(settings)}\nWritten, read and deleted there: it works. Remembered in {where}.", markup=False)


def _said(settings: StoreSettings) -> str:
    encrypted = f", encrypted with {settings.kms_key}" if settings.kms_key else ""
    expiring = f", deleted after {settings.expire_days} days" if settings.expire_days else ""
    return f"Results are kept in {settings.location}{encrypted}{expiring}."


def _to_file(settings: StoreSettings) -> str:
    """As TOML, in which a text is written as in JSON."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.model_dump(exclude_none=True).items()]
    path = settings_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole_file(path, private=True) as file:
            file.path.write_text("\n".join(["[results]", *lines, ""]))
            file.keep()
    except OSError as error:
        raise BadOutput(path, f"cannot be written ({error.strerror})", fix="set VEIL_SETTINGS to another place") from error
    return str(path)


def _to_server(settings: StoreSettings) -> str:
    """The variable, and for a store in S3 a block that the variable names, so that both are seen and changed in Prefect's UI."""
    from prefect.variables import Variable
    from prefect_aws import AwsCredentials, S3Bucket

    kept = settings
    backend = settings.backend()
    if settings.location.startswith("s3://") and isinstance(backend, BucketBackend):
        block = S3Bucket(bucket_name=backend.bucket, bucket_folder=backend.prefix, credentials=AwsCredentials())
        block.save(BLOCK, overwrite=True, _sync=True)  # type: ignore[call-arg]
        kept = settings.model_copy(update={"location": f"s3-bucket/{BLOCK}"})
    Variable.set(VARIABLE, kept.model_dump(exclude_none=True), overwrite=True, _sync=True)  # type: ignore[call-arg]
    return f"the variable {VARIABLE} of Prefect's server"
