"""Face chips: a face cut out upright at a size that recognisers expect, and how far it is to be trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tasks.faces import Faces, Floats, Ints

_PADDING = 0.25  # of the face's size, on every side, as dlib's recogniser was trained with
# Mean positions in the unit square of the centres of both eyes, the nose tip and both corners of the mouth: dlib's mean face shape.
_MEAN_FACE = np.array([[0.2255, 0.2160], [0.7546, 0.2160], [0.4901, 0.5156], [0.2541, 0.7802], [0.7261, 0.7802]], np.float32)

_ENOUGH_PIXELS = 80.0  # of width: more does not make an embedding better
_SHARP = 60.0  # variance of the Laplacian of a chip that is in focus


@dataclass(frozen=True, eq=False)
class Form:
    """How a recogniser wants faces cut out: a square of so many pixels, and where in it the five landmarks go, (5, 2)."""

    pixels: int
    landmarks: Floats


# Where InsightFace's training pictures have them, of 112 x 112 pixels.
ARCFACE_LANDMARKS = np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]], np.float32)
DLIB_FORM = Form(150, (_MEAN_FACE + _PADDING) / (1 + 2 * _PADDING) * 150)


def warp(picture_bgr: npt.NDArray[np.uint8], landmarks: Floats, form: Form = DLIB_FORM) -> npt.NDArray[np.uint8]:
    """The chip, (pixels, pixels, 3) uint8 BGR, of the face with these landmarks, (5, 2) float32, turned and scaled without shear."""
    height, width = picture_bgr.shape[:2]
    span = float(np.ptp(landmarks, axis=0).max())
    left, top = np.clip(np.floor(landmarks.min(0) - 2 * span), 0, [width - 1, height - 1]).astype(int)
    right, bottom = np.clip(np.ceil(landmarks.max(0) + 2 * span), [left + 1, top + 1], [width, height]).astype(int)
    region, points = picture_bgr[top:bottom, left:right], landmarks - np.array([left, top], np.float32)
    shrink = int(1 / max(_scale(_similarity(points, form.landmarks)), 1e-3))
    if shrink > 1:  # warping alone would skip pixels
        smaller = (max(1, region.shape[1] // shrink), max(1, region.shape[0] // shrink))
        points = (points * (np.array(smaller) / np.array(region.shape[1::-1]))).astype(np.float32)
        region = cv2.resize(region, smaller, interpolation=cv2.INTER_AREA).astype(np.uint8)
    chip = cv2.warpAffine(region, _similarity(points, form.landmarks), (form.pixels, form.pixels), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(chip, np.uint8)


def embed_one_by_one(
    picture_bgr: npt.NDArray[np.uint8],
    faces: Faces,
    rows: Ints,
    form: Form,
    dimensions: int,
    vector_of: Callable[[npt.NDArray[np.uint8]], Floats],
) -> tuple[Floats, Floats]:
    """Embeddings (N, dimensions) and qualities (N,) of the faces, NaN and 0 but in `rows`; `vector_of` describes a chip of this form.

    One at a time: a second face in a batch does not fit the cores' caches.
    """
    embeddings, qualities = np.full((len(faces), dimensions), np.nan, np.float32), np.zeros(len(faces), np.float32)
    for row in rows.tolist():
        embeddings[row] = vector_of(warp(picture_bgr, faces.landmarks[row], form))
        qualities[row] = quality(warp(picture_bgr, faces.landmarks[row]), faces, row)
    return embeddings, qualities


def unit(vector: Floats) -> Floats:
    """The vector at length 1; summed by NumPy itself, for what a BLAS sums differs in its last bits from processor to processor."""
    return np.asarray(vector / max(float(np.sqrt(np.square(vector.astype(np.float64)).sum())), 1e-9), np.float32)


def large_enough(faces: Faces, min_pixels: int, min_score: float) -> Ints:
    """The rows of faces that may get an embedding."""
    return np.flatnonzero((faces.boxes[:, 2] - faces.boxes[:, 0] >= min_pixels) & (faces.scores >= min_score))


def quality(chip_bgr: npt.NDArray[np.uint8], faces: Faces, row: int) -> float:
    """0 to 1: how large, sharp, frontal and surely found a face is, hence how far its embedding is to be trusted; of dlib's chip of it."""
    large = min(1.0, float(faces.boxes[row, 2] - faces.boxes[row, 0]) / _ENOUGH_PIXELS)
    sharp = min(1.0, float(cv2.Laplacian(cv2.cvtColor(chip_bgr, cv2.COLOR_BGR2GRAY), cv2.CV_32F).var()) / _SHARP)
    return large * (0.3 + 0.7 * sharp) * (0.1 + 0.9 * frontality(faces.landmarks[row])) * float(faces.scores[row])


def frontality(landmarks: Floats) -> float:
    """1 where the nose tip stands between the eyes, 0 where it is beyond one of them: a profile."""
    eyes = landmarks[1] - landmarks[0]
    distance = float(np.hypot(*eyes))
    if distance < 1:
        return 0.0
    along = float((landmarks[2] - landmarks[0]) @ eyes) / distance**2  # 0 at one eye, 1 at the other
    return max(0.0, 1 - 2 * abs(along - 0.5))


def _similarity(points: Floats, targets: Floats) -> npt.NDArray[np.float64]:
    """The turn, scale and shift, (2, 3), that brings points nearest to targets in the least-squares sense (Umeyama 1991)."""
    source, target = points - points.mean(0), targets - targets.mean(0)
    # As complex numbers, a turn and a scale are one factor.
    a, b = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    factor = (np.conj(a) @ b) / max(float((np.conj(a) @ a).real), 1e-9)
    linear = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([linear, targets.mean(0) - linear @ points.mean(0)])


def _scale(matrix: npt.NDArray[np.float64]) -> float:
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))
