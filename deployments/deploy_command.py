"""What the words of `veil deploy` mean."""

from __future__ import annotations

import argparse
import asyncio

from rich.console import Console

from deployments.settings import settings_of
from flows.embedded_server import EmbeddedServer
from tasks.errors import BadSetting
from tasks.stores.settings import server_is_chosen
from tasks.video.locations import absolute


def deploy(options: argparse.Namespace) -> None:
    """Raises BadSetting, and ServerDidNotStart for a server that does not answer."""
    console = Console(highlight=False, soft_wrap=True)
    settings = settings_of(options.settings, options.set, _said(options))
    require_server("deployments")
    from deployments.deploy import deploy
    from deployments.pools import SEGMENTS, WHOLE_VIDEOS, pool_name

    for name in asyncio.run(deploy(settings)):
        console.print(name, markup=False)
    pools = [pool_name(name, settings.pools) for name in (WHOLE_VIDEOS, SEGMENTS)]
    console.print("\nThey wait for workers, on as many machines as you like:", markup=False)
    for pool in pools:
        console.print(f"  prefect worker start --pool {pool}", markup=False)


def require_server(what: str) -> None:
    """Raises BadSetting where no server is chosen, and ServerDidNotStart where it does not answer."""
    if not server_is_chosen():
        raise BadSetting(
            "PREFECT_API_URL", f"is not set: {what} need a server that stays", fix="run `prefect server start`, and set it as that says"
        )
    EmbeddedServer().wait()


def _said(options: argparse.Namespace) -> dict[str, object]:
    said: dict[str, object] = {"notify": options.notify} if options.notify else {}
    if options.nightly:
        source, target = map(absolute, options.nightly)
        said["nightly"] = {"source": source, "target": target}
    return said
