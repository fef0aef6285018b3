"""What a file says about itself in words: nothing of it comes through, but what is asked for by name and harmless.

Places, devices and their owners are never kept: they tell where a face was, and whose camera saw it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, get_args

from av.container import InputContainer, OutputContainer
from av.stream import Stream

from tasks.errors import BadSetting

MetadataKey = Literal[
    "title",
    "artist",
    "album",
    "genre",
    "comment",
    "description",
    "copyright",
    "date",
    "creation_time",
    "chapters",
    "track_titles",
]
"""what can be kept: words that somebody chose for people to read, and when a film was made"""

_LONGEST = 10_000  # characters; words for people are shorter, and pictures as text are longer
# As containers name the same thing; the first is what is written.
_ALSO_CALLED: dict[str, tuple[str, ...]] = {
    "title": ("title", "com.apple.quicktime.title"),
    "artist": ("artist", "author", "com.apple.quicktime.artist", "com.apple.quicktime.author"),
    "album": ("album", "com.apple.quicktime.album"),
    "genre": ("genre", "com.apple.quicktime.genre"),
    "comment": ("comment", "com.apple.quicktime.comment"),
    "description": ("description", "synopsis", "com.apple.quicktime.description"),
    "copyright": ("copyright", "com.apple.quicktime.copyright"),
    "date": ("date", "year", "com.apple.quicktime.year"),
    "creation_time": ("creation_time",),
}
_TELLTALE = ("location", "gps", "loci", "xyz", "geo", "latitude", "longitude", "make", "model", "device", "camera", "serial", "software")


def check_keys(keys: Iterable[str]) -> tuple[MetadataKey, ...]:
    """The keys, each once and in order. Raises BadSetting for one that is not kept, and says why."""
    known = get_args(MetadataKey)
    for key in keys:
        if key in known:
            continue
        what = f"--keep-metadata {key}"
        fix = f"choose from: {', '.join(known)}"
        if any(word in key.lower() for word in _TELLTALE):
            raise BadSetting(what, "says where or with what a film was taken, and is never kept", fix=fix)
        raise BadSetting(what, "is nothing that is kept", fix=fix)
    return tuple(key for key in known if key in set(keys))


def put_metadata(output: OutputContainer, source: InputContainer, copies: Mapping[int, Stream], keys: Iterable[MetadataKey]) -> None:
    """Writes what the keys name: of the file, of its chapters, and of the copied streams (by their place in the source)."""
    found = {name.lower(): value for name, value in source.metadata.items()}
    for key in keys:
        for name in _ALSO_CALLED.get(key, ()):
            if name in found and _is_words(found[name], key):
                output.metadata[key] = found[name]
                break
    if "track_titles" in keys:
        for number, stream in copies.items():
            title = {name.lower(): value for name, value in source.streams[number].metadata.items()}.get("title")
            if title and _is_words(title, "title"):
                stream.metadata["title"] = title
    if "chapters" in keys:
        output.set_chapters([_words_only(chapter) for chapter in source.chapters()])


def left_out(dropped: Iterable[str], keys: Iterable[MetadataKey]) -> tuple[str, ...]:
    """The lines of what does not come through (see `contents.dropped_of`), without what the keys bring back."""
    kept = {f"metadata: {name}" for key in keys for name in _ALSO_CALLED.get(key, ())}
    kept |= {"chapters"} if "chapters" in keys else set()
    title_of_a_track = re.compile(r"metadata of stream \d+: title" if "track_titles" in keys else r"(?!)")
    # The same words once more, marked with their language, are no more than the same words.
    names = [(line, re.sub(r"-[a-z]{3}$", "", line.lower())) for line in dropped]
    return tuple(line for line, name in names if name not in kept and not title_of_a_track.fullmatch(name))


def _words_only(chapter: Any) -> Any:
    """A chapter with its times and its title: whatever else it has, pictures' names for instance, stays out."""
    title = chapter["metadata"].get("title", "")
    return {**chapter, "metadata": {"title": title} if title and _is_words(title, "title") else {}}


def _is_words(value: str, key: str) -> bool:
    """Whether a value is what its key says: a time is a time, and words are of a length that people write."""
    if key != "creation_time":
        return len(value) <= _LONGEST and "data:image" not in value
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True
