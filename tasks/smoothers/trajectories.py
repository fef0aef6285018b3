"""Made-up tracks whose truth is known: faces that move, and what a detector and the filling between looks make of them.

What is drawn at random follows what CenterFace does on a clip with exact truth: sides tremble by 1.2 to 2 % of a face's size with tails
heavier than normal ones, and drift by 2 to 3 % over some ten frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from tasks.faces import Floats

Motion = Literal["still", "walk", "sway", "rush", "handheld"]
MOTIONS: tuple[Motion, ...] = get_args(Motion)

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """A track as smoothers get it, with its truth.

    truth, boxes: (N, 4) float32; left, top, right, bottom in pixels
    motion: how the face moves
    """

    truth: Floats
    boxes: Floats
    motion: Motion


def draw_trajectory(random: np.random.Generator, num_frames: int, motion: Motion | None = None) -> Trajectory:
    """A track of a face that moves in this way, or in any."""
    chosen: Motion = motion or MOTIONS[random.integers(len(MOTIONS))]
    centres = _centres(random, num_frames, chosen)
    zoom = np.cumsum(_drift(random, num_frames, 20) * random.choice([0.0005, 0.004, 0.015]))
    half = np.exp(zoom - zoom.mean())[:, None] * np.sqrt([1 / (ratio := random.uniform(1.15, 1.5)), ratio]) / 2
    scale = np.exp(random.uniform(np.log(16), np.log(500)))
    truth = np.concatenate([centres - half, centres + half], axis=1)
    sizes = 2 * np.sqrt(half.prod(axis=1))
    found = truth + _errors(random, num_frames) * sizes[:, None]
    place = np.tile(random.uniform(0, 2000, 2), 2)
    boxes = _filled(random, found)
    return Trajectory((truth * scale + place).astype(np.float32), (boxes * scale + place).astype(np.float32), chosen)


def _centres(random: np.random.Generator, num_frames: int, motion: Motion) -> Numbers:
    """(N, 2) in face sizes."""
    frames = np.arange(num_frames)
    match motion:
        case "still":
            speeds = 0.002 * _drift(random, num_frames, 30, 2)
        case "walk":  # stops and goes on
            goes = 1 / (1 + np.exp(-4 * _drift(random, num_frames, 25, 1)))
            speeds = goes * (random.normal(0, 0.03, 2) + 0.015 * _drift(random, num_frames, 20, 2))
        case "sway":  # nods and shakes
            rates = random.uniform(0.4, 3, (3, 2)) / random.choice([24, 25, 30, 50, 60])
            waves = np.sin(2 * np.pi * (rates * frames[:, None, None] + random.uniform(0, 1, (3, 2))))
            swings = random.uniform(0.02, 0.2) * np.abs(1 + _drift(random, num_frames, 30, 1)) * waves.mean(axis=1)
            return np.asarray(swings + np.cumsum(0.005 * _drift(random, num_frames, 30, 2), axis=0))
        case "rush":  # starts, stops and turns within a few frames
            changes = np.sort(random.integers(0, num_frames, max(1, num_frames // 20)))
            chosen = random.normal(0, 0.12, (len(changes) + 1, 2)) * (random.random((len(changes) + 1, 1)) < 0.7)
            speeds = _averaged(chosen[np.searchsorted(changes, frames, side="right")], int(random.integers(2, 7)))
        case "handheld":
            speeds = 0.02 * _drift(random, num_frames, 4, 2) + 0.01 * _drift(random, num_frames, 25, 2)
    return np.asarray(np.cumsum(speeds, axis=0))


def _errors(random: np.random.Generator, num_frames: int) -> Numbers:
    """(N, 4) how far a detector is off, in face sizes: it trembles, drifts, changes its mind for a while, and errs."""
    tremble = random.standard_t(5, (num_frames, 4)) + 0.5 * np.tile(random.standard_t(5, (num_frames, 2)), 2)
    errors = random.uniform(0.005, 0.025) * tremble + random.uniform(0, 0.025) * _drift(random, num_frames, 12, 4)
    for _ in range(random.poisson(num_frames / 60)):  # with or without the hair, the chin, a hand
        first, length = random.integers(num_frames), random.integers(2, 20)
        errors[first : first + length, random.integers(4)] += random.normal(0, 0.08)
    astray = random.random(num_frames) < random.choice([0, 0.01, 0.03])
    errors[astray] += random.normal(0, 0.12, (int(astray.sum()), 4))
    return np.asarray(errors)


def _filled(random: np.random.Generator, found: Numbers) -> Numbers:
    """The boxes that were found at the frames that were looked at, filled in between as `pchip` does."""
    from scipy.interpolate import PchipInterpolator

    looks = random.random(len(found)) < random.choice([0.15, 0.4, 0.7, 1])
    for _ in range(random.poisson(len(found) / 100)):
        first = random.integers(len(found))
        looks[first : first + random.integers(4, 30)] = False
    looks[[0, -1]] = True
    (seen,) = np.nonzero(looks)
    return np.asarray(PchipInterpolator(seen, found[seen])(np.arange(len(found))) if len(seen) > 1 else found)


def _drift(random: np.random.Generator, num_frames: int, frames: float, width: int | None = None) -> Numbers:
    """(N,) or (N, width) noise of deviation 1 that changes within about so many frames, smoothly."""
    from scipy.ndimage import gaussian_filter1d

    margin = int(4 * frames)
    rough = random.normal(size=(num_frames + 2 * margin, *([width] if width else [])))
    smooth = gaussian_filter1d(rough, frames / 2, axis=0, mode="constant")[margin : margin + num_frames]
    return np.asarray(smooth * np.sqrt(np.sqrt(np.pi) * frames))


def _averaged(speeds: Numbers, frames: int) -> Numbers:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(speeds, frames, axis=0, mode="nearest"))
