"""Single pictures: nothing but the picture comes through, and the picture bit for bit."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from tasks.video.pictures import webp
from tasks.video.pictures.encode import encode_picture
from tasks.video.pictures.kinds import KINDS, decode
from tasks.video.pictures.orientation import matrix_of
from tasks.video.planes import as_planar, editable, planes
from tasks.video.upright import is_mirrored, rotation_of
from tests.fakes import video_info

SECRETS = (b"SECRET", b"Bergen", b"http://ns.adobe.com")
SIZE = (90, 70)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def drawn(seed: int = 0) -> np.ndarray:
    """(70, 90, 3) uint8: smooth enough for JPEG, different everywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def exif(orientation: int) -> Image.Exif:
    said = Image.Exif()
    said[0x010E] = "SECRET description"
    said[0x0112] = orientation
    said.get_ifd(0x8825)[29] = "Bergen"  # GPS
    said.get_ifd(0x8769)[0x927C] = b"SECRET thumbnail of a face" * 30
    return said


def picture_file(suffix: str, orientation: int = 1, lossless: bool = False) -> bytes:
    """A picture's file with everything in it that must not come through."""
    file, picture = io.BytesIO(), Image.fromarray(drawn())
    said = {"exif": exif(orientation), "icc_profile": ICC}
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" about="http://ns.adobe.com/SECRET"/>'
    match suffix:
        case ".png":
            texts = PngImagePlugin.PngInfo()
            texts.add_text("Comment", "SECRET")
            texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
            picture.save(file, "png", pnginfo=texts, **said)
            return file.getvalue() + b"SECRET behind the end"
        case ".jpg":
            picture.save(file, "jpeg", quality=95, comment=b"SECRET", xmp=xmp, **said)
            content = file.getvalue()
            # A thumbnail in the JFIF segment, one in a segment of its own, and a second picture behind the end.
            jfif = b"\xff\xe0" + (16 + 12).to_bytes(2, "big") + b"JFIF\0\1\1\0\0\1\0\1\2\2" + b"SECRETSECRET"
            extension = b"\xff\xe0" + (2 + 12).to_bytes(2, "big") + b"JFXX\0SECRET\0"
            return content[:2] + jfif + extension + content[20:] + content + b"SECRET"
        case ".webp":
            picture.save(file, "webp", quality=90, lossless=lossless, xmp=xmp, **said)
            return file.getvalue() + b"SECRET"
        case ".tiff":
            second = Image.fromarray(drawn(1))
            tags = {270: "SECRET", 305: "SECRET software", 315: "Bergen", 700: xmp}
            picture.save(file, "tiff", save_all=True, append_images=[second], tiffinfo=tags | {274: orientation}, icc_profile=ICC)
            return file.getvalue() + b"SECRET"
        case _:
            picture.save(file, "bmp")
            return file.getvalue() + b"SECRET"


KEEPS_TURN = [".png", ".jpg", ".webp", ".tiff"]


@pytest.mark.parametrize("orientation", [1, 6, 3])
@pytest.mark.parametrize("suffix", [*KEEPS_TURN, ".bmp"])
def test_only_the_picture_is_left_and_it_is_the_same(suffix: str, orientation: int) -> None:
    kind, content = KINDS[suffix], picture_file(suffix, orientation)
    assert b"SECRET" in content
    cleaned = kind.clean(content)
    for secret in SECRETS:
        assert secret not in cleaned
    before, after = (Image.open(io.BytesIO(each)) for each in (content, cleaned))
    assert np.array_equal(np.asarray(before), np.asarray(after))
    assert kind.header(cleaned) == (*SIZE, orientation if suffix in KEEPS_TURN else 1)
    if suffix in KEEPS_TURN:
        said = Image.open(io.BytesIO(cleaned))  # Pillow turns a TIFF when it loads its pixels, and forgets the tag
        assert said.info.get("icc_profile") == ICC, "colours would change without it"
        assert said.getexif().get(0x0112, 1) == orientation, "it would be shown turned"
        assert not said.getexif().get_ifd(0x8825)
    assert getattr(after, "n_frames", 1) == 1
    assert kind.clean(cleaned) == cleaned, "a clean file is copied byte for byte"


def test_an_animation_is_its_first_picture() -> None:
    file = io.BytesIO()
    pictures = [Image.fromarray(drawn(seed)) for seed in range(3)]
    pictures[0].save(file, "png", save_all=True, append_images=pictures[1:])
    cleaned = KINDS[".png"].clean(file.getvalue())
    assert b"fdAT" in file.getvalue()
    assert b"fdAT" not in cleaned
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(cleaned))), drawn(0))


def test_a_moving_webp_is_refused() -> None:
    file = io.BytesIO()
    Image.fromarray(drawn(0)).save(file, "webp", save_all=True, append_images=[Image.fromarray(drawn(1))])
    with pytest.raises(ValueError, match="not a single picture"):
        KINDS[".webp"].clean(file.getvalue())


def deep() -> np.ndarray:
    return drawn().astype(np.uint16) * 257 + np.arange(SIZE[0], dtype=np.uint16)[None, :, None]


def stored(suffix: str, picture: np.ndarray, *options: int) -> bytes:
    _, content = cv2.imencode(suffix, picture, list(options))
    return bytes(content)


def palette() -> bytes:
    file = io.BytesIO()
    Image.fromarray(drawn()).quantize(64).save(file, "png", transparency=3)
    return file.getvalue()


LOSSY_WEBP = (cv2.IMWRITE_WEBP_QUALITY, 92)
ALPHA = np.dstack([drawn(), drawn(5)[..., 0]])
COVERED: dict[str, tuple[str, bytes, float]] = {  # suffix, file, how far a sample outside the cover may be off
    "png": (".png", stored(".png", drawn()), 0),
    "png, grey": (".png", stored(".png", drawn()[..., 0]), 0),
    "png, transparent": (".png", stored(".png", ALPHA), 0),
    "png, 16 bit": (".png", stored(".png", deep()), 0),
    "png, 16 bit, grey": (".png", stored(".png", deep()[..., 0]), 0),
    "png, 16 bit, transparent": (".png", stored(".png", np.dstack([deep(), deep()[..., 1]])), 0),
    "png, palette": (".png", palette(), 0),
    "tiff": (".tiff", stored(".tiff", drawn()), 0),
    "tiff, 16 bit": (".tiff", stored(".tiff", deep()), 0),
    "bmp": (".bmp", stored(".bmp", drawn()), 0),
    "webp, lossless": (".webp", stored(".webp", drawn(), cv2.IMWRITE_WEBP_QUALITY, 101), 0),
    "webp, lossless, transparent": (".webp", stored(".webp", ALPHA, cv2.IMWRITE_WEBP_QUALITY, 101), 0),
    "webp": (".webp", stored(".webp", drawn(), *LOSSY_WEBP), 14),
    "webp, transparent": (".webp", stored(".webp", ALPHA, *LOSSY_WEBP), 14),
    "jpeg 4:2:0": (".jpg", stored(".jpg", drawn(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420), 6),
    "jpeg 4:4:4": (".jpg", stored(".jpg", drawn(), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444), 6),
}


@pytest.mark.parametrize("name", COVERED)
def test_outside_the_cover_a_picture_stays_as_it_is(name: str) -> None:
    suffix, content, most = COVERED[name]
    kind = KINDS[suffix]
    original = decode(content, kind)
    frame = editable(as_planar(original))
    for plane in planes(frame):
        plane.samples[16 // plane.vertical_step : 48 // plane.vertical_step, 16 // plane.horizontal_step : 48 // plane.horizontal_step] = 0
    info = video_info(width=SIZE[0], height=SIZE[1], colour_range="unspecified", colour_matrix=2)
    lossless = suffix != ".webp" or webp.is_lossless(content)

    written = kind.carried(encode_picture(frame, original, kind, info, lossless=lossless), content)

    before, after = (cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_UNCHANGED).astype(np.int64) for each in (content, written))
    assert after.shape == before.shape or name == "png, palette"
    outside = np.ones(before.shape[:2], bool)
    outside[8:56, 8:56] = False  # a block of a lossy format around it
    assert np.abs(before - after)[outside].max() <= most
    assert np.abs(before - after)[20:44, 20:44].max() > 30, "nothing was covered"
    if before.ndim == 3 and before.shape[2] == 4:
        assert np.abs(before[..., 3] - after[..., 3]).max() == 0, "the transparency stays, under the cover too"


def test_covered_pictures_keep_colours_and_turn_and_nothing_else() -> None:
    for suffix in KEEPS_TURN:
        kind, content = KINDS[suffix], picture_file(suffix, 6)
        original = decode(content, kind)
        frame = editable(as_planar(original))
        info = video_info(width=SIZE[0], height=SIZE[1], colour_matrix=2)
        written = kind.carried(encode_picture(frame, original, kind, info), content)
        assert not [secret for secret in (*SECRETS, b"Lavc") if secret in written], suffix
        after = Image.open(io.BytesIO(written))
        assert (after.getexif().get(0x0112), after.info.get("icc_profile")) == (6, ICC), suffix


@pytest.mark.parametrize("suffix", [*KEEPS_TURN, ".bmp"])
def test_files_that_end_early_are_said_to(suffix: str) -> None:
    content = stored(suffix, drawn())
    for share in (0.3, 0.9):
        with pytest.raises(ValueError, match=r"ends early|is not|has no|is damaged"):
            KINDS[suffix].clean(content[: int(len(content) * share)])


@pytest.mark.parametrize(
    ("orientation", "degrees", "mirrored"),
    [(1, 0, False), (3, 180, False), (6, 90, False), (8, 270, False), (2, 0, True), (5, 90, True), (7, 270, True), (4, 180, True)],
)
def test_turns_are_those_of_video(orientation: int, degrees: int, mirrored: bool) -> None:
    """The turn, and then whether the picture is mirrored left to right, that bring it to how it is shown."""
    matrix = matrix_of(orientation)
    assert (rotation_of(matrix), is_mirrored(matrix)) == (degrees, mirrored)
