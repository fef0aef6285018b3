"""Appearances as markers on an OpenTimelineIO timeline, which editing programs read by themselves or through its adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.exports.appearances import Appearance, Told, appearances


def write_timeline(of: Told, source: str, path: Path) -> None:
    """One clip, what is worked on of `source` (a path or an address), with a marker an appearance: red where covered, green where kept.

    Times are in frames at the video's average rate, from the timecode of its first frame where it has one that the rate allows.
    """
    import opentimelineio as otio  # loads its plug-ins: half a second that only an export should take

    rate = float(of.info.frame_rate)
    begins = round(of.seconds(0) * rate)
    zero = otio.opentime.RationalTime(begins, rate)
    if of.info.timecode and otio.opentime.RationalTime.is_smpte_timecode_rate(rate):
        zero = otio.opentime.from_timecode(of.info.timecode, rate)
    shown = otio.opentime.TimeRange(zero, otio.opentime.RationalTime(round(of.info.duration_seconds * rate), rate))
    whole = (
        shown
        if of.part is None
        else otio.opentime.TimeRange(
            zero - otio.opentime.RationalTime(begins, rate), otio.opentime.RationalTime(round(of.part.duration_seconds * rate), rate)
        )
    )
    clip = otio.schema.Clip(
        name=of.name, media_reference=otio.schema.ExternalReference(target_url=source, available_range=whole), source_range=shown
    )
    for each in appearances(of):
        first, stop = (round(of.seconds(frame) * rate) - begins for frame in (each.first, each.last + 1))
        marked = otio.opentime.TimeRange(
            zero + otio.opentime.RationalTime(first, rate), otio.opentime.RationalTime(max(1, stop - first), rate)
        )
        clip.markers.append(
            otio.schema.Marker(
                name=f"{of.called(each.person)}: {'blurred' if each.covered else 'kept'}",
                marked_range=marked,
                color=otio.schema.MarkerColor.RED if each.covered else otio.schema.MarkerColor.GREEN,
                metadata={"veil": _metadata(of, each)},
            )
        )
    timeline = otio.schema.Timeline(name=of.name, global_start_time=zero)
    timeline.tracks.append(otio.schema.Track(name="picture", kind=otio.schema.TrackKind.Video, children=[clip]))
    path.write_text(otio.adapters.write_to_string(timeline, "otio_json"), "utf-8")


def _metadata(of: Told, each: Appearance) -> dict[str, Any]:
    decision = of.decisions[each.person]
    return {
        "person": each.person,
        "track": each.track,
        "decision": "blurred" if each.covered else "kept",
        "reason": decision.reason,
        "unsure": decision.unsure,
        "first_frame": of.first + each.first,
        "last_frame": of.first + each.last,
    }
