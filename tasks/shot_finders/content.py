"""PySceneDetect's content detector: cuts by jumps in colour and brightness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from tasks.method import Method
from tasks.shot_finders.transitions import Thumbnail, Transition


class Content(Method):
    """PySceneDetect's content detector: quick, finds cuts, misses most fades."""

    method: Literal["content"] = "content"
    threshold: float = Field(27.0, gt=0, le=255, description="mean change of hue, saturation and brightness that makes a cut")
    min_shot_frames: int = Field(6, ge=1, description="a shorter shot is taken for a flash")

    def load(self) -> Content:
        return self

    @property
    def thumbnail_size(self) -> tuple[int, int]:
        return (256, 144)

    def transitions(self, thumbnails: Iterator[Thumbnail]) -> list[Transition]:

        from scenedetect import ContentDetector, FrameTimecode

        detector = ContentDetector(self.threshold, self.min_shot_frames)
        frame_rate = 25.0  # frames are only counted here
        cuts = []
        for number, thumbnail in enumerate(thumbnails):
            cuts += detector.process_frame(FrameTimecode(number, frame_rate), thumbnail[:, :, ::-1])
            last = FrameTimecode(number, frame_rate)
        cuts += detector.post_process(last)
        return [Transition(cut.frame_num, cut.frame_num) for cut in cuts]
