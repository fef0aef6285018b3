"""Long clips at no cost: a short drawn one, repeated packet by packet."""

from __future__ import annotations

from pathlib import Path

import av

from tests.clips import SCRIPTS, draw_folder


def draw_loop(script: str, folder: Path) -> Path:
    """The clip that is repeated: 1280 x 720, 30 frames/s, with sound."""
    return draw_folder(SCRIPTS[script](), folder).video


def repeat(loop: Path, target: Path, seconds: float) -> int:
    """Writes whole loops, as many as come nearest to `seconds`; returns the number of frames. Pictures keep their exact distance.

    Each loop's sound ends with its pictures, so that the two stay together.
    """
    with av.open(str(loop)) as source:
        picture = source.streams.video[0]
        assert picture.average_rate is not None
        num_frames = picture.frames
        loop_seconds = num_frames / picture.average_rate
    num_loops = max(1, round(seconds / loop_seconds))
    with av.open(str(target), "w") as output:
        for number in range(num_loops):
            with av.open(str(loop)) as source:
                if not number:
                    copies = {stream.index: output.add_stream_from_template(stream) for stream in source.streams}
                for packet in source.demux():
                    if packet.pts is None or packet.dts is None:
                        continue  # the end of a stream
                    is_sound = packet.stream.type == "audio"
                    outside = packet.pts * packet.time_base >= loop_seconds or (number and packet.pts < 0)
                    if is_sound and outside:
                        continue
                    offset = round(number * loop_seconds / packet.time_base)
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = copies[packet.stream_index]
                    output.mux(packet)
    return num_loops * num_frames
