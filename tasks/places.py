"""From a location to the source that is there, or the target that goes there."""

from __future__ import annotations

from pathlib import Path

from tasks.errors import BadOutput, BadVideo
from tasks.s3.objects import S3File, S3Folder
from tasks.s3.places import S3FilePlace, S3FolderPlace
from tasks.video.files import File, FilePlace, Folder, FolderPlace, opened
from tasks.video.join import FORMATS
from tasks.video.local import LocalFilePlace, LocalFolder, LocalFolderPlace
from tasks.video.locations import S3, absolute, folder_of, has_number, is_pattern, is_s3, name_of, suffix_of
from tasks.video.moving_webp import MovingWebp
from tasks.video.picture_folder import PictureFolder
from tasks.video.pictures import png, webp
from tasks.video.pictures.kinds import KINDS, WRITTEN, WrittenKind
from tasks.video.sources import Source, VideoFile
from tasks.video.targets import OnePictureTarget, PictureTarget, Target, VideoTarget

_IS_MOVING = {".png": png.is_moving, ".webp": webp.is_moving}


def source_of(location: str) -> Source:
    """A video file, a picture, a folder of pictures, or those of its pictures whose names fit a pattern; no picture is read yet.

    Raises BadVideo where a store cannot be asked what is there.
    """
    file = S3File(*_split(location)) if is_s3(location) else Path(location)
    if is_s3(location) and location.endswith("/"):
        return PictureFolder(location, folder_at(location))
    if file.exists() if isinstance(file, S3File) else file.is_file():
        return _in_file(location, file)
    if is_pattern(name_of(location)):
        return PictureFolder(location, folder_at(folder_of(location)), name_of(location))
    if folder_at(location).names() if is_s3(location) else Path(location).is_dir():
        return PictureFolder(location, folder_at(location))
    if isinstance(file, S3File):
        raise BadVideo(location, "there is no such object, and none in such a folder", fix="check the URL")
    return VideoFile(location, file)


def _in_file(location: str, file: File) -> Source:
    suffix = suffix_of(location)
    if suffix not in KINDS:
        return VideoFile(location, file)
    if suffix in _IS_MOVING:
        with opened(file) as content:
            if _IS_MOVING[suffix](content):
                return MovingWebp(location, file) if suffix == ".webp" else VideoFile(location, file)
    return PictureFolder(location, folder_at(folder_of(location)), only=name_of(location))


def target_of(location: str, source: Source) -> Target:
    """Where what becomes of the source goes; the location's own ending, or pattern, says as what.

    Raises BadOutput for one that says nothing.
    """
    suffix = suffix_of(location)
    pictures = source if isinstance(source, PictureFolder) else None
    if suffix in FORMATS and not location.endswith("/"):  # a `%d` in the name of a video is a part of it
        return VideoTarget(location, _file_place(location))
    only = pictures is not None and pictures.only is not None
    is_written = pictures is None or isinstance(pictures.kind, WrittenKind)
    if suffix in KINDS and suffix not in WRITTEN and not location.endswith("/"):
        raise BadOutput(location, f"is a kind of picture that is read, but not written ({suffix})", fix=f"end it in {', '.join(WRITTEN)}")
    if pictures is not None and only and suffix in WRITTEN and not location.endswith("/"):
        return OnePictureTarget(location, _file_place(location), pictures)
    if has_number(name_of(location)):
        if suffix not in WRITTEN:
            raise BadOutput(location, "is a pattern for no kind of picture that is written", fix=f"end it in {', '.join(WRITTEN)}")
        return PictureTarget(location, _folder_place(folder_of(location)), pictures if is_written else None, name_of(location))
    if pictures is not None and (not suffix or location.endswith("/") or (not is_s3(location) and Path(location).is_dir())):
        if not is_written:
            problem = f"would hold pictures of a kind that is read, but not written ({pictures.kind.codec})"
            raise BadOutput(
                location, problem, fix="give a name that says which kind, such as " + ("out.jpg" if only else "out/img%07d.jpg")
            )
        return PictureTarget(location, _folder_place(location), pictures, None)
    if not is_s3(location) and Path(location).is_dir():
        raise BadOutput(location, "is a folder", fix="give the name of a file in it, or a pattern for pictures, such as img%07d.png")
    named = ", or as the picture is" if only else ", or give a pattern for pictures, such as out/img%07d.png"
    raise BadOutput(location, "is not named as a kind of video that is written", fix=f"end it in {', '.join(FORMATS)}{named}")


def check_apart(source: Source, target: Target) -> None:
    """Raises BadOutput where the target is the source, or in its place."""
    theirs, ours = source.location, target.location
    if isinstance(source, PictureFolder) and (source.pattern or (source.only and isinstance(target, PictureTarget))):
        theirs = folder_of(theirs)
    if isinstance(target, PictureTarget) and target.pattern:
        ours = folder_of(ours)
    if _real(theirs) == _real(ours) or _is_same_file(theirs, ours):
        raise BadOutput(target.location, "is the input itself", fix="choose another name: the source is never changed")


def _real(location: str) -> str:
    return location.rstrip("/") if is_s3(location) else str(Path(absolute(location)).resolve())


def _is_same_file(one: str, other: str) -> bool:
    if is_s3(one) or is_s3(other) or not (Path(one).exists() and Path(other).exists()):
        return False
    return Path(one).samefile(other)


def _split(url: str) -> tuple[str, str]:
    """Bucket and key. Raises BadVideo for a URL without a bucket."""
    bucket, _, key = url.removeprefix(S3).partition("/")
    if not bucket:
        raise BadVideo(url, "names no bucket", fix="write s3://BUCKET/KEY")
    return bucket, key


def folder_at(location: str) -> Folder:
    """The folder there, whether or not anything is in it."""
    if not is_s3(location):
        return LocalFolder(Path(location))
    bucket, key = _split(location)
    return S3Folder(bucket, f"{key.rstrip('/')}/" if key.strip("/") else "")


def _folder_place(location: str) -> FolderPlace:
    folder = folder_at(location)
    return S3FolderPlace(folder) if isinstance(folder, S3Folder) else LocalFolderPlace(Path(location))


def _file_place(location: str) -> FilePlace:
    return S3FilePlace(S3File(*_split(location))) if is_s3(location) else LocalFilePlace(Path(location))
