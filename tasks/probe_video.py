"""Stage: what the video is, and when each of its frames is shown."""

from __future__ import annotations

from pathlib import Path

from tasks.results import Manifest, ObjectRef, ObjectStore
from tasks.stage import stage
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.probe import probe_file


class Video(Manifest):
    """A video as it is, without its path."""

    info: VideoInfo
    index_ref: ObjectRef

    @property
    def index(self) -> FrameIndex:
        return FrameIndex.from_bytes(ObjectStore().get(self.index_ref))


@stage("probe_video", version=1)
def probe_video(source: Path, content_hash: str) -> Video:
    """Raises BadVideo for what is not a video that can be read."""
    info, index = probe_file(source, content_hash)
    return Video(info=info, index_ref=ObjectStore().put("index", index.to_bytes()))
