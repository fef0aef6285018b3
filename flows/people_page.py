"""The folder that shows who is in a video: a page that needs nothing else, the same as JSON, and the faces as files."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.lengths import length, moment
from flows.people import CLEAR, People, Person
from flows.people_file import NAMES

PAGE, LIST, FACES = "index.html", "people.json", "faces"
CONTENTS = frozenset({PAGE, LIST, NAMES, FACES})
"""all that such a folder holds"""

_TEMPLATE = "people.html.jinja"
_BAR_UNITS = 1000.0  # the width of a person's bar in the drawing's own units
_THINNEST_UNITS = 4.0  # so that a single frame of a long film can be seen


def write_people(folder: Path, people: People, faces: Sequence[bytes], names: bytes) -> None:
    """Writes the page, the list, people.toml and the faces, JPEGs in the order of the people, into an empty folder."""
    (folder / FACES).mkdir(mode=0o700)
    for person, face in zip(people.persons, faces, strict=True):
        (folder / person.face).write_bytes(face)
    (folder / LIST).write_text(people.model_dump_json(indent=2) + "\n", "utf-8")
    (folder / NAMES).write_bytes(names)
    (folder / PAGE).write_text(page_of(people, faces), "utf-8")


def page_of(people: People, faces: Sequence[bytes]) -> str:
    """The page, with the faces inside it."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"length_of": length, "moment": moment, "shell": shlex.quote}
    pictures = [f"data:image/jpeg;base64,{base64.b64encode(face).decode('ascii')}" for face in faces]
    bars = [_bar(person, people) for person in people.persons]
    cards = list(zip(people.persons, pictures, bars, strict=True))
    clear = [card for card in cards if card[0].quality >= CLEAR]
    poor = [card for card in cards if card[0].quality < CLEAR] if clear else []  # without a recogniser nothing says who is seen well
    return environment.get_template(_TEMPLATE).render(people=people, clear=clear or cards, poor=poor, bar_units=_BAR_UNITS)


def _bar(person: Person, people: People) -> list[tuple[float, float, str]]:
    """Where the person is seen as (start, width, words), in units of the bar."""
    scale = _BAR_UNITS / max(people.duration_seconds, 1e-3)
    parts = []
    for seen in person.appearances:
        width = max(_THINNEST_UNITS, (seen.last_seconds - seen.first_seconds) * scale)
        start = min((seen.first_seconds - people.begins_seconds) * scale, _BAR_UNITS - width)
        parts.append((round(start, 1), round(width, 1), f"{moment(seen.first_seconds)} to {moment(seen.last_seconds)}"))
    return parts
