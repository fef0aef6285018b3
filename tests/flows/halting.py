"""`python -m tests.flows.halting MARK STAGE begun|computed WORDS...`: the `veil` command, which waits in a stage until it is ended.

begun: as soon as the stage is at work; computed: when all is done but to write down that it is. MARK is a file that then appears.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows import environment

_LONGEST_SECONDS = 120


def halting(function: Callable[..., Any], mark: Path, when: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def halts(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs) if when == "computed" else None
        mark.touch()
        time.sleep(_LONGEST_SECONDS)
        return result

    return halts


if __name__ == "__main__":
    environment.prepare()
    mark, stage, when, *words = sys.argv[1:]
    from flows import cli

    module = __import__(f"tasks.{stage}", fromlist=[stage])
    task = getattr(module, stage)
    task.fn = halting(task.fn, Path(mark), when)
    sys.exit(cli.main(words))
