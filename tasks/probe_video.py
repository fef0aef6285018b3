"""Stage: what the video is, and when each of its frames is shown."""

from __future__ import annotations

from pathlib import Path

from tasks.manifests import Video
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.video.probe import probe_file


@stage("probe_video")
def probe_video(source: Path, content_hash: str) -> Video:
    """Raises BadVideo for what is not a video that can be read."""
    info, index = probe_file(source, content_hash)
    return Video(info=info, index_ref=ObjectStore().put("index", index.to_bytes()))
