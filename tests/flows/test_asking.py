"""The policy `ask`: a run waits for an answer, and holds nothing meanwhile; faces are in Prefect until it is there, and no longer."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flows.audit import mark_of, read_lines
from flows.forget_runs import hide_left_faces
from flows.job_record import find_job
from flows.local_database import local_database
from flows.run_names import FACES
from flows.shown_faces import FacePictures, _links
from tasks.errors import BadSetting
from tasks.results import ObjectStore
from tests.buckets import Bucket
from tests.clips import Clip
from tests.fakes import video_info
from tests.flows.deployed import Deployed, artifacts_of
from tests.flows.looking import HIDDEN, SHOWN, likenesses
from tests.flows.running import run_flow

ASK: dict[str, Any] = {"choose_people": {"policy": "ask"}}
PICTURE = "data:image/jpeg;base64,"


def asked_first(clip: Clip, **in_prefect: Any) -> dict[str, Any]:
    """`ask`, with a photo of Collins for a suggestion."""
    selector = {"method": "known_faces", "photos": [str(clip.photo("collins"))]}
    return {"choose_people": {"policy": "ask", "selectors": [selector]}, "in_prefect": in_prefect}


def test_answer_decides(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    """The whole of it: asked, refused for nonsense, answered by API, started again, and every face gone from Prefect's database."""
    run = Deployed(two_people_clip.video, tmp_path / "out.mp4", asked_first(two_people_clip))

    assert run.go().is_paused()

    assert not list(tmp_path.iterdir()), "a run that waits has written nothing"
    assert find_job(str(run.id)).outcome == "waiting"
    assert FACES in run.run.tags
    words = next(text for key, text in run.inputs().items() if key.endswith("-description"))
    assert words.count(PICTURE) == 2
    collins, hopper = sorted(_suggested(run), key=lambda person: _suggested(run)[person] == "blur")
    assert _suggested(run) == {collins: "keep", hopper: "blur"}, "she is on the photo"
    refused = run.answer(**{collins: "perhaps"})
    assert refused["status"] == "REJECT"
    assert "'perhaps' is not one of ['blur', 'keep']" in refused["details"]["reason"]
    assert run.answer(**{collins: "blur", hopper: "keep"})["status"] == "ACCEPT", "against both suggestions"

    done = run.go()

    assert done.is_completed()
    report = done.result()
    said = {(f"person_{person.person}", person.decision) for person in report.people}
    assert said == {(collins, "blurred"), (hopper, "kept")}
    seen = likenesses(two_people_clip.video, tmp_path / "out.mp4", two_people_clip.truth)
    assert (seen["hopper"] > SHOWN).mean() > 0.98
    assert seen["collins"].max() < HIDDEN
    assert all(stage.num_cached == stage.num_parts for stage in report.stages if stage.stage in ("find_faces", "build_tracks"))
    assert [key.rpartition("-")[2] for key in run.inputs()].count("description") == 0
    assert run.run.tags == [f"video:{report.video[:12]}"]
    assert run.run.name == "video.mp4"
    database = local_database()
    assert database is not None
    assert PICTURE.encode() not in b"".join(path.read_bytes() for path in database.parent.glob(f"{database.name}*"))
    told = [line for line in read_lines() if line.flow_run == str(run.id)]
    assert [line.event for line in told] == ["answered", "answered", "decided", "decided"]
    assert {(f"person_{line.person}", line.decision) for line in told} == said
    assert {line.video for line in told} == {mark_of(report.video)}


def test_how_far_it_is_is_true_after_the_answer(
    shared_store: Path, two_people_clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though what is left is done before anything more is said."""
    run = Deployed(two_people_clip.video, tmp_path / "out.mp4", asked_first(two_people_clip, faces="never"))
    monkeypatch.setattr("flows.pages._SECONDS_BETWEEN", 0.01)
    assert run.go().is_paused()
    assert artifacts_of(run.id)["progress"].description == "waits for an answer"
    run.answer()
    monkeypatch.setattr("flows.pages._SECONDS_BETWEEN", 600)
    assert run.go().is_completed()
    progress = artifacts_of(run.id)["progress"]
    assert (progress.data, progress.description) == (100, "done")


def _suggested(run: Deployed) -> dict[str, str]:
    """What the form has beforehand, by field."""
    form = json.loads(next(text for key, text in run.inputs().items() if key.endswith("-schema")))
    return {name: field["default"] for name, field in form["properties"].items()}


def test_nothing_said_is_what_was_suggested(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    """Who is surely on the photo is kept, everybody else blurred; and without faces in the form, if that is set."""
    run = Deployed(two_people_clip.video, tmp_path / "out.mp4", asked_first(two_people_clip, faces="never"))

    assert run.go().is_paused()
    assert FACES not in run.run.tags
    assert not any(PICTURE in text for text in run.inputs().values())
    assert run.answer()["status"] == "ACCEPT"

    kept = [name for name, then in _suggested(run).items() if then == "keep"]
    report = run.go().result()
    assert [f"person_{person.person}" for person in report.people if person.decision == "kept"] == kept
    assert len(kept) == 1


def test_nobody_to_ask_about(shared_store: Path, no_faces_clip: Clip, tmp_path: Path) -> None:
    run = Deployed(no_faces_clip.video, tmp_path / "out.mp4", ASK)
    assert run.go().is_completed()
    assert run.inputs() == {}


def test_run_without_a_deployment_is_refused(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    """Nobody could start it again."""
    with pytest.raises(BadSetting, match=r"policy ask: waits for an answer .*--decisions"):
        run_flow(two_people_clip.video, tmp_path / "out.mp4", ASK)


def test_links_need_a_bucket(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="links lead to a results store in S3"):
        run_flow(two_people_clip.video, tmp_path / "out.mp4", {"in_prefect": {"faces": "links"}})


def test_links_lead_to_pictures(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """What they lead to is noted of the video, so that it is forgotten with it."""
    monkeypatch.setenv("VEIL_RESULTS", bucket.url("veil"))
    job = SimpleNamespace(records=[])
    job.keeps = job.records.append
    links = _links(job, SimpleNamespace(info=video_info()), {7: b"a picture"}, hours=1)  # type: ignore[arg-type]
    with urllib.request.urlopen(links[7]) as answer:
        assert answer.read() == b"a picture"
        assert answer.headers["Content-Type"] == "image/jpeg"
    (record,) = job.records
    kept = record.read()
    assert isinstance(kept, FacePictures)
    assert ObjectStore().get(kept.refs[0]) == b"a picture"


def test_forms_that_nobody_answered_lose_their_faces(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    """A run that was cancelled, or waited too long, has no more chance to clean up."""
    from prefect.client.orchestration import get_client
    from prefect.states import Cancelled

    run = Deployed(two_people_clip.video, tmp_path / "out.mp4", ASK)
    run.go()
    assert set(_suggested(run).values()) == {"blur"}, "nobody has said of anybody that they may be seen"
    with get_client(sync_client=True) as client:
        hide_left_faces(client)
        assert any(PICTURE in text for text in run.inputs().values()), "it still waits"
        client.set_flow_run_state(run.id, Cancelled(), force=True)
        hide_left_faces(client)
    assert not any(PICTURE in text for text in run.inputs().values())
    assert FACES not in run.run.tags


def test_finished_run_shows_its_people_without_faces(shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    run = Deployed(two_people_clip.video, tmp_path / "out.mp4", {"in_prefect": {"faces": "until_done"}})
    assert run.go().is_completed()
    pages = artifacts_of(run.id)
    assert "| **0** | blurred |" in str(pages["people"].data)
    assert PICTURE not in str(pages["people"].data)
    assert str(pages["summary"].data).startswith("# video.mp4")
    assert FACES not in run.run.tags
