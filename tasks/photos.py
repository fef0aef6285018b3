"""Reference photos: which files they are, and the one face on each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from tasks import MOST_PIXELS
from tasks.errors import BadPhoto
from tasks.faces import Faces, Floats
from tasks.finder import Finder
from tasks.hashing import file_sha256
from tasks.plain_text import is_plain
from tasks.video.pictures import heic, jpeg

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", *heic.SUFFIXES}
_MOST_BYTES = 1 << 30
_MOST_PIXELS = 1600  # of a photo's long side: a detector finds no more on a larger one
_CLEARLY = 0.5  # score of a face that counts as one
_SMALLER_BYSTANDER = 0.4  # of the main face's width, below which another face on the photo is not meant


def photo_files(photos: Sequence[str]) -> list[tuple[str, Path]]:
    """Pairs of a person's name and a picture's path.

    A picture is a person named after the file; a folder's pictures are a person each, and the pictures of a folder in it are one person,
    named after that folder. Raises BadPhoto for what is not there or holds no picture.
    """
    found: list[tuple[str, Path]] = []
    for photo in map(Path, photos):
        if photo.is_dir():
            people = sorted(path for path in photo.iterdir() if path.is_dir())
            inside = [(path.stem, path) for path in _pictures_in(photo)]
            for person in people:
                if not _pictures_in(person):
                    raise BadPhoto(person, "holds no pictures", fix="put photos of that person into it, or remove it")
                inside += [(person.name, path) for path in _pictures_in(person)]
            if not inside:
                raise BadPhoto(photo, "holds no pictures", fix=f"put photos into it ({', '.join(sorted(_SUFFIXES))})")
            found += inside
        elif photo.is_file():
            found.append((photo.stem, photo))
        else:
            raise BadPhoto(photo, "is not there", fix="give a photo or a folder of photos")
    for name, path in found:
        if not (is_plain(name) and is_plain(path.name)):
            raise BadPhoto(path, "has invisible characters in its name", fix="rename it: the name is the person's, and is shown")
    return found


def is_photo(location: str) -> bool:
    """Whether it is named as a picture is."""
    return Path(location).suffix.lower() in _SUFFIXES


def _pictures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_photo(path.name) and path.is_file())


def photo_sha256(path: Path) -> str:
    """Raises BadPhoto, also for a file that is larger than any photo."""
    try:
        if (num_bytes := path.stat().st_size) > _MOST_BYTES:
            raise BadPhoto(path, f"has {num_bytes >> 20} MiB, more than any photo", fix="give a smaller photo")
        return file_sha256(path)
    except OSError as error:
        raise BadPhoto(path, f"cannot be read ({error.strerror})", fix="give a readable photo") from error


def read_photo(path: Path) -> npt.NDArray[np.uint8]:
    """The picture, (H, W, 3) uint8 BGR, upright as it says. Raises BadPhoto."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadPhoto(path, f"cannot be read ({error.strerror})", fix="give a readable photo") from error
    picture = _heic_bgr(content, path) if heic.is_heic(content) else _bgr(content, path)
    scale = _MOST_PIXELS / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _bgr(content: bytes, path: Path) -> npt.NDArray[np.uint8]:
    try:
        if jpeg.is_jpeg(content):
            jpeg.check_scans(content)
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    except cv2.error as error:  # what is larger than it may be, by its header, is not decoded
        raise _too_large(path) from error
    except ValueError as error:
        raise BadPhoto(path, str(error), fix="give another photo, or save it anew") from error
    if picture is None:
        raise BadPhoto(path, "is not a picture that can be read", fix="give a JPEG, PNG or HEIC photo")
    return np.asarray(picture, np.uint8)


def _heic_bgr(content: bytes, path: Path) -> npt.NDArray[np.uint8]:
    try:
        width, height, _ = heic.header(content)
        if width * height > MOST_PIXELS:
            raise _too_large(path)
        return np.ascontiguousarray(heic.picture_rgb(content)[..., ::-1])
    except ValueError as error:
        raise BadPhoto(path, f"{error} (HEIC)", fix="give another photo, or save it as a JPEG") from error


def _too_large(path: Path) -> BadPhoto:
    return BadPhoto(path, f"is broken, or has more than {MOST_PIXELS // 10**6} million pixels", fix="give a smaller photo")


def one_face(finder: Finder, picture_bgr: npt.NDArray[np.uint8], path: Path) -> Floats:
    """The embedding, (D,), of the one face of a photo. Raises BadPhoto for none, several, or one too small to be told."""
    faces, embeddings, _ = finder.find([lambda: picture_bgr])[0]
    widths = faces.boxes[:, 2] - faces.boxes[:, 0]
    clear = np.flatnonzero(faces.scores >= _CLEARLY)
    if not len(clear):
        raise BadPhoto(path, "no face is found on it", fix="give a photo that shows the face from the front, large and sharp")
    main = int(clear[np.argmax(widths[clear])])
    others = [int(row) for row in clear if row != main and widths[row] > _SMALLER_BYSTANDER * widths[main]]
    if others:
        raise BadPhoto(
            path, f"{len(others) + 1} faces are on it ({_places(faces, [main, *others], picture_bgr)})", fix="cut out the one that is meant"
        )
    if np.isnan(embeddings[main]).any():
        raise BadPhoto(path, f"its face is {widths[main]:.0f} pixels wide, too small to be told", fix="give a larger photo")
    return np.asarray(embeddings[main], np.float32)


def _places(faces: Faces, rows: Sequence[int], picture_bgr: npt.NDArray[np.uint8]) -> str:
    """In shares of the picture, for a large one was made smaller."""
    centres = (faces.boxes[rows, :2] + faces.boxes[rows, 2:]) / 2 / picture_bgr.shape[1::-1]
    return ", ".join(f"one {x:.0%} from the left and {y:.0%} from the top" for x, y in centres)
