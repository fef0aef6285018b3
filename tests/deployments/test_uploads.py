"""Uploads become runs: a real bucket that tells a real queue (moto's), and a real Prefect server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from deployments.uploads import Upload, Watch, uploads_in
from tasks.plan import Plan, make_plan
from tasks.s3.client import new_client
from tests.buckets import Bucket


@pytest.fixture
def queue(bucket: Bucket) -> tuple[Any, str]:
    """A queue with a place for what cannot be used, which hears of what is put into the bucket."""
    sqs = new_client("sqs")
    aside = sqs.get_queue_attributes(QueueUrl=sqs.create_queue(QueueName="aside")["QueueUrl"], AttributeNames=["QueueArn"])
    policy = json.dumps({"deadLetterTargetArn": aside["Attributes"]["QueueArn"], "maxReceiveCount": 2})
    url = sqs.create_queue(QueueName="uploads", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bucket.client.put_bucket_notification_configuration(
        Bucket=bucket.name, NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    )
    return sqs, url


@pytest.fixture
def prefect(deployed: list[str]) -> Iterator[Any]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        yield client


def runs_of(prefect: Any, *, source: str) -> list[Any]:
    return [run for run in prefect.read_flow_runs() if run.parameters.get("source") == source]


def left_in(queue: tuple[Any, str]) -> int:
    sqs, url = queue
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def test_an_upload_starts_one_run(bucket: Bucket, queue: tuple[Any, str], prefect: Any) -> None:
    watch = Watch(queue[1], [bucket.name], bucket.url("out/"), make_plan({"blur_faces": {"blur": {"method": "solid"}}}), prefect)
    source = bucket.put("in/a day+1.mp4", b"a video")
    watch.poll(0)
    (run,) = runs_of(prefect, source=source)
    assert run.name == "a day+1.mp4"
    assert run.parameters["target"] == bucket.url("out/in/a day+1.mp4")
    assert run.parameters["plan"]["blur_faces"]["blur"]["method"] == "solid"
    assert {"veil", "blur-video", "uploaded"} <= set(run.tags)
    assert left_in(queue) == 0

    bucket.put("in/a day+1.mp4", b"a video")
    watch.poll(0)
    assert len(runs_of(prefect, source=source)) == 1, "the same content is the same upload"
    bucket.put("in/a day+1.mp4", b"another video")
    watch.poll(0)
    assert len(runs_of(prefect, source=source)) == 2


def test_what_starts_nothing(bucket: Bucket, queue: tuple[Any, str], prefect: Any) -> None:
    watch = Watch(queue[1], [bucket.name], bucket.url("out/"), Plan(), prefect)
    for key in ("out/in/done.mp4", "in/notes.txt"):  # a result, or it would go round for ever; no video
        bucket.put(key, b"content")
    watch.poll(0)
    assert left_in(queue) == 0
    assert not [
        run for run in prefect.read_flow_runs() if run.parameters.get("source") in map(bucket.url, ("out/in/done.mp4", "in/notes.txt"))
    ]


def test_a_bucket_that_is_not_watched_starts_nothing(bucket: Bucket, queue: tuple[Any, str], prefect: Any) -> None:
    watch = Watch(queue[1], ["another"], bucket.url("out/"), Plan(), prefect)
    source = bucket.put("in/not-watched.mp4", b"a video")
    watch.poll(0)
    assert left_in(queue) == 0
    assert not runs_of(prefect, source=source)


def test_bad_messages_are_put_aside(bucket: Bucket, queue: tuple[Any, str], prefect: Any, capsys: pytest.CaptureFixture[str]) -> None:
    sqs, url = queue
    watch = Watch(url, [bucket.name], bucket.url("out/"), Plan(), prefect)
    watch.poll(0)  # S3's own test event
    for body in ("no JSON", '{"Records": [{"eventName": "ObjectCreated:Put"}]}', "[]"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    for _ in range(3):
        watch.poll(0)
    assert left_in(queue) == 0
    aside = sqs.get_queue_url(QueueName="aside")["QueueUrl"]
    assert left_in((sqs, aside)) == 3
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("! message")]
    assert len(lines) == 6, "each time that one is met, in one line"


def test_the_message_stays_until_the_run_is_there(bucket: Bucket, queue: tuple[Any, str], prefect: Any, monkeypatch: Any) -> None:
    from httpx import ConnectError

    def away(*_: object, **__: object) -> None:
        raise ConnectError("nobody answers")

    watch = Watch(queue[1], [bucket.name], bucket.url("out/"), Plan(), prefect)
    source = bucket.put("in/later.mp4", b"a video")
    with monkeypatch.context() as patch:
        patch.setattr(prefect, "create_flow_run_from_deployment", away)
        with pytest.raises(ConnectError):
            watch.poll(0)
    assert not runs_of(prefect, source=source)
    watch.poll(0)
    assert len(runs_of(prefect, source=source)) == 1


def record(name: str, key: str = "a.mp4") -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": "films"}, "object": {"key": key, "eTag": "1"}}}


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        ({"Records": [record("ObjectCreated:Put"), record("ObjectCreated:CompleteMultipartUpload", "b.mp4")]}, ["a.mp4", "b.mp4"]),
        ({"Records": [record("s3:ObjectCreated:Copy")]}, ["a.mp4"]),  # as stores other than Amazon's name it
        ({"Records": [record("ObjectRemoved:Delete")]}, []),  # there is nothing to blur
        ({"Records": [record("ObjectCreated:Put", "day+1/%C3%A9.mp4")]}, ["day 1/é.mp4"]),  # keys are quoted, spaces as plus
        ({"Type": "Notification", "Message": json.dumps({"Records": [record("ObjectCreated:Put")]})}, ["a.mp4"]),  # through SNS
        ({"Service": "Amazon S3", "Event": "s3:TestEvent"}, []),  # comes when notifications are set up
    ],
)
def test_events(event: dict[str, Any], keys: list[str]) -> None:
    assert uploads_in(json.dumps(event)) == [Upload("films", key, "1") for key in keys]
