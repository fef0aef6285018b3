"""Videos and pictures in S3, on a real server: little is held, nothing is left, and what goes wrong is one clear line."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tasks.errors import BadOutput, BadVideo
from tasks.places import source_of, target_of
from tasks.s3 import client as clients
from tasks.s3 import upload
from tasks.s3.objects import S3File, _hashed, _seen
from tasks.s3.window import BLOCK_BYTES, MOST_BLOCKS, Window
from tasks.video import EncoderSettings, encode_segment, probe_file, read_frames
from tasks.video.segments import Piece
from tasks.video.sources import Images
from tasks.video.target import this_machine
from tests.buckets import BUCKET, Bucket

from .drawing import Clip, decoded, draw, packets


def test_a_window_holds_few_blocks_and_reads_none_twice_in_a_row() -> None:
    content = np.random.default_rng(0).bytes(BLOCK_BYTES * 20 + 17)
    asked: list[tuple[int, int]] = []

    def read(first: int, end: int) -> bytes:
        asked.append((first, end))
        return content[first:end]

    window = Window(read, len(content))
    most = 0
    got = bytearray()
    while part := window.read(1 << 18):
        got += part
        most = max(most, window.held_bytes)
    assert bytes(got) == content
    assert most <= BLOCK_BYTES * MOST_BLOCKS
    assert len(asked) == 21
    assert max(end - first for first, end in asked) == BLOCK_BYTES
    for place in (0, len(content) - 9, 5 * BLOCK_BYTES - 3):  # the start, the very end, across a border
        window.seek(place)
        assert b"".join(window.read(4) or b"" for _ in range(5))[:9] == content[place : place + 9]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_video_is_the_same_as_on_disk(bucket: Bucket, tmp_path: Path, name: str) -> None:
    path = draw(tmp_path, Clip(name, num_frames=40))
    source = source_of(bucket.put(f"in/{name}", path.read_bytes()))
    there, here = source.probe(None, Images()), probe_file(path)
    assert there[0] == here[0]
    assert there[1].pts.tolist() == here[1].pts.tolist()
    frames = [frame.to_ndarray() for _, frame in source.frames(*there, 5, 30)]
    assert all(np.array_equal(one, other.to_ndarray()) for one, (_, other) in zip(frames, read_frames(path, *here, 5, 30), strict=True))


def test_a_stored_hash_is_believed_and_one_that_is_not_there_is_computed(bucket: Bucket) -> None:
    content = b"x" * 1000
    plain, known = bucket.put("plain", content), bucket.put("known", content, ChecksumAlgorithm="SHA256")
    for url in (plain, known):
        assert source_of(url).content_hash() == hashlib.sha256(content).hexdigest()
    assert (known not in [url for url, _ in _hashed], plain in [url for url, _ in _hashed]) == (True, True)


def segment_of(path: Path, folder: Path) -> tuple:
    info, index = probe_file(path)
    segment = folder / "segment"
    encode_segment((frame for _, frame in read_frames(path, info, index, 0, len(index) - 1)), info, EncoderSettings(), segment)
    return info, index, segment


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.ts"])
def test_a_video_is_put_there_when_it_is_kept_and_not_before(bucket: Bucket, tmp_path: Path, name: str) -> None:
    path = draw(tmp_path, Clip(num_frames=50))
    info, index, segment = segment_of(path, tmp_path)
    source = source_of(str(path))
    target = target_of(bucket.url(f"films/{name}"), source)
    target.check()
    assert (bucket.names(), bucket.uploads()) == ([], [])
    with target.whole() as written:
        written.join([Piece(0, len(index) - 1, segment)], source, info, index, None)
        sha256 = written.content_hash()
        beside = source_of(written.location)
        assert beside.content_hash() == sha256
        assert len(beside.probe(sha256, Images())[1]) == 50, "it can be checked before it is kept"
        assert f"films/{name}" not in bucket.names()
        written.keep()
    assert bucket.names() == [f"films/{name}"]
    assert bucket.uploads() == []
    assert hashlib.sha256(bucket.get(f"films/{name}")).hexdigest() == sha256 == target.content_hash()
    back = tmp_path / f"back-{name}"
    back.write_bytes(bucket.get(f"films/{name}"))
    assert len(decoded(back)) == 50
    assert len(packets(back, "audio")) == len(packets(path, "audio"))


def test_an_upload_has_one_part_in_memory_and_is_there_when_it_is_closed(bucket: Bucket, monkeypatch) -> None:
    monkeypatch.setattr(upload, "PART_BYTES", 5 << 20)  # the least that a store takes
    content = np.random.default_rng(1).bytes(12 << 20)
    one = upload.Upload(BUCKET, "large")
    most = 0
    for first in range(0, len(content), 1 << 18):
        one.write(content[first : first + (1 << 18)])
        most = max(most, len(one._waiting))
    assert bucket.names() == []
    one.close()
    assert most < (5 << 20)
    assert bucket.get("large") == content
    assert one.sha256() == hashlib.sha256(content).hexdigest()
    assert bucket.uploads() == []


@pytest.mark.parametrize("when", ["joining", "joined", "keeping"])
@pytest.mark.parametrize("name", ["out.mp4", "out.ts"])
def test_a_run_that_fails_leaves_nothing(bucket: Bucket, tmp_path: Path, name: str, when: str, monkeypatch) -> None:
    bucket.put(f"films/{name}", b"from before")
    path = draw(tmp_path, Clip())
    info, index, segment = segment_of(path, tmp_path)
    source = source_of(str(path))
    target = target_of(bucket.url(f"films/{name}"), source)

    def run() -> None:
        with target.whole() as written:
            if when == "joining":
                written.join([Piece(0, len(index) - 1, segment)] * 2, source, info, index, None)
            written.join([Piece(0, len(index) - 1, segment)], source, info, index, None)
            if when == "keeping":
                monkeypatch.setattr("tasks.s3.places.copy_object", lambda *_: 1 / 0)
                written.keep()
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, ValueError, ZeroDivisionError)):
        run()
    assert bucket.names() == [f"films/{name}"]
    assert bucket.get(f"films/{name}") == b"from before"
    assert bucket.uploads() == []


def test_what_a_killed_process_left_is_removed_by_the_next(bucket: Bucket, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    whose = (f"{this_machine()}-{gone.pid}", f"elsewhere-{gone.pid}", f"{this_machine()}-1")
    ours, others, alive = (f"films/.out.unfinished-{who}.ts" for who in whose)
    for key in (ours, others, alive):
        bucket.put(key, b"half")
        bucket.client.create_multipart_upload(Bucket=BUCKET, Key=key)
    path = draw(tmp_path, Clip())
    with target_of(bucket.url("films/out.ts"), source_of(str(path))).whole():
        pass
    assert bucket.names() == sorted([others, alive])
    assert sorted(bucket.uploads()) == sorted([others, alive])


def test_what_changes_while_it_is_read_is_noticed(bucket: Bucket, tmp_path: Path) -> None:
    path = draw(tmp_path, Clip(num_frames=40))
    url = bucket.put("a.mp4", path.read_bytes())
    source = source_of(url)
    info, index = source.probe(source.content_hash(), Images())
    bucket.put("a.mp4", draw(tmp_path, Clip("b.mp4", num_frames=40, rate=Clip().rate * 2)).read_bytes())
    with pytest.raises(BadVideo, match=r"s3://films/a\.mp4: was changed while it was read; run again"):
        list(source_of(url).frames(info, index, 0, 39))
    source_of(url).check()  # whoever begins anew may go on
    source_of(url).content_hash()
    assert len(source_of(url).probe(None, Images())[1]) == 40


ERRORS: dict[str, tuple[str, str]] = {  # location, what is said of it
    "no bucket": ("s3://nowhere/a.mp4", "s3://nowhere: there is no such bucket; check the URL"),
    "no key": (f"s3://{BUCKET}/none.mp4", f"s3://{BUCKET}/none.mp4: there is no such object"),
    "no folder": (f"s3://{BUCKET}/none/", f"s3://{BUCKET}/none/: holds no pictures"),
    "no picture fits": (f"s3://{BUCKET}/none/x%03d.png", "x%03d.png: is the name of no file"),
    "nothing named": ("s3://", "names no bucket; write s3://BUCKET/KEY"),
    "not a bucket's name": ("s3://a b/a.mp4", "is not the name of a bucket"),
    "empty": (f"s3://{BUCKET}/empty.mp4", "empty.mp4: is empty (0 bytes)"),
    "text": (f"s3://{BUCKET}/text.mp4", "text.mp4: cannot be read as a video"),
    "playlist": (f"s3://{BUCKET}/list.m3u8", "list.m3u8: cannot be read as a video"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_what_is_wrong_is_one_line(bucket: Bucket, name: str) -> None:
    location, said = ERRORS[name]
    bucket.put("empty.mp4", b"")
    bucket.put("text.mp4", b"This is not a video.\n" * 400)
    bucket.put("a.ts", b"")
    bucket.put("list.m3u8", f"#EXTM3U\n#EXTINF:1,\ns3://{BUCKET}/a.ts\n#EXTINF:1,\nfile:///etc/passwd\n".encode())
    with pytest.raises(BadVideo) as caught:
        source_of(location).check()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


ANSWERS = {  # what a store may answer, and what is said of it
    ("AccessDenied", 403): "access is denied",
    ("SlowDown", 503): "the store asks for fewer requests",
    ("ExpiredToken", 400): "the credentials have expired",
    ("SignatureDoesNotMatch", 403): "the secret key does not fit",
    ("", 403): "access is denied",  # an answer without a body
}


@pytest.mark.parametrize(("answer", "said"), ANSWERS.items())
def test_what_a_store_refuses_is_explained(answer: tuple[str, int], said: str, refusing_store) -> None:
    refusing_store(*answer)
    with pytest.raises(BadVideo, match=said):
        S3File("films", "a.mp4").read_bytes()
    with pytest.raises(BadOutput, match=said):
        upload.Upload("films", "a.mp4")


@pytest.fixture
def refusing_store(monkeypatch):
    """A server that answers everything in one way."""
    import http.server
    import threading

    servers = []

    def start(code: str, status: int) -> None:
        class Refuses(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode() if code else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_PUT = do_POST = do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Quiet."""

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_MAX_ATTEMPTS": "1", "AWS_REGION": "us-east-1", "NO_PROXY": "127.0.0.1",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_no_network_and_no_credentials_are_told_apart(monkeypatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(BadVideo, match="there are no credentials for it; check AWS_PROFILE"):
        source_of("s3://films/a.mp4")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(BadVideo, match="the store cannot be reached; check the network, and AWS_ENDPOINT_URL"):
        source_of("s3://films/a.mp4")


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    _seen.clear()
    _hashed.clear()
    clients._client.cache_clear()
