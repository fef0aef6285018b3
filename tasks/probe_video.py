"""Stage: what the video is, and when each of its frames is shown."""

from __future__ import annotations

from tasks.manifests import Video
from tasks.places import source_of
from tasks.results import ObjectStore
from tasks.stage import stage
from tasks.video.sources import Images


@stage("probe_video")
def probe_video(source: str, content_hash: str, images: Images) -> Video:
    """Raises BadVideo for what is not a video that can be read."""
    info, index = source_of(source).probe(content_hash, images)
    return Video(info=info, index_ref=ObjectStore().put("index", index.to_bytes()))
