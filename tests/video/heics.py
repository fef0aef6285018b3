"""HEIC files as phones write them."""

from __future__ import annotations

import io

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
RED_IS_BLUE = _SRGB.replace(b"rXYZ", b"?XYZ").replace(b"bXYZ", b"rXYZ").replace(b"?XYZ", b"bXYZ")
"""a colour profile in which two primaries have changed places"""


def heic_file(picture_rgb: np.ndarray, orientation: int = 1, **said: bytes) -> bytes:
    """A picture, (H, W, 3) uint8, stored as it is and said to be turned."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "SECRET description"
    picture = Image.fromarray(picture_rgb)
    pillow_heif.from_pillow(picture).save(file, quality=95, exif=exif.tobytes(), **said)
    return file.getvalue()


def with_size(content: bytes, width: int, height: int) -> bytes:
    """The file with another size in its header."""
    at = content.index(b"ispe") + 8
    return content[:at] + width.to_bytes(4, "big") + height.to_bytes(4, "big") + content[at + 8 :]
