"""Looking for faces in what was written."""

from __future__ import annotations

import av
import pytest

from tasks.checking import check, frames_to_check
from tasks.finder import Finder
from tasks.tracks import Cover
from tests.fakes import NO_EMBEDDING, ScriptedDetector, ScriptedRecogniser, Seen, numbered_picture, square, still, video_info

ANNA, OTHER = (0.0, 0.0), (1.0, 0.0)
PLACE = square(60, 50, 20)
TRACKS = [still(0, 9, PLACE, embedding=ANNA), still(0, 9, PLACE, embedding=NO_EMBEDDING), still(0, 9, square(140, 50, 20), embedding=OTHER)]


def checked(faces, *, covered=(), kept=()):
    script = {3: faces}
    finder = Finder(ScriptedDetector(script), ScriptedRecogniser(script))
    frames = [(number, av.VideoFrame.from_ndarray(numbered_picture(number), "bgr24")) for number in (2, 3)]
    cover, visible = Cover.from_tracks(TRACKS, list(covered)), Cover.from_tracks(TRACKS, list(kept))
    return check(frames, video_info(width=192, height=96), cover, visible, TRACKS, finder, (0.6, 0.4))


ROWS = [
    ([], {}, []),
    ([Seen(PLACE, 0.9, OTHER)], {}, ["uncovered"]),  # nobody had seen it
    ([Seen(PLACE, 0.6, OTHER)], {}, ["uncovered"]),
    ([Seen(PLACE, 0.5, OTHER)], {}, []),  # not sure enough
    ([Seen(PLACE, 0.9, OTHER)], {"covered": [0]}, []),  # a detector finds a face under the blur; it is like nobody
    ([Seen(square(63, 50, 16), 0.9, OTHER)], {"covered": [0]}, []),  # a part of it
    ([Seen(PLACE, 0.9, ANNA)], {"kept": [0]}, []),  # meant to be seen
    ([Seen(square(140, 50, 20), 0.9, ANNA)], {"covered": [0]}, ["uncovered"]),  # beside the cover
    ([Seen(PLACE, 0.9, (0.39, 0.0))], {"covered": [0]}, ["recognisable"]),  # nearer than it may be
    ([Seen(PLACE, 0.9, (0.41, 0.0))], {"covered": [0]}, []),
    ([Seen(PLACE, 0.9, NO_EMBEDDING)], {"covered": [0]}, []),
    ([Seen(PLACE, 0.9, ANNA)], {"covered": [1]}, []),  # of the covered face nothing is known
    pytest.param(
        *([Seen(PLACE, 0.9, ANNA)], {"covered": [0, 1]}, ["recognisable"]),
    ),
]


@pytest.mark.parametrize(("faces", "decided", "kinds"), ROWS)
def test_findings(faces, decided, kinds) -> None:
    findings, missed = checked(faces, **decided)
    assert [(finding.kind, finding.frame) for finding in findings] == [(kind, 3) for kind in kinds]
    assert (missed is not None) == ("uncovered" in kinds)
    if missed is not None:
        assert missed.frames.tolist() == [3]
        assert missed.looked.tolist() == [3]


def test_a_finding_says_where_and_how_like() -> None:
    ((uncovered,), _), ((recognisable,), _) = checked([Seen(PLACE, 0.9)]), checked([Seen(PLACE, 0.9, (0.3, 0.0))], covered=[0])
    assert (uncovered.left, uncovered.top, uncovered.right, uncovered.bottom) == (50, 40, 70, 60)
    assert (uncovered.score, uncovered.distance) == (0.9, None)
    assert recognisable.distance == pytest.approx(0.3)


@pytest.mark.parametrize("num_frames", [*range(1, 30), 1000])
def test_no_video_is_too_short_to_be_checked(num_frames: int) -> None:
    checked = frames_to_check(num_frames, 12)
    assert len(checked) >= 1
    assert max(checked) < num_frames <= max(checked) + 12
