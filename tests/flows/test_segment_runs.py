"""What the runner `deployments` submits, submits again, gives a twin and gives up; against a real server, with scripted workers."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.schemas.objects import FlowRun
from prefect.results import ResultRecord, ResultRecordMetadata
from prefect.states import Cancelled, Completed, Crashed, Failed, Running

from flows.segment_runs import SegmentFailed, Wanted, run_segments
from tasks.errors import BadSetting, StoreError
from tasks.find_faces import find_faces
from tasks.manifests import SegmentFaces, Video
from tasks.plan import FindFaces
from tasks.results import ObjectStore
from tasks.runners import Deployments
from tasks.segments import Segment
from tasks.stage import ManifestSerializer, Records
from tasks.tracks import Shot
from tests.fakes import frame_index, video_info
from tests.flows.workers import deploy_segments, hands, runs_of

QUICK = {"poll_seconds": 0.2, "lost_seconds": 1.5, "straggler_seconds": 1.0}  # less than a plan can say
Script = Callable[[FlowRun, Any], None]


@pytest.fixture(scope="module")
def deployment(prefect_server: str) -> str:
    return deploy_segments()[0]


@pytest.fixture
def parts(empty_store: Path) -> list[Wanted]:
    """Five segments of a video that nobody opens; another one in each test, as each has another store."""
    info = video_info(content_hash=f"{time.time_ns():064x}")
    video = Video(info=info, index_ref=ObjectStore().put("index", frame_index(info).to_bytes()))
    shots = [Shot(first=first, last=first + 19, visible_first=first, visible_last=first + 20) for first in range(0, 100, 20)]
    calls = [
        {"source": "day.mp4", "video": video, "segment": Segment(shots=(shot,)), "glance_refs": (), "settings": FindFaces()}
        for shot in shots
    ]
    return [Wanted.of(find_faces, call) for call in calls]


def gather(parts: Sequence[Wanted], deployment: str, again: bool = False, **changes: Any) -> list[str]:
    """Names of the parts, as they are done, in a real flow run."""
    told: list[str] = []
    runner = Deployments(deployment=deployment).model_copy(update=QUICK | changes)

    @flow(name="waits", persist_result=False)
    def waits() -> None:
        run_segments(parts, runner, again=again, done=lambda part: told.append(part.name))

    waits()
    return told


def keep(run: FlowRun) -> None:
    """Puts some result where the run's belongs."""
    faces = SegmentFaces(detections_ref=ObjectStore().put("detections", run.name.encode()), num_looks=1, num_frames=20)
    record = ResultRecord(result=faces, metadata=ResultRecordMetadata(serializer=ManifestSerializer()))
    Records().write_path(run.parameters["key"], record.serialize())


def well(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Running())
    keep(run)
    client.set_flow_run_state(run.id, Completed(), force=True)


def silent(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Running())


def crash(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Crashed(message="out of memory"), force=True)


def cancelled(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Cancelled(), force=True)


def fail(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Failed(message="BadVideo: day.mp4: is broken; mend it"), force=True)


def nothing_kept(run: FlowRun, client: Any) -> None:
    client.set_flow_run_state(run.id, Completed(), force=True)


def kept_then_crashed(run: FlowRun, client: Any) -> None:
    keep(run)
    crash(run, client)


class Scripted:
    """By part and try what a worker does; `well` where nothing is said. Notes how often each part was taken."""

    def __init__(self, **scripts: Sequence[Script]) -> None:
        self.scripts = scripts
        self.taken: defaultdict[str, int] = defaultdict(int)

    def __call__(self, run: FlowRun, client: Any) -> None:
        part = run.name.rpartition(" ")[2]
        script = self.scripts.get(f"frames_{part.partition('-')[0]}", ())
        number = self.taken[part]
        self.taken[part] += 1
        (script[number] if number < len(script) else well)(run, client)


def test_all_results_come(parts: list[Wanted], deployment: str) -> None:
    work = Scripted(
        frames_20=[crash, crash],  # out of memory, a machine that was taken away
        frames_40=[cancelled],  # another job that wanted it too has failed
        frames_60=[silent],  # lost: nobody works on it, and nobody says so
        frames_80=[kept_then_crashed],  # the result is what counts
    )
    with hands(deployment, work):
        told = gather(parts, deployment)
    assert work.taken == {"0-19": 1, "20-39": 3, "40-59": 2, "60-79": 2, "80-99": 1}
    assert sorted(told) == sorted(part.name for part in parts), "each is told of once"
    assert all(isinstance(part.result, SegmentFaces) for part in parts)


GOES_WRONG = [
    ({"frames_20": [fail]}, SegmentFailed, "day.mp4 find_faces 20-39: failed on a worker .*BadVideo: day.mp4: is broken", 1),
    ({"frames_20": [crash] * 9}, SegmentFailed, "was lost 3 times, the last time as Crashed: out of memory", 3),
    ({"frames_20": [nothing_kept]}, StoreError, "its result is not here; give this machine and the workers the same one", 1),
]


@pytest.mark.parametrize(("scripts", "error", "says", "times"), GOES_WRONG)
def test_a_part_that_cannot_be_had_ends_the_run(
    scripts: dict[str, Any], error: type[Exception], says: str, times: int, parts: list[Wanted], deployment: str
) -> None:
    work = Scripted(**scripts, frames_0=[silent])
    with hands(deployment, work), pytest.raises(error, match=says):
        gather(parts[:2], deployment, lost_seconds=60)
    assert work.taken["20-39"] == times
    (still,) = [run for run in runs_of(deployment) if run.parameters["key"] == parts[0].key]
    assert still.state is not None
    assert still.state.name in {"Cancelling", "Cancelled"}, "nobody goes on with what is not wanted any more"


def test_a_straggler_gets_a_twin_and_the_first_result_wins(parts: list[Wanted], deployment: str) -> None:
    work = Scripted(frames_60=[silent])
    with hands(deployment, work):
        gather(parts[:4], deployment, lost_seconds=60)
    assert work.taken == {"0-19": 1, "20-39": 1, "40-59": 1, "60-79": 2}
    first, second = [run for run in runs_of(deployment) if run.parameters["key"] == parts[3].key]
    assert first.state is not None
    assert second.state is not None
    assert first.state.name in {"Cancelling", "Cancelled"}
    assert second.state.name == "Completed"


def same(parts: Sequence[Wanted]) -> list[Wanted]:
    """As another flow run wants them."""
    return [Wanted(part.name, part.stage, part.key, part.num_frames, part.parameters) for part in parts]


def test_two_jobs_at_once_want_a_part_done_once(parts: list[Wanted], deployment: str) -> None:
    ours, theirs, work = same(parts[:2]), same(parts[:2]), Scripted()
    other = threading.Thread(target=gather, args=(theirs, deployment))
    other.start()
    give_up = time.monotonic() + 60
    while not any(part.runs for part in theirs) and time.monotonic() < give_up:
        time.sleep(0.02)
    with hands(deployment, work):
        gather(ours, deployment)
        other.join(timeout=60)
    assert work.taken == {"0-19": 1, "20-39": 1}
    assert [part.result for part in ours] == [part.result for part in theirs] != [None, None]


def test_a_job_that_was_killed_finds_its_runs_again(parts: list[Wanted], deployment: str) -> None:
    killed = same(parts[:2])
    killed[1].parameters = KilledHere()
    with pytest.raises(KeyboardInterrupt):
        gather(killed, deployment)
    (waiting,) = killed[0].runs
    work = Scripted()
    with hands(deployment, work):
        gather(parts[:2], deployment)
    assert work.taken == {"0-19": 1, "20-39": 1}
    assert [run.id for run in runs_of(deployment) if run.parameters["key"] == parts[0].key] == [waiting]


class KilledHere(dict[str, Any]):
    """Parameters at whose use the job is killed."""

    def __or__(self, _: object) -> dict[str, Any]:  # type: ignore[override]
        raise KeyboardInterrupt


def test_again_has_them_computed_though_they_are_known(parts: list[Wanted], deployment: str) -> None:
    work = Scripted()
    with hands(deployment, work):
        gather(parts[:1], deployment)
        gather(same(parts[:1]), deployment, again=True)
    assert work.taken == {"0-19": 2}


def test_what_was_done_before_and_is_gone_is_done_again(parts: list[Wanted], deployment: str, empty_store: Path) -> None:
    work = Scripted()
    with hands(deployment, work):
        gather(parts[:1], deployment)
        (empty_store / "stages" / parts[0].key).unlink()
        gather(same(parts[:1]), deployment)
    assert work.taken == {"0-19": 2}


def test_a_deployment_that_is_not_there(parts: list[Wanted], prefect_server: str) -> None:
    with pytest.raises(BadSetting, match=r"nobody/here: is not on Prefect's server; make it with `veil deploy`"):
        gather(parts, "nobody/here")


def test_parameters_hold_nothing_of_what_was_seen(parts: list[Wanted]) -> None:
    for part in parts:
        assert part.parameters.keys() == {"source", "part", "key", "gpu_limit"}
        assert part.parameters["part"].keys() == {"stage", "video", "segment", "glance_refs", "settings"}
        assert len(str(part.parameters)) < 10_000
