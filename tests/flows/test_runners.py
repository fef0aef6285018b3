"""Segments worked on elsewhere: the same video, to the byte, as on one machine. With real workers and a real Dask cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate

from flows.gathering import Part, done, gathering
from flows.process_segment import part_of, process_segment
from tasks.copying import Stretch
from tasks.errors import BadSetting, BadVideo
from tasks.find_faces import find_faces
from tasks.manifests import SegmentFaces, Video
from tasks.plan import FindFaces
from tasks.results import ObjectStore
from tasks.runners import Dask, Runner, Threads
from tasks.segments import Segment
from tasks.stage import key_of, prepared, stage
from tasks.tracks import Shot
from tests.buckets import Bucket
from tests.clips import Clip
from tests.conftest import use_store
from tests.fakes import frame_index, video_info
from tests.flows.running import SECOND, Run, run_flow
from tests.flows.workers import ROOT, deploy_segments, end_all, runs_of, worker

LIMIT = "one-gpu"


@pytest.fixture(scope="module")
def on_one_machine(prefect_server: str, visits_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("one-machine")
    with pytest.MonkeyPatch.context() as patch:
        use_store(folder / "results", patch)
        return run_flow(visits_clip.video, folder / "out.mp4", SECOND)


@pytest.fixture(scope="module")
def gpu_limit(prefect_server: str) -> str:
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=LIMIT, limit=1))
    return LIMIT


@stage("find_faces")
def finds(source: str, number: int, stretches: tuple[Stretch, ...] = (Stretch(first=0, last=9),)) -> SegmentFaces:
    """A stage that does nothing but say what it was given, and in which process."""
    if number < 0:
        raise BadVideo(source, "is broken", fix="mend it")
    return SegmentFaces(detections_ref=ObjectStore().put("detections", bytes(number)), num_looks=os.getpid(), num_frames=number)


@flow(name="gathers", persist_result=False)
def gathers(runner: Runner, numbers: tuple[int, ...]) -> list[Part[SegmentFaces]]:
    with gathering(runner) as gather:
        return gather(finds, [{"source": "day.mp4", "number": each, "stretches": (Stretch(first=0, last=9),)} for each in numbers])


def test_a_limit_that_is_not_there_is_an_error(empty_store: Path, prefect_server: str) -> None:
    with pytest.raises(Exception, match="must be created before acquiring slots"):
        gathers(Threads(gpu_limit="nobody made it"), (1,))
    assert not list(empty_store.glob("stages/**/*")), "nothing is computed without it"


def test_one_at_a_time_holds_the_gpu(gpu_limit: str, empty_store: Path) -> None:
    assert [part.result.num_frames for part in gathers(Threads(gpu_limit=gpu_limit), (1, 2, 3))] == [1, 2, 3]
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name(gpu_limit).active_slots == 0


# Dask --------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(prefect_server: str, empty_store: Path, tmp_path: Path) -> Iterator[str]:
    """The address of a Dask scheduler with a worker, in processes of their own; they see the store that the test sees."""
    about, started = tmp_path / "scheduler.json", list[subprocess.Popen[bytes]]()

    def start(kind: str, *words: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", str(about), "--no-dashboard", *words]
        quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        started.append(subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, start_new_session=True, **quiet))

    try:
        start("scheduler", "--host", "127.0.0.1", "--port", "0")
        start("worker", "--nthreads", "2", "--local-directory", str(tmp_path))
        give_up = time.monotonic() + 60
        while not about.exists() or not about.read_text():
            assert time.monotonic() < give_up, "no scheduler"
            time.sleep(0.05)
        yield json.loads(about.read_text())["address"]
    finally:
        for process in started:
            end_all(process)


def test_parts_on_dask(cluster: str, gpu_limit: str) -> None:
    here = gathers(Threads(), (1,))
    parts = gathers(Dask(address=cluster, gpu_limit=gpu_limit), (1, 2, 3))
    assert [part.result.num_frames for part in parts] == [1, 2, 3]
    assert [part.known for part in parts] == [True, False, False]
    assert [part.result.num_looks == os.getpid() for part in parts] == [True, False, False], "what is known is not done elsewhere"
    assert parts[0] == here[0]._replace(known=True)
    assert gathers(Threads(), (2,)) == [parts[1]._replace(known=True)]
    with pytest.raises(BadVideo, match=r"day.mp4: is broken; mend it"):
        gathers(Dask(address=cluster), (-1,))


def test_states_and_stages_survive_the_way_between_processes(prefect_server: str, empty_store: Path) -> None:
    @flow(name="states", persist_result=False)
    def states() -> tuple[Part[SegmentFaces], Part[SegmentFaces]]:
        own = cloudpickle.loads(cloudpickle.dumps(prepared(finds)))
        first, second = (own("day.mp4", 3, return_state=True) for _ in range(2))
        return done(cloudpickle.loads(cloudpickle.dumps(first))), done(cloudpickle.loads(cloudpickle.dumps(second)))

    first, second = states()
    assert (first.known, second.known) == (False, True)
    assert first.key == second.key == key_of(finds, {"source": "elsewhere.mp4", "number": 3})
    assert first.result == second.result


@pytest.mark.slow
def test_a_video_on_dask(cluster: str, gpu_limit: str, on_one_machine: Run, tmp_path: Path) -> None:
    runner = {"method": "dask", "address": cluster, "gpu_limit": gpu_limit}
    run = run_flow(on_one_machine.source, tmp_path / "out.mp4", SECOND | {"runner": runner})
    assert run.target.read_bytes() == on_one_machine.target.read_bytes()
    assert run.known == on_one_machine.known
    assert run.decisions == on_one_machine.decisions


# Runs of process-segment -------------------------------------------------------------------------------------------------------


def a_call(source: str = "day.mp4") -> dict[str, Any]:
    info = video_info()
    video = Video(info=info, index_ref=ObjectStore().put("index", frame_index(info).to_bytes()))
    shot = Shot(first=0, last=9, visible_first=0, visible_last=10)
    return {"source": source, "video": video, "segment": Segment(shots=(shot,)), "glance_refs": (), "settings": FindFaces()}


def test_a_part_has_the_same_key_on_every_worker(empty_store: Path) -> None:
    call = a_call()
    part = part_of("find_faces", call, ("source",))
    back = type(part).model_validate_json(part.model_dump_json())
    again = {name: getattr(back, name) for name in type(back).model_fields if name != "stage"} | {"source": "elsewhere.mp4"}
    assert key_of(find_faces, again) == key_of(find_faces, call)


def test_a_worker_of_another_version_refuses(prefect_server: str, empty_store: Path) -> None:
    with pytest.raises(BadSetting, match="another version of Veil"):
        process_segment("day.mp4", part_of("find_faces", a_call(), ("source",)), "find_faces/v1/0123")


def test_a_worker_that_sees_another_file_refuses(prefect_server: str, empty_store: Path, visits_clip: Clip) -> None:
    part = part_of("find_faces", a_call(), ("source",))
    with pytest.raises(BadVideo, match="is another file on this worker"):
        process_segment(str(visits_clip.video), part, key_of(find_faces, a_call()))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_on_two_workers_and_in_s3(
    gpu_limit: str, on_one_machine: Run, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VEIL_RESULTS", bucket.url("results"))
    source = bucket.put("in/day.mp4", on_one_machine.source.read_bytes())
    deployment, pool = deploy_segments()
    runner = {"method": "deployments", "deployment": deployment, "poll_seconds": 1, "gpu_limit": gpu_limit}
    with worker(pool, tmp_path / "one.log"), worker(pool, tmp_path / "two.log"):
        run = run_flow(source, bucket.url("out/day.mp4"), SECOND | {"runner": runner})  # type: ignore[arg-type]
        assert bucket.get("out/day.mp4") == on_one_machine.target.read_bytes()
        assert run.known == on_one_machine.known
        # What is known is not submitted, and where segments are worked on is not part of what they are.
        again = run_flow(source, bucket.url("out/again.mp4"), SECOND | {"runner": runner, "verify_blur": {"every_frames": 6}})  # type: ignore[arg-type]
    made = runs_of(deployment)
    looked, followed = ["day.mp4 find_faces"] * 4, ["day.mp4 follow_faces"] * 4
    assert [each.name.rpartition(" ")[0] for each in made] == [*looked, *followed, *["day.mp4 blur_faces"] * (len(made) - 8)]
    assert {stage: cached for stage, (cached, _) in again.known.items()}["find_faces"] == 4
    assert len(made) == len({each.idempotency_key for each in made}) <= 12


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_that_is_gone(on_one_machine: Run, empty_store: Path, tmp_path: Path) -> None:
    """It loses power in the middle of its first segment; what it had is done by another one."""
    deployment, pool = deploy_segments()
    runner = {"method": "deployments", "deployment": deployment, "poll_seconds": 1, "lost_seconds": 10}
    ran: list[Run] = []
    todo = (on_one_machine.source, tmp_path / "out.mp4", SECOND | {"runner": runner})
    waits = threading.Thread(target=lambda: ran.append(run_flow(*todo)), daemon=True)
    with worker(pool, tmp_path / "one.log") as first:
        waits.start()
        give_up = time.monotonic() + 120
        while not [run for run in runs_of(deployment) if run.state and run.state.is_running()]:
            assert time.monotonic() < give_up, "nothing is running"
            time.sleep(0.1)
        end_all(first)
    with worker(pool, tmp_path / "two.log"):
        waits.join(timeout=240)
    assert [run.target.read_bytes() for run in ran] == [on_one_machine.target.read_bytes()]
    assert "Crashed" in {run.state.name for run in runs_of(deployment) if run.state}
