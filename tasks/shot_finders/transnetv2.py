"""TransNetV2: a 3-D convolutional network that marks the frames of a transition (Souček and Lokoč, arXiv:2008.04838)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from tasks.method import Method
from tasks.models.session import load_session, num_cores
from tasks.shot_finders.dips import sketched, with_dips
from tasks.shot_finders.transitions import Thumbnail, Transition

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_CONTEXT = 25  # frames at each end of a window of which the network knows too little to be believed
_SLOW_FRAMES = 24  # in which a fade has changed the colours, if not yet all of them
_SPIKE = 2.0
_SMALLEST_SPIKE = 3.0  # grey levels
_AROUND_SPIKE = 4  # frames on both sides of a jump, of which the network is asked,
_CONTEXT_OF_SPIKE = 12  # and how many more it is shown: no fade is there, whose ends it would have to tell
_MOST_OF_IT = 0.5  # of a transition's change, in one step: a cut


class TransNetV2(Method):
    """TransNetV2 through ONNX Runtime, both heads; a gate lets it see only windows in which something changes. No download."""

    method: Literal["transnetv2"] = "transnetv2"
    threshold: float = Field(0.5, gt=0, lt=1, description="probability that makes a frame one of a transition")
    window_frames: int = Field(300, ge=60, le=600, description="looked at together; a longer window is quicker and takes more memory")
    still: float = Field(
        4.5,
        ge=0,
        le=255,
        description="mean change of grey levels within 8 frames below which nothing can have begun; 0 looks at everything",
    )

    def load(self) -> TransNetV2Finder:
        return TransNetV2Finder(self, load_session("transnetv2", threads=num_cores(), keep_memory=False))


@dataclass(frozen=True)
class TransNetV2Finder:
    """The loaded network."""

    settings: TransNetV2
    session: InferenceSession
    thumbnail_size: tuple[int, int] = (48, 27)

    def transitions(self, thumbnails: Iterator[Thumbnail]) -> list[Transition]:
        """The transitions between (27, 48, 3) uint8 RGB pictures of all the frames, in order."""
        parts = [self._look(window) for window in _windows(thumbnails, self.settings.window_frames)]
        single, many, jumps, sketches = (np.concatenate(each) for each in zip(*parts, strict=True))
        return with_dips(find_transitions(single, many, jumps, self.settings.threshold), sketches)

    def _look(self, window: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], ...]:
        """Probabilities of both heads, the change from the frame before, and sketches, for the middle of a window (T, 27, 48, 3)."""
        jumps = np.abs(np.diff(window.astype(np.int16), axis=0, prepend=window[:1])).mean((1, 2, 3), dtype=np.float32)
        single, many = np.zeros((2, len(window) - 2 * _CONTEXT), np.float32)
        for first, last, context in self._stretches_to_look_at(window, jumps):
            shown = window[first + _CONTEXT - context : last + _CONTEXT + context]
            heads = self.session.run(["single", "many"], {"frames": shown[None]})
            single[first:last], many[first:last] = (head[context:-context] for head in heads)
        return single, many, jumps[_CONTEXT:-_CONTEXT], sketched(window[_CONTEXT:-_CONTEXT])

    def _stretches_to_look_at(self, window: npt.NDArray[np.uint8], jumps: npt.NDArray[np.float32]) -> list[tuple[int, int, int]]:
        """The gate: stretches of a window's middle in which a transition may be: first, one after last, and how much to show around."""
        num_frames = len(window) - 2 * _CONTEXT
        if self.settings.still == 0:
            return [(0, num_frames, _CONTEXT)]
        jump, fade = np.zeros((2, len(window)), bool)
        spikes = np.flatnonzero(_spikes(jumps))
        for spike in spikes:
            jump[max(0, spike - _AROUND_SPIKE) : spike + _AROUND_SPIKE] = True
        change, since = _colour_change(window, spikes)
        for frame in np.flatnonzero(change >= self.settings.still):
            fade[since[frame] : frame + 1] = True
        stretches: list[tuple[int, int, int]] = []
        for first, last in _runs((jump | fade)[_CONTEXT:-_CONTEXT]):
            context = _CONTEXT if fade[_CONTEXT:-_CONTEXT][first : last + 1].any() else _CONTEXT_OF_SPIKE
            begin = first
            if stretches and first - stretches[-1][1] <= stretches[-1][2] + context:
                # What is nearer together than what each needs around it is quicker looked at as one.
                begin, _, before = stretches.pop()
                context = max(context, before)
            stretches.append((begin, last + 1, context))
        return stretches


def find_transitions(
    single: npt.NDArray[np.float32], many: npt.NDArray[np.float32], jumps: npt.NDArray[np.float32], threshold: float
) -> list[Transition]:
    """Transitions from the two heads' probabilities, (N,), and the change from the frame before, (N,), in grey levels.

    The first head marks one frame of a transition, the last of the old shot if it is a cut; the second all of them.
    """
    found: list[Transition] = []
    runs = _runs(single > threshold)
    for number, (run_first, run_last) in enumerate(runs):
        # All frames that the second head adds, but none of the next transition's.
        first, last = run_first, run_last
        before = runs[number - 1][1] + 1 if number else 0
        after = runs[number + 1][0] - 1 if number + 1 < len(runs) else len(many) - 1
        while first > before and many[first - 1] > threshold:
            first -= 1
        while last < after and many[last + 1] > threshold:
            last += 1
        last = min(last + 1, len(many) - 1)  # the first frame of the new shot
        steps = jumps[first + 1 : last + 1]
        if not len(steps):
            continue
        if steps.max() >= _MOST_OF_IT * steps.sum():
            first = last = first + 1 + int(steps.argmax())
        if not found or first > found[-1].last:
            found.append(Transition(first, last))
        elif first < last and not found[-1].is_cut:  # a fade that was marked twice
            found[-1] = Transition(found[-1].first, last)
    return found


def _windows(thumbnails: Iterator[Thumbnail], window_frames: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Windows (T, 27, 48, 3) whose middles follow one another without a gap; the ends of the video repeat."""
    step = window_frames - 2 * _CONTEXT
    pending = [next(thumbnails)] * (_CONTEXT + 1)
    num_missing = 0
    for thumbnail in thumbnails:
        pending.append(thumbnail)
        if len(pending) == window_frames:
            yield np.stack(pending)
            pending = pending[step:]
    num_missing = len(pending) - _CONTEXT  # frames that were no window's middle yet
    for start in range(0, num_missing, step):
        middle = pending[start : start + min(step, num_missing - start) + 2 * _CONTEXT]
        wanted = min(step, num_missing - start) + 2 * _CONTEXT
        yield np.stack(middle + [pending[-1]] * (wanted - len(middle)))


def _colour_change(window: npt.NDArray[np.uint8], cuts: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
    """(T,) how far the colours' distribution is from that of an earlier frame, in grey levels, and (T,) which frame that is.

    It is the one `_SLOW_FRAMES` before, or the last of the frames in `cuts` if that is later: what jumps there is no fade. The distance is
    the mean over the channels of the Wasserstein distance, which moving people and cameras hardly change.
    """
    frames = np.arange(len(window))
    last_cut = np.concatenate([[0], cuts])[np.searchsorted(cuts, frames, side="right")]
    since = np.maximum(np.maximum(frames - _SLOW_FRAMES, last_cut), 0)
    colours = np.sort(window.reshape(len(window), -1, window.shape[-1]), axis=1).astype(np.int16)
    return np.abs(colours - colours[since]).mean((1, 2), dtype=np.float32), since


def _spikes(jumps: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(T,) whether a frame differs from the one before far more than the frames around it do: a cut within one scene."""
    padded = np.pad(jumps, 3, mode="edge")
    around = np.max([padded[3 + shift : 3 + shift + len(jumps)] for shift in (-3, -2, -1, 1, 2, 3)], axis=0)
    return np.asarray((jumps > _SPIKE * around) & (jumps > _SMALLEST_SPIKE))


def _runs(marked: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(after) - 1) for first, after in edges.reshape(-1, 2)]
