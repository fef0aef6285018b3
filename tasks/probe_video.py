"""Stage: what the video is, and when each of its frames is shown."""

from __future__ import annotations

from tasks.first_reading import probe
from tasks.manifests import Video
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.video.sources import Images


@stage("probe_video")
def probe_video(source: str, content_hash: str, images: Images) -> Video:
    """Raises BadVideo for what is not a video that can be read."""
    info, index = probe(source, content_hash, images)
    return Video(info=info, index_ref=ObjectStore().put("index", index.to_bytes()))
