"""A small recurrent network, trained on made-up tracks: see `train_sequence_model`."""

from __future__ import annotations

from typing import Literal

import numpy as np

from tasks.faces import Floats
from tasks.method import Method
from tasks.models.runtime import Runtime
from tasks.models.session import load_session

MODEL = "sequence_model"
_WINDOW_FRAMES = 15  # odd; over which a box's surroundings are taken
_NEAR_FRAMES = 7  # odd
_LEAST_SIZE = 1.0  # pixels
_CPU = Runtime(provider="cpu")  # boxes are to be the same on every machine


class SequenceModel(Method):
    """A recurrent network that reads a track in both directions (gated recurrent units, Cho et al. 2014; the thesis's idea).

    It is shown each box beside the mean of the boxes around it, in sizes of these: where in the picture a face is, how large it is, and
    how it moves steadily are nothing to it, and what does not tremble stays as it is. Both directions are read with the same weights.

    What it learnt promises nothing about a track that is like none that it has seen, so each side stays between the smallest and largest
    that were given within three frames.
    """

    method: Literal["sequence_model"] = "sequence_model"

    def smooth(self, boxes: Floats) -> Floats:
        from scipy.ndimage import maximum_filter1d, minimum_filter1d

        means, offsets, sizes = relative(boxes)
        (corrected,) = load_session(MODEL, threads=1, runtime=_CPU).run(None, {"offsets": offsets})
        least, most = (find(boxes, _NEAR_FRAMES, axis=0, mode="nearest") for find in (minimum_filter1d, maximum_filter1d))
        return np.asarray(np.clip(means + sizes * corrected, least, most), np.float32)


def relative(boxes: Floats) -> tuple[Floats, Floats, Floats]:
    """The mean box around each box (N, 4), how far the box is from it in its sizes (N, 4), and these (N, 1).

    Beyond the ends a track goes on as it came, so that steady motion is no offset there either.
    """
    margin = _WINDOW_FRAMES // 2
    padded = np.pad(boxes.astype(np.float64), ((margin, margin), (0, 0)), mode="reflect", reflect_type="odd")
    sums = np.cumsum(np.concatenate([np.zeros((1, 4)), padded - boxes[0]]), axis=0)
    means = (sums[_WINDOW_FRAMES:] - sums[:-_WINDOW_FRAMES]) / _WINDOW_FRAMES + boxes[0]
    sizes = np.sqrt(np.prod(np.maximum(means[:, 2:] - means[:, :2], _LEAST_SIZE), axis=1, keepdims=True))
    return means.astype(np.float32), ((boxes - means) / sizes).astype(np.float32), sizes.astype(np.float32)
