"""Where pictures go, whatever they are to be stored as: one small interface, and three things behind it: a video, a folder, a picture."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from tasks.errors import BadOutput, BadVideo
from tasks.video.avi import check_even
from tasks.video.files import FilePlace, FolderPlace, NewFile, NewFolder
from tasks.video.forms import AsPictures, AsVideo, pictures_in
from tasks.video.holding import check_copies
from tasks.video.info import FrameIndex, VideoInfo
from tasks.video.join import FORMATS, join_segments
from tasks.video.locations import NamesLike, numbered, suffix_of
from tasks.video.metadata import MetadataKey
from tasks.video.parallel import in_order
from tasks.video.picture_folder import PictureFolder
from tasks.video.pictures.kinds import BY_CODEC, WRITTEN, WrittenKind
from tasks.video.segments import Piece, open_segment
from tasks.video.sources import Source
from tasks.video.still_to_video import video_info
from tasks.video.target import write_file

_MOST_WEBP = 16383
_WRITERS = 8  # of whole pictures at once: much of it is waiting


class Written(Protocol):
    """What is being put together; it takes its place only if it is kept."""

    @property
    def location(self) -> str:
        """Where it can be read once it is joined."""

    def join(
        self,
        pieces: Sequence[Piece],
        source: Source,
        info: VideoInfo,
        index: FrameIndex,
        begins: int | None,
        keep: Sequence[MetadataKey] = (),
    ) -> None:
        """Makes the whole of what was encoded, and of the source elsewhere; `begins` and `keep` are as for `join_segments`."""

    def content_hash(self) -> str:
        """SHA-256, in hex, of what it is."""

    def keep(self) -> None:
        """Puts it in its place."""


class Target(Protocol):
    """A place for the result. Raises BadOutput, NoSpace for what cannot be written."""

    @property
    def location(self) -> str:
        """Where it is, for people."""

    @property
    def form(self) -> AsVideo | AsPictures:
        """What segments are rendered as."""

    @property
    def container_format(self) -> str | None:
        """FFmpeg's name of the kind of video file that it is; None for pictures."""

    @property
    def kind(self) -> str:
        """What else the result's bytes depend on."""

    def check(self) -> None:
        """Before any work; whether something is there already is another question."""

    def check_fits(self, source: Source, info: VideoInfo, index: FrameIndex, begins: int | None) -> None:
        """Once it is known what there is to be written; `begins` is as for `join_segments`."""

    def is_there(self) -> bool:
        """Whether there is something already."""

    def content_hash(self) -> str | None:
        """Of what is there already; None where nothing is."""

    def whole(self) -> AbstractContextManager[Written]:
        """Something to put together; what is not kept is removed, however the block ends."""


_CANNOT_TURN = (".avi", ".ts", ".nut")


@dataclass(frozen=True)
class VideoTarget:
    """A video file; its ending says which kind."""

    location: str
    place: FilePlace

    @property
    def form(self) -> AsVideo:
        return AsVideo(in_order=self.kind == ".avi")

    @property
    def container_format(self) -> str:
        return FORMATS[self.kind]

    @property
    def kind(self) -> str:
        return suffix_of(self.location)

    def check(self) -> None:
        self.place.check()

    def check_fits(self, source: Source, info: VideoInfo, index: FrameIndex, begins: int | None) -> None:
        if info.display_matrix is not None and self.kind in _CANNOT_TURN:
            problem = f"a {self.kind} file cannot say that its picture is turned, as this video's is"
            raise BadOutput(self.location, problem, fix="choose a name that ends in .mp4, .mov or .mkv")
        if self.kind == ".avi":
            check_even(info, index, self.location)
        check_copies(source.file, self.location, self.container_format, info, index, begins)

    def is_there(self) -> bool:
        return self.place.is_there()

    def content_hash(self) -> str | None:
        return self.place.sha256()

    @contextmanager
    def whole(self) -> Iterator[WrittenVideo]:
        with self.place.unfinished() as file:
            yield WrittenVideo(file)


@dataclass(frozen=True)
class WrittenVideo:
    """A video file beside its place."""

    file: NewFile

    @property
    def location(self) -> str:
        return self.file.location

    def join(
        self,
        pieces: Sequence[Piece],
        source: Source,
        info: VideoInfo,
        index: FrameIndex,
        begins: int | None,
        keep: Sequence[MetadataKey] = (),
    ) -> None:
        for path in (piece.path for piece in pieces[:1] if piece.path):
            with open_segment(path) as first:
                info = video_info(info, first.streams.video[0].codec.canonical_name)
        join_segments(pieces, source.file, info, index, self.file.path, begins=begins, keep=keep)

    def content_hash(self) -> str:
        return self.file.sha256()

    def keep(self) -> None:
        self.file.keep()


@dataclass(frozen=True)
class PictureTarget:
    """A folder of pictures: with the names of the source's where that is one too, otherwise with numbers in a pattern."""

    location: str
    place: FolderPlace
    source: PictureFolder | None
    pattern: str | None

    @property
    def form(self) -> AsPictures:
        codec = WRITTEN[suffix_of(self.pattern)].codec if self.source is None and self.pattern else self._source.kind.codec
        return AsPictures.model_validate({"codec": codec, "only_covered": self.source is not None})

    @property
    def container_format(self) -> None:
        return None

    @property
    def kind(self) -> str:
        return "same names" if self.source is not None else self.pattern or ""

    @property
    def _source(self) -> PictureFolder:
        assert self.source is not None
        return self.source

    @property
    def _ours(self) -> Container[str]:
        return frozenset(self._source.names) if self.source is not None else NamesLike(self.pattern or "")

    def check(self) -> None:
        if self.source is not None and self.pattern and not all(name in NamesLike(self.pattern) for name in self.source.names):
            raise BadOutput(self.location, "is a pattern that the pictures' names do not fit", fix="give a folder: they keep their names")
        self.place.check(self._ours)

    def check_fits(self, source: Source, info: VideoInfo, index: FrameIndex, begins: int | None) -> None:
        if self.source is None and info.display_matrix is not None and self.form.codec == "bmp":
            raise BadOutput(self.location, "BMP cannot say that a picture is turned, as this video is", fix="choose .png")
        _check_side(self.form, info, self.location)

    def is_there(self) -> bool:
        return self.place.is_there()

    def content_hash(self) -> str | None:
        try:
            return PictureFolder(self.location, self.place.folder).content_hash()
        except BadVideo:
            return None

    @contextmanager
    def whole(self) -> Iterator[WrittenPictures]:
        with self.place.unfinished() as folder:
            yield WrittenPictures(folder, self.form, self.pattern)


@dataclass(frozen=True)
class WrittenPictures:
    """A folder of pictures beside its place."""

    folder: NewFolder
    form: AsPictures
    pattern: str | None

    @property
    def location(self) -> str:
        return self.folder.location

    def join(
        self,
        pieces: Sequence[Piece],
        source: Source,
        info: VideoInfo,
        index: FrameIndex,
        begins: int | None,
        keep: Sequence[MetadataKey] = (),
    ) -> None:
        """Pictures that no piece has are the source's files, without what is not the picture."""
        for _ in in_order(
            lambda named: self.folder.write(*named), self._named([piece.path for piece in pieces if piece.path], source, index), _WRITERS
        ):
            pass

    def _named(self, segments: Sequence[Path], source: Source, index: FrameIndex) -> Iterator[tuple[str, bytes]]:
        for number, content in _pictures(segments, source, index, self.form):
            if self.form.only_covered and isinstance(source, PictureFolder):
                yield source.names[int(index.pts[number])], content
            else:
                yield numbered(self.pattern or "", number), content

    def content_hash(self) -> str:
        return PictureFolder(self.location, self.folder.folder).content_hash()

    def keep(self) -> None:
        self.folder.keep()


@dataclass(frozen=True)
class OnePictureTarget:
    """A picture's file, for a source that is one too."""

    location: str
    place: FilePlace
    source: PictureFolder

    @property
    def form(self) -> AsPictures:
        is_written = isinstance(self.source.kind, WrittenKind)
        return AsPictures.model_validate({"codec": self._codec, "only_covered": is_written})

    @property
    def container_format(self) -> None:
        return None

    @property
    def kind(self) -> str:
        return f"one {self._codec}"

    @property
    def _codec(self) -> str:
        return WRITTEN[suffix_of(self.location)].codec

    def check(self) -> None:
        theirs = self.source.kind
        if isinstance(theirs, WrittenKind) and theirs.codec != self._codec:
            problem = "is another kind of picture than the source, which keeps its kind with all that its format holds"
            raise BadOutput(self.location, problem, fix=f"end it in {suffix_of(self.source.location)}")
        self.place.check()

    def check_fits(self, source: Source, info: VideoInfo, index: FrameIndex, begins: int | None) -> None:
        _check_side(self.form, info, self.location)

    def is_there(self) -> bool:
        return self.place.is_there()

    def content_hash(self) -> str | None:
        return self.place.sha256()

    @contextmanager
    def whole(self) -> Iterator[WrittenPicture]:
        with self.place.unfinished() as file:
            yield WrittenPicture(file, self.form)


@dataclass(frozen=True)
class WrittenPicture:
    """A picture's file beside its place."""

    file: NewFile
    form: AsPictures

    @property
    def location(self) -> str:
        return self.file.location

    def join(
        self,
        pieces: Sequence[Piece],
        source: Source,
        info: VideoInfo,
        index: FrameIndex,
        begins: int | None,
        keep: Sequence[MetadataKey] = (),
    ) -> None:
        """Without a piece it is the source's file, without what is not the picture."""
        for _, content in _pictures([piece.path for piece in pieces if piece.path], source, index, self.form):
            write_file(self.file.path, content)

    def content_hash(self) -> str:
        return self.file.sha256()

    def keep(self) -> None:
        self.file.keep()


def _pictures(segments: Sequence[Path], source: Source, index: FrameIndex, form: AsPictures) -> Iterator[tuple[int, bytes]]:
    """Number and file of each; those that no segment has are the source's own, where it has them in that form."""
    rendered = chain.from_iterable(map(pictures_in, segments))
    upcoming = next(rendered, None)
    for number in range(len(index)):
        if upcoming is not None and upcoming[0] == number:
            yield upcoming
            upcoming = next(rendered, None)
        elif form.only_covered and isinstance(source, PictureFolder):
            # The time of a picture is its number in the folder.
            yield number, BY_CODEC[form.codec].clean(source.picture(int(index.pts[number])))
        else:
            raise ValueError(f"no segment has frame {number}")
    if upcoming is not None:
        raise ValueError(f"the segments have frame {upcoming[0]}, the index {len(index)} frames")


def _check_side(form: AsPictures, info: VideoInfo, location: str) -> None:
    if form.codec == "webp" and max(info.width, info.height) > _MOST_WEBP:
        raise BadOutput(location, f"a WebP has at most {_MOST_WEBP} pixels a side", fix="choose .png")
