"""Nobody who can reach a server, or write to a store, runs code here by what he says of a result."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import cloudpickle
import pytest
from prefect.client.schemas.objects import State
from prefect.results import ResultRecordMetadata
from prefect.serializers import PickleSerializer
from prefect.states import Completed

import tasks.stage  # noqa: F401  # it is what makes results be read so
from flows.request import Finished, check_request, finished_before
from tasks.results import manifest_to_bytes
from tasks.stores.settings import results_store
from tests.clips import Clip
from tests.flows.running import run_flow


class Planted:
    """Runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self._mark,)


def metadata(stored: Path, **serializer: object) -> dict[str, object]:
    return {"storage_key": str(stored), "prefect_version": "3.8.8", "serializer": serializer}


def planted_result(folder: Path) -> tuple[Path, Path]:
    """A stored result that makes a file where it is unpickled, and that file."""
    mark, stored = folder / "was-here", folder / "result"
    blob = base64.encodebytes(cloudpickle.dumps(Planted(mark))).decode()
    stored.write_text(json.dumps({"metadata": metadata(stored, type="pickle", picklelib="cloudpickle"), "result": blob}))
    return stored, mark


def test_the_planted_result_runs_code_where_it_is_unpickled(tmp_path: Path) -> None:
    """Or the tests below show nothing."""
    stored, mark = planted_result(tmp_path)
    PickleSerializer().loads(json.loads(stored.read_text())["result"].encode())
    assert mark.exists()


@pytest.mark.parametrize(
    "serializer",
    [
        {"type": "pickle", "picklelib": "cloudpickle"},
        {"type": "compressed/pickle"},
        {"type": "compressed", "serializer": {"type": "pickle"}},
        {"type": "json", "object_decoder": "subprocess.Popen"},
        {"type": "json", "jsonlib": "pickle"},
    ],
)
def test_a_result_is_read_as_a_manifest_or_not_at_all(serializer, tmp_path: Path) -> None:
    stored, mark = planted_result(tmp_path)
    said = metadata(stored, **serializer)
    content = json.loads(stored.read_text())
    blob = json.dumps({"touch": 1, str(mark): 2}) if serializer["type"] == "json" else content["result"]
    stored.write_text(json.dumps({"metadata": said, "result": blob}))
    state: State[object] = Completed(data=ResultRecordMetadata.model_validate(said))
    with pytest.raises(RuntimeError, match="not available"):
        state.result()
    assert not mark.exists()


def test_the_name_of_a_module_in_metadata_imports_nothing(tmp_path: Path) -> None:
    planted = f"from pathlib import Path\nPath({str(tmp_path / 'was-here')!r}).touch()\ndumps = loads = print\n"
    (tmp_path / "planted_module.py").write_text(planted)
    code = f"""
        import tasks.stage
        from prefect.results import ResultRecordMetadata
        ResultRecordMetadata.model_validate({metadata(tmp_path / "result", type="pickle", picklelib="planted_module")!r})
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code)], check=True, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert not (tmp_path / "was-here").exists()


_SETS_IT_DONE = """
import encodings.idna, json, os, sys, urllib.request
address, flow_run, stored = sys.argv[1:]
os.setuid(65534) if os.getuid() == 0 else None  # as another account, where that can be
said = {"storage_key": stored, "prefect_version": "3.8.8", "serializer": {"type": "pickle", "picklelib": "cloudpickle"}}
state = {"state": {"type": "COMPLETED", "name": "Completed", "data": said}, "force": True}
place, kind = f"{address}/flow_runs/{flow_run}/set_state", {"Content-Type": "application/json"}
request = urllib.request.Request(place, json.dumps(state).encode(), kind)
print(urllib.request.urlopen(request).status)
"""


def test_a_run_that_a_stranger_says_is_done_runs_nothing_here(prefect_server: str, two_people_clip: Clip, tmp_path: Path) -> None:
    """A server without a password: anybody at it sets the run that a command is about to make to done, with a result of his own."""
    from prefect.client.orchestration import get_client
    from prefect.flow_engine import run_flow

    from flows.blur_video import blur_video

    stored, mark = planted_result(tmp_path)
    stored.chmod(0o644)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    said = {"source": str(two_people_clip.video), "target": str(tmp_path / "out.mp4"), "plan": {}}
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(blur_video, parameters=said)
        attack = [sys.executable, "-c", _SETS_IT_DONE, prefect_server, str(run.id), str(stored)]
        assert subprocess.run(attack, stdout=subprocess.PIPE, text=True, check=True, cwd="/").stdout.strip() == "201"
        run = client.read_flow_run(run.id)
    with pytest.raises(RuntimeError, match="not available"):
        run_flow(blur_video, flow_run=run, parameters=said, return_type="result")
    assert not mark.exists()
    assert not (tmp_path / "out.mp4").exists()


def test_nobody_makes_the_source_its_own_result(two_people_clip: Clip, empty_store: Path, prefect_server: str, tmp_path: Path) -> None:
    """Who can write to the store and to the target says that the job is done, and that the source is what came of it."""
    target = tmp_path / "out.mp4"
    done = run_flow(two_people_clip.video, target, {})
    request = check_request(str(two_people_clip.video), str(target), done.report.plan, overwrite=True)
    finished = request.record.read()
    assert isinstance(finished, Finished)
    assert finished_before(request) == done.report
    shutil.copy(two_people_clip.video, target)
    forged = finished.model_copy(update={"output_sha256": request.source_sha256})
    seal = results_store().read(request.record.key).partition(b"\n")[0]
    for planted in (manifest_to_bytes(forged), seal + b"\n" + manifest_to_bytes(forged)):
        results_store().write(request.record.key, planted)
        assert request.record.read() is None
        assert finished_before(request) is None
    request.record.write(forged)
    assert request.record.read() == forged, "by somebody who has the key"
    assert finished_before(request) is None, "a face had to be covered, and the source shows it"
