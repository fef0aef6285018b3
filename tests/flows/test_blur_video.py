"""The whole pipeline: real flow, real models, a real Prefect server, real faces."""

from __future__ import annotations

import json
import os
import pickletools
import shutil
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prefect.task_runners import ThreadPoolTaskRunner

from flows.blur_video import blur_video
from flows.job import segments_at_once
from tasks.models.session import num_cores
from tasks.stores.seal import believed_or_not
from tasks.video.target import this_machine
from tests.clips import Clip
from tests.conftest import use_store
from tests.flows.looking import HIDDEN, SHOWN, grey_frames, likenesses, sound_packets
from tests.flows.running import SECOND, Run, at, keep, only, run_flow

NOTHING_BEFORE_CHOICE = {"probe_video", "find_shots", "find_faces", "follow_faces", "build_tracks"}


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("outputs")


@pytest.fixture(scope="module")
def everyone(shared_store: Path, visits_clip: Clip, outputs: Path) -> Run:
    return run_flow(visits_clip.video, outputs / "everyone.mp4", SECOND)


@pytest.fixture(scope="module")
def kept(everyone: Run, visits_clip: Clip, outputs: Path) -> Run:
    """Collins stays, after everyone was blurred."""
    return run_flow(visits_clip.video, outputs / "keep.mp4", SECOND | keep(visits_clip.photo("collins")))


# Who shows, and who does not -----------------------------------------------------------------------------------------------------

COLLINS_AT, HOPPER_AT = (0.2, 425.0, 155.0), (3.0, 450.0, 205.0)  # seconds, x, y in `two_people_clip`
ROWS: list[tuple[str, dict[str, Any], set[str]]] = [  # id, who (a photo is said by its person), who is hidden
    ("everyone", {}, {"collins", "hopper"}),
    ("keep", {"keep": "collins"}, {"hopper"}),  # the everyday case
    ("keep both", {"keep": "both"}, set()),  # a folder of photos
    ("only", {"only": "hopper"}, {"hopper"}),
    ("at", {"at": COLLINS_AT}, {"collins"}),  # picked in the first shot, hidden in the second too
    ("at, returned", {"at": HOPPER_AT}, {"hopper"}),  # picked in the second shot: hidden before she left, and after, in the first
    ("keep picked", {"at": HOPPER_AT, "policy": "keep_only"}, {"collins"}),
]


@pytest.mark.parametrize(("who", "hidden"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_right_faces_are_gone(who: dict[str, Any], hidden: set[str], shared_store: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    clip = two_people_clip
    run = run_flow(clip.video, tmp_path / "out.mp4", _chosen(who, clip))

    seen = likenesses(clip.video, run.target, clip.truth)
    for person, values in seen.items():
        if person in hidden:
            assert values.max() < HIDDEN, f"{person} shows in frames {np.flatnonzero(values >= HIDDEN)[:9]}"
        else:
            assert (values < SHOWN).mean() < 0.02, f"{person} is hidden in part, in {(values < SHOWN).mean():.0%} of the frames"
    assert sorted(decision for _, decision in run.decisions) == sorted("blurred" if each in hidden else "kept" for each in seen)
    if "keep" in who or "only" in who:
        named = {person.name: person.decision for person in run.report.people if person.reason.startswith("looks like ") and person.name}
        asked = {"collins", "hopper"} if "both" in who.values() else set(who.values())
        assert asked <= named.keys()
    assert not run.report.findings
    _assert_same_but_for_the_picture(clip.video, run.target)
    assert [each.name for each in tmp_path.iterdir()] == ["out.mp4"], "something is left beside the target"


def _chosen(who: dict[str, Any], clip: Clip) -> dict[str, Any]:
    def photo(name: str) -> Path:
        return clip.folder / "refs" if name == "both" else clip.photo(name)  # type: ignore[arg-type]

    if "at" in who:
        return at(*who["at"], policy=who.get("policy", "blur_only"))
    return keep(photo(who["keep"])) if "keep" in who else only(photo(who["only"])) if "only" in who else {}


def _assert_same_but_for_the_picture(source: Path, result: Path) -> None:
    before, after = grey_frames(source), grey_frames(result)
    assert len(before[0]) == len(after[0])
    assert before[1] == after[1], "frames are shown at other times"
    assert before[0][0].shape == after[0][0].shape
    assert sound_packets(source) == sound_packets(result)


def test_segments_keep_frames_times_and_sound(everyone: Run) -> None:
    _assert_same_but_for_the_picture(everyone.source, everyone.target)


def test_segments_hide_as_a_whole_does(everyone: Run, visits_clip: Clip) -> None:
    for person, values in likenesses(everyone.source, everyone.target, visits_clip.truth).items():
        assert values.max() < HIDDEN, f"{person} shows in frames {np.flatnonzero(values >= HIDDEN)[:9]}"


def test_everyone_leaves_nobody_where_nobody_is(shared_store: Path, no_faces_clip: Clip, tmp_path: Path) -> None:
    run = run_flow(no_faces_clip.video, tmp_path / "out.mp4", {})

    assert run.report.warnings == ("no face was found in the whole video",)
    assert run.report.num_covered_frames == 0
    _assert_same_but_for_the_picture(run.source, run.target)


# What is done again, and what is not -----------------------------------------------------------------------------------------


def test_same_again_does_nothing(everyone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = everyone.target.stat()
    monkeypatch.setattr("flows.blur_video.Job", None)  # no stage can run

    again = run_flow(everyone.source, everyone.target, SECOND)

    assert again.report == everyone.report
    after = everyone.target.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_same_again_for_a_renamed_source(everyone: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.blur_video.Job", None)
    elsewhere = tmp_path / "other name.mp4"
    shutil.copy(everyone.source, elsewhere)

    assert run_flow(elsewhere, everyone.target, SECOND).report == everyone.report


def test_other_people_render_only_what_changed(kept: Run) -> None:
    assert {stage: parts for stage, parts in kept.known.items() if stage in NOTHING_BEFORE_CHOICE} == {
        "probe_video": (1, 1),
        "find_shots": (1, 1),
        "find_faces": (4, 4),
        "follow_faces": (4, 4),
        "build_tracks": (1, 1),
    }
    assert kept.known["choose_people"] == (0, 1)
    assert kept.known["blur_faces"] == (2, 4), "Hopper's and nobody's segments stay, Collins's two do not"
    assert kept.known["verify_blur"] == (0, 1)


def test_same_cover_said_otherwise_renders_nothing(kept: Run, visits_clip: Clip, outputs: Path) -> None:
    run = run_flow(visits_clip.video, outputs / "only.mp4", SECOND | only(visits_clip.photo("hopper")))

    assert run.known["blur_faces"] == (4, 4)
    assert run.target.read_bytes() == kept.target.read_bytes()


@pytest.fixture(scope="module")
def blurred_otherwise(everyone: Run, outputs: Path) -> Run:
    return run_flow(everyone.source, outputs / "solid.mp4", SECOND | {"blur_faces": {"blur": {"method": "solid"}}})


def test_other_blur_renders_only(blurred_otherwise: Run, everyone: Run) -> None:
    known = blurred_otherwise.known
    assert all(known[stage][0] == known[stage][1] for stage in [*NOTHING_BEFORE_CHOICE, "choose_people"])
    assert known["blur_faces"] == (0, 4)
    assert blurred_otherwise.target.read_bytes() != everyone.target.read_bytes()


def test_other_blur_is_verified(blurred_otherwise: Run) -> None:
    assert blurred_otherwise.known["verify_blur"] == (0, 1)


def test_review_shows_faces_and_says_so(kept: Run, visits_clip: Clip, outputs: Path) -> None:
    """Boxes without a blur: only choosing and rendering are done again, and what is seen on purpose is no finding."""
    review = {"blur_faces": {"show": "boxes", "blur": {"method": "none"}}}
    run = run_flow(kept.source, outputs / "review.mp4", SECOND | keep(visits_clip.photo("collins")) | review)
    assert run.report.warnings[0] == "this is for review only: it shows the faces that should be covered"
    assert [finding for finding in run.report.findings if finding.kind == "recognisable"] == []
    assert run.decisions == kept.decisions
    assert all(run.known[stage][0] == run.known[stage][1] for stage in NOTHING_BEFORE_CHOICE)
    seen = likenesses(visits_clip.video, run.target, visits_clip.truth)
    assert all(min(values) > HIDDEN for values in seen.values())


def test_removed_target_is_joined_from_the_cache(kept: Run) -> None:
    before = kept.target.read_bytes()
    kept.target.unlink()

    again = run_flow(kept.source, kept.target, SECOND | {"choose_people": kept.report.plan.choose_people.model_dump()})

    assert again.target.read_bytes() == before
    assert all(num_known == num_parts for stage, (num_known, num_parts) in again.known.items() if stage != "verify_blur")


def test_changed_target_is_not_taken_for_done(everyone: Run, outputs: Path) -> None:
    target = outputs / "changed.mp4"
    target.write_bytes(b"x" + everyone.target.read_bytes())

    run_flow(everyone.source, target, SECOND, overwrite=True)

    assert target.read_bytes() == everyone.target.read_bytes()


def test_fresh_store_gives_the_same_bytes(everyone: Run, empty_store: Path, tmp_path: Path) -> None:
    run = run_flow(everyone.source, tmp_path / "out.mp4", SECOND)

    assert all(num_known == 0 for num_known, _ in run.known.values())
    assert run.target.read_bytes() == everyone.target.read_bytes()
    assert run.report.people == everyone.report.people


def test_segments_leave_no_mark_on_who_is_found(everyone: Run, outputs: Path) -> None:
    whole = run_flow(everyone.source, outputs / "whole.mp4", {})

    assert whole.known["find_faces"][1] == 1
    assert [(person.decision, person.num_tracks) for person in whole.report.people] == [
        (person.decision, person.num_tracks) for person in everyone.report.people
    ]
    assert whole.report.num_covered_frames == pytest.approx(everyone.report.num_covered_frames, abs=2)


def test_segments_side_by_side_give_the_same_bytes(everyone: Run, empty_store: Path, tmp_path: Path) -> None:
    side_by_side = blur_video.with_options(task_runner=ThreadPoolTaskRunner(max_workers=4), result_storage=empty_store / "stages")
    side_by_side(everyone.source, tmp_path / "out.mp4", everyone.report.plan)
    assert (tmp_path / "out.mp4").read_bytes() == everyone.target.read_bytes()


@pytest.mark.parametrize(("given", "expected"), [("3", 3), ("0", 1), ("many", None), (None, None)])
def test_how_many_segments_side_by_side(given: str | None, expected: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VEIL_SEGMENTS_AT_ONCE", raising=False)
    if given:
        monkeypatch.setenv("VEIL_SEGMENTS_AT_ONCE", given)
    assert segments_at_once() == expected or (expected is None and segments_at_once() == max(1, num_cores() // 4))


@pytest.mark.parametrize("damage", ["gone", "changed", "cut short"])
def test_damaged_segment_is_rendered_again(damage: str, everyone: Run, visits_clip: Clip, tmp_path: Path) -> None:
    """What is stored is not trusted: the same bytes come out, or an error that says to run again, never another picture."""
    store = tmp_path / "store"
    shutil.copytree(Path(os.environ["VEIL_RESULTS"]), store)
    largest = max((store / "objects" / "pictures").iterdir(), key=lambda path: path.stat().st_size)
    content = largest.read_bytes()
    if damage == "gone":
        largest.unlink()
    else:
        largest.write_bytes(content[: len(content) // 2] if damage == "cut short" else content[:-9] + b"different")
    target = tmp_path / "out" / "out.mp4"
    target.parent.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        use_store(store, patch)
        run = run_flow(everyone.source, target, SECOND)
    assert run.target.read_bytes() == everyone.target.read_bytes()


# The results store ---------------------------------------------------------------------------------------------------------------


def test_store_holds_no_code(kept: Run, shared_store: Path) -> None:
    for path in (path for path in shared_store.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not _is_pickle(content), path
        if path.is_relative_to(shared_store / "objects"):
            assert path.parent.name == "pictures" or content.startswith(b"PK"), f"{path} is no archive of arrays"
            continue
        if path.is_relative_to(shared_store / "audit"):
            assert all(isinstance(json.loads(line), dict) for line in content.splitlines()), path
            continue
        assert content.startswith(b"veil-record-1 "), path
        record = json.loads(believed_or_not(content))
        if path.is_relative_to(shared_store / "stages"):
            assert record["metadata"]["serializer"]["type"] == "veil-manifest", path
            record = json.loads(record["result"])
        assert record.keys() == {"manifest", "content"}, path


def _is_pickle(content: bytes) -> bool:
    try:
        return any(opcode.name in {"GLOBAL", "STACK_GLOBAL", "REDUCE", "PROTO"} for opcode, _, _ in pickletools.genops(content))
    except ValueError:
        return False


def test_store_is_the_owners_alone(kept: Run, shared_store: Path) -> None:
    assert stat.S_IMODE(shared_store.stat().st_mode) == 0o700, "what is inside is then out of reach, whatever its own mode"


def test_store_has_no_unfinished_objects(kept: Run, shared_store: Path) -> None:
    assert not list(shared_store.rglob(".new-*"))


def test_leftovers_of_a_killed_run_are_cleaned(everyone: Run, outputs: Path) -> None:
    """A process that was killed could not: the next one for the same target has to."""
    left = outputs / f".left.unfinished-{this_machine()}-999999999.mp4"
    left.write_bytes(b"half a video")

    run_flow(everyone.source, outputs / "left.mp4", SECOND)

    assert not left.exists()
