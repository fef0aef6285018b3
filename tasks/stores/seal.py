"""Records in a results store are believed only if they were sealed with the store's key: others may be able to write to the store.

A seal is an HMAC-SHA256 (RFC 2104) over a record's name and content, so that no record can be put in another's place. Objects need none:
records name them by what is in them.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

from tasks.errors import StoreError
from tasks.s3.client import explained, new_client

BLOCK = "veil-results-key"
_HEAD = b"veil-record-1 "
_KEY_BYTES = 32


class Seal(Protocol):
    """Who has the key can make a mark, and nobody else."""

    def mark(self, message: bytes) -> bytes:
        """(32 bytes) that only this message has. Raises StoreError where the key cannot be had."""


class KeySeal:
    """A key that is known here."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mark(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, "sha256")


class KmsSeal:
    """An HMAC key of AWS KMS, which never leaves it: every mark is a request."""

    def __init__(self, key: str) -> None:
        self._key = key

    def mark(self, message: bytes) -> bytes:
        digest = hashlib.sha256(message).digest()  # KMS takes no more than 4096 bytes
        with explained(f"kms:{self._key}", StoreError):
            made = new_client("kms").generate_mac(Message=digest, KeyId=self._key, MacAlgorithm="HMAC_SHA_256")
        return bytes(made["Mac"])


def sealed(seal: Seal, key: str, content: bytes) -> bytes:
    """A record as it is kept under `key`."""
    return _HEAD + seal.mark(_named(key, content)).hex().encode() + b"\n" + content


def unsealed(seal: Seal, key: str, stored: bytes) -> bytes | None:
    """The content of a record that was sealed for `key` with this key; None for anything else."""
    head, newline, content = stored.partition(b"\n")
    if not newline or not head.startswith(_HEAD):
        return None
    said = head.removeprefix(_HEAD)
    return content if hmac.compare_digest(said, seal.mark(_named(key, content)).hex().encode()) else None


def believed_or_not(stored: bytes) -> bytes:
    """The content of a record, whoever sealed it: for what deletes it."""
    return stored.partition(b"\n")[2] if stored.startswith(_HEAD) else stored


def seal_of(where: str, folder: Path, server: str) -> Seal:
    """The seal that settings name: a file, `secretsmanager:NAME` or `kms:KEY`.

    Without a name it is a secret of Prefect's `server`, and without a server a file in `folder`; either is made where there is none yet.
    Raises StoreError.
    """
    kind, _, name = where.partition(":")
    if kind == "kms" and name:
        return KmsSeal(name)
    if kind == "secretsmanager" and name:
        return _of_secrets_manager(name)
    if where:
        return KeySeal(_read(Path(where).expanduser()))
    return _of_server(server) if server else KeySeal(_of_file(folder / "results.key"))


def forget_keys() -> None:
    """They are asked for again: another server is chosen, or another key."""
    _of_secrets_manager.cache_clear()
    _of_server.cache_clear()


def _named(key: str, content: bytes) -> bytes:
    return f"{len(key)}:{key}".encode() + content


def _of_file(path: Path) -> bytes:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_hex(_KEY_BYTES))
            with suppress(FileExistsError):  # others may just have made it
                os.link(new, path)
        except OSError as error:
            raise StoreError(
                path, f"cannot be made ({error.strerror})", fix="set VEIL_SETTINGS to a folder that can be written to"
            ) from error
        finally:
            new.unlink(missing_ok=True)
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        return _long_enough(path, path.read_bytes().strip())
    except OSError as error:
        raise StoreError(path, f"cannot be read ({error.strerror})", fix="check the results store's key (VEIL_RESULTS_KEY)") from error


def _long_enough(where: object, key: bytes) -> bytes:
    if len(key) < _KEY_BYTES:
        raise StoreError(where, "is too short for a key", fix="use one of 32 bytes or more: `openssl rand -hex 32`")
    return key


@cache
def _of_secrets_manager(name: str) -> KeySeal:
    where = f"secretsmanager:{name}"
    with explained(where, StoreError):
        return KeySeal(_long_enough(where, new_client("secretsmanager").get_secret_value(SecretId=name)["SecretString"].encode()))


@cache
def _of_server(server: str) -> KeySeal:
    """Of the secret block, which whoever comes first makes."""
    from prefect.blocks.system import Secret

    try:
        with suppress(ValueError):
            return KeySeal(str(Secret.load(BLOCK, _sync=True).get()).encode())  # type: ignore[call-arg, union-attr]
        with suppress(ValueError):  # somebody else has just made it
            Secret(value=secrets.token_hex(_KEY_BYTES)).save(BLOCK, _sync=True)  # type: ignore[call-arg]
        return KeySeal(str(Secret.load(BLOCK, _sync=True).get()).encode())  # type: ignore[call-arg, union-attr]
    except Exception as error:
        problem = f"does not give the key of the results store ({error})"
        raise StoreError(f"PREFECT_API_URL {server}", problem, fix="check the server, or set VEIL_RESULTS_KEY") from error
