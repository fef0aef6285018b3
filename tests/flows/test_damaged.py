"""A damaged recording through the whole flow: what a decoder concealed is covered whole, also where everybody stays visible."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tasks.errors import BadVideo
from tests.clips import Clip
from tests.flows.looking import grey_frames
from tests.flows.running import keep, run_flow
from tests.video.test_damage import call, lost, packets


@pytest.fixture(scope="module")
def damaged(two_people_clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half of a frame in the middle of a group of pictures is lost."""
    path = tmp_path_factory.mktemp("damaged") / "damaged.mp4"
    path.write_bytes(two_people_clip.video.read_bytes())
    return lost(path, packets(path)[len(packets(path)) // 4][2])


def test_what_is_damaged_is_covered_whole(shared_store: Path, damaged: Path, two_people_clip: Clip, tmp_path: Path) -> None:
    run = run_flow(damaged, tmp_path / "out.mp4", keep(two_people_clip.folder / "refs"))  # everybody is kept
    said = next(warning for warning in run.report.warnings if warning.startswith("damaged from "))
    first, last = (int(number) for number in said.split("frames ")[1].split(")")[0].split(" to "))
    (before, _), (after, times) = grey_frames(two_people_clip.video), grey_frames(run.target)
    assert len(after) == len(before) == len(times)
    differences = [np.abs(one.astype(int) - other) for one, other in zip(before, after, strict=True)]
    assert 0 < last - first < len(before) - 1
    for number, frame in enumerate(after):
        if first <= number <= last:
            tile = frame.shape[1] // 8
            detail = np.abs(np.diff(frame[::2, ::2].astype(int), axis=1)).mean()
            assert detail < 1.5, f"frame {number} shows more than tiles of {tile} pixels"
        else:
            assert differences[number].mean() < 4, number
    assert run.report.num_covered_frames == last - first + 1


def test_damage_is_refused_where_that_is_asked_for(shared_store: Path, damaged: Path, tmp_path: Path) -> None:
    with pytest.raises(
        BadVideo, match=r"damaged\.mp4: damaged from \d+\.\d\d s on .*; copy or download it again, or set damage to conceal"
    ):
        run_flow(damaged, tmp_path / "out.mp4", {"damage": "refuse"})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("which", "size"), [("first", (96, 64)), ("largest", (192, 128))])
def test_a_picture_that_changes_its_size_is_followed(which: str, size: tuple[int, int], shared_store: Path, tmp_path: Path) -> None:
    source = call(tmp_path / "call.webm", ((96, 64), (192, 128), (64, 96)))
    run = run_flow(source, tmp_path / "out.mkv", {"picture_size": which})
    with av.open(run.target) as container:
        assert [(frame.width, frame.height) for frame in container.decode(video=0)] == [size] * 18
    said = [warning for warning in run.report.warnings if warning.startswith("the picture has another size ")]
    assert len(said) == 2
    assert all(f"scaled to {size[0]}x{size[1]}" in warning for warning in said)


@pytest.mark.parametrize(("which", "size"), [("first", (90, 70)), ("largest", (180, 140))])
def test_pictures_of_different_sizes_become_one(which: str, size: tuple[int, int], shared_store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number, (width, height) in enumerate([(90, 70), (90, 70), (180, 140), (40, 70)]):
        cv2.imwrite(str(folder / f"img{number}.png"), np.full((height, width, 3), 90 + 30 * number, np.uint8))
    run = run_flow(folder, tmp_path / "out", {"picture_size": which})
    written = [cv2.imread(str(path)) for path in sorted(run.target.iterdir())]
    assert [picture.shape[1::-1] for picture in written] == [size] * 4
    assert [int(picture[picture.shape[0] // 2, picture.shape[1] // 2, 0]) for picture in written] == [90, 120, 150, 180]
    assert written[3][0, 0, 0] == 0, "a bar"
