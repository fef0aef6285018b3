"""What the words of `veil watch` mean."""

from __future__ import annotations

import argparse
import signal
import threading

from deployments.deploy_command import require_server
from tasks.errors import BadSetting
from tasks.plan import load_values, make_plan
from tasks.video.locations import is_s3


def watch(options: argparse.Namespace) -> None:
    """Until it is told to stop, by SIGTERM or Ctrl-C; the message at hand is dealt with first. Raises BadSetting before it begins."""
    plan = make_plan(load_values(options.plan, options.set))
    if not is_s3(options.target):
        raise BadSetting(f"-o {options.target}", "is not in S3", fix="write s3://BUCKET/PREFIX/")
    require_server("runs that uploads start")
    from prefect.client.orchestration import get_client

    from deployments.uploads import Watch

    stop = threading.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: stop.set())
    with get_client(sync_client=True) as client:
        service = Watch(options.queue, options.bucket, options.target, plan, client)
        service.check()
        service.run(stop)
