"""What is uploaded to a bucket is blurred: the bucket's events go to a queue in SQS, and each starts a run of the deployment blur-video.

A message is taken off the queue only once its runs are there, and the same object never starts two: however often it is delivered, and
whenever this service is killed. What cannot be used stays, and the queue's redrive policy puts it aside.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from botocore.exceptions import BotoCoreError, ClientError
from httpx import HTTPError
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from rich.console import Console

from tasks.errors import BadSetting
from tasks.plan import Plan
from tasks.s3.client import new_client
from tasks.video.join import FORMATS
from tasks.video.locations import name_of, suffix_of

DEPLOYMENT = "blur-video/blur-video"
_WAIT_SECONDS = 20  # the most that SQS lets a request wait for messages
_MESSAGES = 10  # and the most that it gives at once
_AFTER_TROUBLE_SECONDS = 10.0


@dataclass(frozen=True)
class Upload:
    """An object that was put into a bucket."""

    bucket: str
    key: str
    etag: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def idempotency_key(self) -> str:
        """The same however often the event is delivered, another when another object is put there."""
        return f"{self.bucket}/{self.key}/{self.etag}"


def uploads_in(body: str) -> list[Upload]:
    """The objects whose creation a message of S3 tells of, also through SNS. Raises ValueError for anything else."""
    event = json.loads(body)
    if isinstance(event, dict) and event.get("Type") == "Notification":
        event = json.loads(event["Message"])
    if isinstance(event, dict) and event.get("Event") == "s3:TestEvent":  # sent once, when the bucket is told of the queue
        return []
    try:
        return [
            Upload(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]), record["s3"]["object"]["eTag"])
            for record in event["Records"]
            if record["eventName"].removeprefix("s3:").startswith("ObjectCreated:")
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no event of S3 ({type(error).__name__}: {error})") from error


class Watch:
    """A queue, and where the results of what it tells of go.

    buckets: those whose uploads are blurred; whoever can write to the queue may name any other
    target: s3://BUCKET/PREFIX/, beneath which results have their source's key. Uploads there are results, and start nothing
    """

    def __init__(self, queue_url: str, buckets: Collection[str], target: str, plan: Plan, prefect: SyncPrefectClient) -> None:
        self._queue_url = queue_url
        self._buckets = frozenset(buckets)
        self._target = target.rstrip("/") + "/"
        self._plan = plan.model_dump(mode="json")
        self._sqs: Any = new_client("sqs")
        self._prefect = prefect
        self._console = Console(highlight=False, soft_wrap=True)

    def check(self) -> UUID:
        """The deployment. Raises BadSetting where it or the queue is not there."""
        try:
            self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=["QueueArn"])
        except (ClientError, BotoCoreError) as error:
            raise BadSetting(f"queue {self._queue_url}", f"cannot be used ({error})", fix="check the URL and AWS's settings") from error
        try:
            return self._prefect.read_deployment_by_name(DEPLOYMENT).id
        except ObjectNotFound as error:
            raise BadSetting(f"deployment {DEPLOYMENT}", "is not on Prefect's server", fix="run `veil deploy`") from error

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; goes on when queue or server were away for a while."""
        while not stop.is_set():
            try:
                self.poll()
            except (ClientError, BotoCoreError, HTTPError) as error:
                self._say(f"! {error or type(error).__name__}; trying again")
                stop.wait(_AFTER_TROUBLE_SECONDS)

    def poll(self, wait_seconds: int = _WAIT_SECONDS) -> None:
        """Waits for messages once, and acts on those that come. Raises what their clients raise where nobody answers."""
        answer = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=_MESSAGES, WaitTimeSeconds=wait_seconds)
        for message in answer.get("Messages", ()):
            try:
                for upload in uploads_in(message["Body"]):
                    self._begin(upload)
            except (ValueError, PrefectHTTPStatusError) as error:
                self._say(f"! message {message['MessageId']} stays in the queue: {error}".splitlines()[0])
                if isinstance(error, PrefectHTTPStatusError) and error.response.status_code >= 500:
                    raise
                continue
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])

    def _begin(self, upload: Upload) -> None:
        if upload.bucket not in self._buckets:
            self._say(f"! {upload.url}: not a bucket that is watched: left alone")
            return
        if suffix_of(upload.url) not in FORMATS or upload.url.startswith(self._target):
            self._say(f"{upload.url}: no video, or a result: left alone")
            return
        run = self._prefect.create_flow_run_from_deployment(
            self.check(),
            parameters={"source": upload.url, "target": self._target + upload.key, "plan": self._plan, "overwrite": True},
            name=name_of(upload.key),
            tags=["uploaded"],
            idempotency_key=upload.idempotency_key,
        )
        self._say(f"{upload.url}: run {run.id}")

    def _say(self, line: str) -> None:
        self._console.print(line, markup=False)
