"""HEIC, the photos of phones: read, and not written. The picture comes upright, in sRGB, with eight bits, whatever profile it has."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from tasks.video.pictures.orientation import UPRIGHT, Header

if TYPE_CHECKING:
    from pillow_heif import HeifFile

SUFFIXES = (".heic", ".heif", ".hif")
_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_BROKEN = (ValueError, RuntimeError, EOFError, SyntaxError, OSError, LookupError, MemoryError)  # what the library raises


def is_heic(content: bytes) -> bool:
    """Whether the first bytes of a file say that it is one, whatever its name is."""
    return content[4:8] == b"ftyp" and content[8:12] in _BRANDS


def header(content: bytes) -> Header:
    """The size is that of the upright picture. Raises ValueError."""
    width, height = _opened(content).size
    return Header(width, height, UPRIGHT)


def picture_rgb(content: bytes) -> npt.NDArray[np.uint8]:
    """The main picture, (H, W, 3) uint8, upright by its own turn (Exif's, which phones write beside it, does not count).

    Raises ValueError.
    """
    from PIL import Image

    file = _opened(content)
    try:
        picture = Image.fromarray(np.asarray(file))
    except _BROKEN as error:
        raise ValueError("cannot be decoded") from error
    return np.asarray(_in_srgb(picture.convert("RGB"), file.info.get("icc_profile")), np.uint8)


def _opened(content: bytes) -> HeifFile:
    import pillow_heif

    if not is_heic(content):
        raise ValueError("is not a HEIC picture")
    options = pillow_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    try:
        file = pillow_heif.open_heif(io.BytesIO(content))
        file.size  # noqa: B018  # there may be no picture in it
    except _BROKEN as error:
        raise ValueError("is damaged") from error
    return file


def _in_srgb(picture: Any, profile: bytes | None) -> Any:
    """As it is where its profile says nothing that can be understood."""
    from PIL import ImageCms

    if not profile:
        return picture
    try:
        return ImageCms.profileToProfile(picture, cast(Any, io.BytesIO(profile)), cast(Any, ImageCms.createProfile("sRGB")))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
