"""What samplers ask for, and what they are told: looks at whole pictures, and cheap ones near a place where a face is expected."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tasks.faces import Detections, Floats, Ints
from tasks.matching import geometric_cost

Reason = Literal["grid", "edge", "change", "check", "deviation", "lost", "entry", "exit", "quick", "again", "disagreement"]
"""Of a look: the coarse grid; the ends of shots and fades; thumbnails that change between two looks; a mid-point that is checked; one after
a mid-point that was not as expected; a face that both looks have and their mid-point has not; one that only the later, or only the earlier
look has; one that seems to come or go in the middle of the picture; one into a long gap of a track, at other frames than before; any
frame between two looks that disagree, in the thesis's scheme."""

_LARGEST_RATIO = 1.8  # of sizes of one face in neighbouring looks

Glances = npt.NDArray[np.uint8]
"""(N, 27, 48): grey thumbnails of N consecutive frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A look at a frame.

    near: (4,) where a face is expected, in pixels of the decoded picture; the whole picture is looked at where it is None
    reach: how far from there the face may be, in its sizes
    others: (K, 4) where other faces are at that frame, which are not meant
    recognise: whether the faces of a whole picture get embeddings; those near a place never do
    """

    frame: int
    reason: Reason
    near: Floats | None = None
    reach: float = 0.5
    others: Floats = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    recognise: bool = True


class Request(NamedTuple):
    """Looks that may be taken in any order. No frame before `keep_from` is asked for any more."""

    looks: Sequence[Look]
    keep_from: int


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """What is to be looked through: a shot, or a part of one.

    edges: frames that must be looked at besides the first and last: the ends of fades
    window_frames: from `keep_from` on, so many frames can be asked for
    glances: thumbnails of the frames first to last; None where there are none
    """

    first: int
    last: int
    window_frames: int
    frame_rate: float = 30.0
    width: int = 1
    height: int = 1
    edges: tuple[int, ...] = ()
    glances: Glances | None = None


Looking = Generator[Request, list[Detections], None]


class Sampler(Protocol):
    """Decides which frames are looked at."""

    def looks(self, stretch: Stretch) -> Looking:
        """Yields requests; takes back what each of their looks found, in their order: of a look near a place one face, or none."""


def face_near(look: Look, boxes: Floats, scores: Floats) -> Ints:
    """The row, or none, of the face that a look near a place means, among faces found there: boxes (N, 4), scores (N,)."""
    if look.near is None or not len(boxes):
        return np.zeros(0, np.int64)
    cost = geometric_cost(look.near[None], boxes)[0]
    size, sizes = (np.sqrt(np.maximum(np.prod(each[..., 2:] - each[..., :2], axis=-1), 1)) for each in (look.near, boxes))
    ratio = np.abs(np.log(sizes / size))
    possible = (cost - ratio <= look.reach) & (ratio <= np.log(_LARGEST_RATIO))
    if len(look.others):
        possible &= cost <= geometric_cost(look.others, boxes).min(0)
    rows = np.flatnonzero(possible)
    return rows[[np.argmin((cost - 0.5 * scores)[rows])]] if len(rows) else rows


def grid_of(first: int, last: int, step: int, edges: Iterable[int] = ()) -> list[int]:
    """Every so many frames from first to last, both of them, and the edges between."""
    return sorted({*range(first, last, step), last, *(edge for edge in edges if first < edge < last)})
