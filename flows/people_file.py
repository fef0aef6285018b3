"""people.toml: who is who, written for somebody to put right and give back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from flows.people import People
from tasks.named_people import EditPeople
from tasks.selectors.time_and_place import Pick

NAMES = "people.toml"

_UNCHANGED = "# as Veil wrote it: "

_HEAD = """\
# Who is who in {source}. Change this file and give it back with --people: to `veil people`, to see what comes of it, or to `veil blur`.
# Faces are told by a time and a point (pixels of the upright picture), so that they are found again where they are followed otherwise.
#
# - Give people their names.
# - Found several times? Put their names together: the first one stays.
#       merge = [["Person A", "Person C"]]
# - Is somebody else among them? Point at that other face. Only the track that is there gets the name, or from `start` to `end` a part
#   of it; with of = "person" it is all of that person's tracks. A name that is here already joins them.
#       [[splits]]
#       name = "Bert"
#       at = {{ seconds = 12.5, x = 320, y = 180 }}
#       start = "0:12"
"""


def people_file_of(people: People, edits: EditPeople) -> str:
    """The file, with what was put right before; whoever was not named yet has the page's name.

    By its last line it is known again as long as nobody changes it.
    """
    named = {*(each.name for each in edits.people), *(each.name for each in edits.splits)}
    lines = [_HEAD.format(source=_text(people.source)), f'video = "{people.content_hash}"', "", "merge = ["]
    lines += [f"    [{', '.join(map(_text, group))}]," for group in edits.merge]
    lines.append("]")
    for each in edits.people:
        lines += ["", "[[people]]", f"name = {_text(each.name)}", f"at = {_point(each.at)}"]
    for person in people.persons:
        if not named & {person.label, *person.label.split(" / ")}:
            point = _point(Pick(**person.pick.model_dump()))
            lines += ["", f"[[people]]  # {person.seconds:.1f} s on screen", f"name = {_text(person.label)}", f"at = {point}"]
    for split in edits.splits:
        lines += ["", "[[splits]]", f"name = {_text(split.name)}", f"at = {_point(split.at)}", f'of = "{split.of}"']
        lines += [f'{side} = "{moment}"' for side, moment in (("start", split.start), ("end", split.end)) if moment]
    text = "\n".join([*lines, "", ""])
    return f"{text}{_UNCHANGED}{_digest(text)}\n"


def changed_file(folder: Path) -> bytes | None:
    """The folder's file, if it is there and was changed since it was written: somebody's work, which nothing replaces."""
    path = folder / NAMES
    if not path.is_file():
        return None
    content = path.read_bytes()
    text, _, digest = content.decode("utf-8", "replace").rpartition(_UNCHANGED)
    return None if digest.strip() == _digest(text) else content


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _point(point: Pick) -> str:
    when = f"frame = {point.frame}" if point.seconds is None else f"seconds = {point.seconds:.3f}"
    return f"{{ {when}, x = {point.x:g}, y = {point.y:g} }}"


def _text(text: str) -> str:
    """As TOML and JSON both write it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
