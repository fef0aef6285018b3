"""Prefect as a command needs it: quiet, private, and with time enough to start its own server. What the user has set stays."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from tasks.errors import BadSetting

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",  # 20 are too few for a slow disk
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # the command says what there is to say
    "PREFECT_LOGGING_HANDLERS_CONSOLE_FLOW_RUNS_LEVEL": "CRITICAL",
}


# What Prefect reads in the folder that it is called in. Its logging settings alone can name any program to run.
_SETTINGS_HERE = {
    ".env": re.compile(r"^\s*(export\s+)?PREFECT_", re.MULTILINE | re.IGNORECASE),
    "prefect.toml": re.compile(r"\S"),
    "pyproject.toml": re.compile(r"^\s*\[\s*tool\s*\.\s*[\"']?prefect|^\s*tool\s*\.\s*prefect|^\s*prefect\b", re.MULTILINE),
}


def prepare() -> None:
    """To be called before Prefect is imported.

    Raises BadSetting where it would take settings from the current folder: whoever gives somebody a folder could run programs there.
    """
    for name, says in _SETTINGS_HERE.items():
        with suppress(OSError):
            if says.search(Path(name).read_text(errors="replace")):
                fix = "call veil from another folder; settings of your own belong into a profile of Prefect's"
                raise BadSetting(Path(name).absolute(), "holds settings of Prefect's, which are not taken from the current folder", fix=fix)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
