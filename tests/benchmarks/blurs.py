"""What covering a face takes, by the blur, the face's size and the depth of the samples.

    python -m tests.benchmarks.blurs [--repeats 200] [--json OUT.json]

Faces in a frame of 1920 x 1080, 4:2:0, at places and sizes that change from frame to frame; all three planes. The least of many repeats.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
from rich.console import Console

from tasks.blurs.regions import CoveredFace
from tasks.blurs.ways import Pixelate, Round, Solid, Square
from tasks.faces import FaceBox
from tasks.video.planes import planes
from tests.benchmarks.tables import table_of

BLURS = (Pixelate(), Pixelate(shape="face"), Round(), Square(), Solid())
FACE_PIXELS = (40, 100, 200, 400)
FORMATS = {8: "yuv420p", 10: "yuv420p10le"}
MOST_MS_A_FRAME = 1.0  # for two faces of 100 pixels by the default blur
_HEIGHT_OF_WIDTH = 1.3


def measure_blurs(repeats: int = 200) -> list[dict[str, Any]]:
    """A row for each blur, depth and size: milliseconds a face."""
    rows = []
    for bits, pixel_format in FORMATS.items():
        frame = av.VideoFrame(1920, 1080, pixel_format)
        picture = planes(frame)
        for plane in picture:
            plane.samples[:] = np.random.default_rng(1).integers(0, 1 << bits, plane.samples.shape)
        for blur in BLURS:
            for pixels in FACE_PIXELS:
                took = []
                for number in range(repeats):
                    face = _face(pixels, number)
                    started = time.perf_counter()
                    blur.cover(picture, face)
                    took.append(time.perf_counter() - started)
                shape = getattr(blur, "shape", "rectangle")
                rows.append({"blur": blur.method, "shape": shape, "bits": bits, "face_pixels": pixels, "ms": 1e3 * min(took)})
    return rows


def _face(pixels: int, number: int) -> CoveredFace:
    """Wandering, and trembling in size."""
    width = pixels * (1 + 0.01 * (number % 5))
    x, y = 700 + 3.3 * number % 400, 540 + 1.7 * number % 40
    box = FaceBox(x - width / 2, y - _HEIGHT_OF_WIDTH * width / 2, x + width / 2, y + _HEIGHT_OF_WIDTH * width / 2)
    return CoveredFace(box, box)


def show_blurs(rows: Sequence[dict[str, Any]], console: Console) -> None:
    """The table, and whether the limit holds."""
    kinds = list(dict.fromkeys((row["blur"], row["shape"], row["bits"]) for row in rows))
    ms = {(row["blur"], row["shape"], row["bits"], row["face_pixels"]): row["ms"] for row in rows}
    lines = [[blur, shape, str(bits), *(f"{ms[blur, shape, bits, pixels]:.3f}" for pixels in FACE_PIXELS)] for blur, shape, bits in kinds]
    columns = ["blur", "shape", "bits", *(f"{pixels} pixels" for pixels in FACE_PIXELS)]
    console.print(table_of("Milliseconds a face, by its width", columns, lines, num_left=2))
    two = 2 * ms["pixelate", "head", 8, 100]
    said = "holds" if two <= MOST_MS_A_FRAME else "BROKEN"
    console.print(f"two faces of 100 pixels, pixelate, 8 bits: {two:.2f} ms a frame, at most {MOST_MS_A_FRAME:g} ms: {said}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.blurs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    measured = measure_blurs(options.repeats)
    show_blurs(measured, Console(highlight=False))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2))
